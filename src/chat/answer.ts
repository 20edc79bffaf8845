/** A model's answer to a prompt, as a producer of turn events. */
import { type Model, ModelError, type ModelEvent } from "../models/model.ts";
import type { IncompleteReason } from "../protocol/events.ts";
import { Problem } from "../protocol/problems.ts";
import type { Access, TurnStore } from "../storage/storage.ts";
import type { Produced, Producer } from "../turns/producer.ts";
import { buildContext, type ContextOptions } from "./context.ts";

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
): Producer {
  return {
    get model() {
      return model.name;
    },
    async begin(signal) {
      await model.ready();
      const { session, messages, trimmedTurns } = await buildContext(turns, question.access, question, contextOptions);
      const events = model.generate({ messages, username: session.username }, signal);
      return { trimmedTurns, output: asProduced(events) };
    },
  };
}

async function* asProduced(events: AsyncIterable<ModelEvent>): AsyncGenerator<Produced> {
  try {
    for await (const event of events) {
      yield event.type === "text" ? event : { ...event, incomplete: incompleteReasons.get(event.finishReason) };
    }
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { code, detail, model, retryAfterSeconds } = error;
    const problem = new Problem(code, detail, {
      cause: error,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
    yield { type: "failure", problem, model };
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
