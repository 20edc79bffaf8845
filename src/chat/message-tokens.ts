/** The tokens of messages: those of their texts and those that a chat costs around them. */
import type { ModelMessage } from "../models/model.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";

/** Three around each message and one for its role (https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken). */
export const tokensPerMessage = 4;
/** What begins the answer, by the same guide. */
export const tokensForReply = 3;

/** What the messages cannot exceed in any vocabulary: a token is at least one byte. */
export function mostTokens(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), around(messages));
}

/** @param withinMs how long that may take, in milliseconds, before it is estimated */
export async function countMessages(
  counter: TokenCounter,
  messages: readonly ModelMessage[],
  withinMs: number,
): Promise<number> {
  const { counts } = await counter.count(
    messages.map(({ content }) => content),
    withinMs,
  );
  return counts.reduce((sum, count) => sum + count, around(messages));
}

function around(messages: readonly ModelMessage[]): number {
  return tokensForReply + messages.length * tokensPerMessage;
}
