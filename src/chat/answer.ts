/** A model's answer to a prompt, as a producer of turn events. */
import { type Admission, type Model, ModelError, type ModelEvent } from "../models/model.ts";
import type { IncompleteReason } from "../protocol/events.ts";
import type { Access, TurnStore } from "../storage/storage.ts";
import type { Produced, Producer } from "../turns/producer.ts";
import { buildContext, type ContextOptions } from "./context.ts";
import { modelProblem } from "./model-problem.ts";

export type Question = {
  readonly access: Access;
  readonly sessionId: string;
  readonly turn: number;
  readonly prompt: string;
};

export function answerProducer(
  turns: TurnStore,
  model: Model,
  question: Question,
  contextOptions: ContextOptions,
  admission?: Admission,
): Producer {
  return {
    get model() {
      return (admission ?? model).name;
    },
    async begin(signal) {
      await model.ready();
      const { session, messages, trimmedTurns } = await buildContext(turns, question.access, question, contextOptions);
      const events = model.generate({ messages, username: session.username }, signal, admission);
      return { trimmedTurns, output: asProduced(events) };
    },
    release: () => admission?.release(),
  };
}

async function* asProduced(events: AsyncIterable<ModelEvent>): AsyncGenerator<Produced> {
  try {
    for await (const event of events) {
      yield event.type === "finish" ? { ...event, incomplete: incompleteReasons.get(event.finishReason) } : event;
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    yield { type: "failure", problem: modelProblem(error), model: error.model };
  }
}

/**
 * The `finish_reason`s of OpenAI's chat completions that end an answer before it is whole
 * (https://platform.openai.com/docs/api-reference/chat/object).
 */
const incompleteReasons: ReadonlyMap<string, IncompleteReason> = new Map([
  ["length", "max_tokens"],
  ["content_filter", "content_filter"],
]);
