/**
 * History → the messages that go to the model, within a token budget: the system prompt and the current prompt always,
 * then as many of the newest turns as fit, each whole. Prompts that got no answer are left out.
 */
import type { ModelMessage } from "../models/model.ts";
import type { Access, Session, Turn, TurnStore } from "../storage/storage.ts";

export type ContextOptions = {
  readonly systemPrompt: string;
  /** What may go to the model in one turn, in tokens. */
  readonly contextTokens: number;
};

export type Context = {
  readonly session: Session;
  /** Oldest first, ending with the current prompt. */
  readonly messages: readonly ModelMessage[];
  /** How many answered turns did not fit. */
  readonly trimmedTurns: number;
};

/**
 * The context of a turn. It reads back only as far as the budget reaches, so a long session costs no more than a
 * short one.
 */
export async function buildContext(
  turns: TurnStore,
  access: Access,
  current: { readonly sessionId: string; readonly turn: number; readonly prompt: string },
  options: ContextOptions,
): Promise<Context> {
  const history = await turns.history(access, current.sessionId, { before: current.turn, order: "newest-first" });
  const { session } = history;
  const system = [options.systemPrompt, session.instructions].filter((text) => text).join("\n\n");
  const first: ModelMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  const last: ModelMessage = { role: "user", content: current.prompt };

  let budget = options.contextTokens - estimateTokens([...first, last]);
  const newestFirst: ModelMessage[][] = [];
  let oldestKept = current.turn;
  reading: for await (const page of history.pages) {
    for (const turn of page) {
      const messages = messagesOf(turn);
      budget -= estimateTokens(messages);
      if (budget < 0) break reading;
      newestFirst.push(messages);
      oldestKept = turn.turn;
    }
  }
  const exhausted = budget >= 0;
  return {
    session,
    messages: [...first, ...newestFirst.reverse().flat(), last],
    trimmedTurns: exhausted ? 0 : oldestKept - 1,
  };
}

function messagesOf(turn: Turn): ModelMessage[] {
  if (turn.answer === "") return [];
  return [
    { role: "user", content: turn.prompt },
    { role: "assistant", content: turn.answer },
  ];
}

/** What a message costs beyond its text, by OpenAI's own counting guide. */
const tokensPerMessage = 4;
/** English prose has about four characters to a token; bytes make other scripts count for more, as they do. */
const bytesPerToken = 4;

function estimateTokens(messages: readonly ModelMessage[]): number {
  return messages.reduce(
    (sum, message) => sum + tokensPerMessage + Math.ceil(Buffer.byteLength(message.content) / bytesPerToken),
    0,
  );
}
