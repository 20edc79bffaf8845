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
  const { answerSoFar = "", tools } = request;
  const results = resultsIn(request);
  const call = results.length === 0 ? tools?.rules.callFor(promptOf(request)) : undefined;
  if (call !== undefined) {
    yield { type: "tool_calls", calls: [call] };
    yield finishOf(request, call.arguments);
    return;
  }
  const said = tools === undefined || results.length === 0 ? demoAnswer(request) : tools.rules.sentencesFor(results);
  const answer = answerAfter(answerSoFar, said);
  for (const word of splitWords(answer)) {
    if (wordDelayMs > 0) await sleep(wordDelayMs, signal);
    signal.throwIfAborted();
    yield { type: "text", text: word };
  }
  signal.throwIfAborted();
  yield finishOf(request, answer);
}

function promptOf({ messages }: ModelRequest): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}

/** What the calls gave that were made for this answer. */
function resultsIn({ messages }: ModelRequest): string[] {
  const prompt = messages.findLastIndex(({ role }) => role === "user");
  return messages.slice(prompt + 1).flatMap(({ role, content }) => (role === "tool" ? [content] : []));
}

function finishOf({ messages, answerSoFar = "" }: ModelRequest, answer: string): ModelEvent {
  const input = messages.reduce((sum, { content }) => sum + estimateTokens(content), estimateTokens(answerSoFar));
  return {
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
