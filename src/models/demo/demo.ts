/**
 * The model that answers where none is connected: deterministic, offline, and honest about what it is. It remembers its
 * session well enough to show that history, streaming and stopping work.
 */
import type { Model, ModelEvent, ModelRequest } from "../model.ts";
import { demoAnswer } from "./answers.ts";
import { sleep } from "./sleep.ts";

export type DemoModelOptions = {
  /** Milliseconds between two words, so that one can see the answer come. Default 20; 0 answers without waiting. */
  readonly wordDelayMs?: number;
};

export const demoModelName = "demo";

export function openDemoModel(options: DemoModelOptions = {}): Model {
  const wordDelayMs = options.wordDelayMs ?? 20;
  return {
    name: demoModelName,
    condition: "configured",
    admit: () => ({ name: demoModelName, release() {} }),
    contextWindow: undefined,
    continuesAnswers: true,
    ready: async () => {},
    generate: (request, signal) => speak(request, signal, wordDelayMs),
    close: async () => {},
  };
}

async function* speak(request: ModelRequest, signal: AbortSignal, wordDelayMs: number): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted();
  const { answerSoFar = "" } = request;
  const answer = answerAfter(answerSoFar, demoAnswer(request));
  for (const word of splitWords(answer)) {
    if (wordDelayMs > 0) await sleep(wordDelayMs, signal);
    signal.throwIfAborted();
    yield { type: "text", text: word };
  }
  signal.throwIfAborted();
  const input = request.messages.reduce(
    (sum, message) => sum + estimateTokens(message.content),
    estimateTokens(answerSoFar),
  );
  yield {
    type: "finish",
    finishReason: "stop",
    usage: { input_tokens: input, output_tokens: estimateTokens(answer), estimated: true },
    model: demoModelName,
  };
}

/** What is left to say of an answer. After a beginning of other words, such as another model's, that is all of it. */
function answerAfter(beginning: string, answer: string): string {
  return answer.startsWith(beginning) ? answer.slice(beginning.length) : ` ${answer}`;
}

/** Words with the white space that follows them; put together they are the text again. */
export function splitWords(text: string): string[] {
  return text.match(/^\s+|\S+\s*/g) ?? [];
}

/** The usual rule of thumb for English: four characters a token. */
function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}
