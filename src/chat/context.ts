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

/** The context of a turn. Its cost depends on the budget alone, not on the length of the session. */
export async function buildContext(
  turns: TurnStore,
  access: Access,
  current: { readonly sessionId: string; readonly turn: number; readonly prompt: string },
  options: ContextOptions,
): Promise<Context> {
  const {
    session,
    turns: remembered,
    older,
  } = await turns.remember(access, current.sessionId, {
    before: current.turn,
    // A UTF-16 unit is at least one byte, so no more than this can fit.
    maxLength: options.contextTokens * bytesPerToken,
  });
  const system = [options.systemPrompt, session.instructions].filter((text) => text).join("\n\n");
  const first: ModelMessage[] = system === "" ? [] : [{ role: "system", content: system }];
  const last: ModelMessage = { role: "user", content: current.prompt };

  let budget = options.contextTokens - estimateTokens([...first, last]);
  const newestFirst: ModelMessage[][] = [];
  for (const turn of remembered) {
    const messages = messagesOf(turn);
    budget -= estimateTokens(messages);
    if (budget < 0) break;
    newestFirst.push(messages);
  }
  return {
    session,
    messages: [...first, ...newestFirst.reverse().flat(), last],
    trimmedTurns: older + remembered.length - newestFirst.length,
  };
}

function messagesOf({ prompt, answer }: Turn): ModelMessage[] {
  return [
    { role: "user", content: prompt },
    { role: "assistant", content: answer },
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
