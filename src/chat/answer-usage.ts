/** The tokens of an answer where the model server did not count them. */
import type { Usage } from "../protocol/events.ts";
import { isProblem } from "../protocol/problems.ts";
import { estimatingCounter } from "../tokens/estimate.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import type { AnswerSources, Question } from "./answer.ts";
import type { Context } from "./context.ts";
import { countMessages } from "./message-tokens.ts";

/**
 * Bytes of prompt and answer up to which a rule of thumb is good enough. Longer conversations had to be counted anyway to
 * fit the budget, so that nobody loads a vocabulary for the sake of an estimate alone.
 */
const shortLength = 16 * 1024;

/** How long the end of an answer that is there already may wait for this, in milliseconds. */
const patienceMs = 1_000;

/**
 * Null where not even that can be said now. The text is read from the log, where all of it is by now, so that a piece on
 * its way costs nothing for an estimate that is rarely needed.
 */
export async function estimateUsage(
  { turns, counter }: AnswerSources,
  { access, sessionId, turn }: Question,
  context: Context,
): Promise<Usage | null> {
  try {
    const { answer } = await turns.read(access, sessionId, turn);
    const suitable = suitableCounter(counter, context, answer);
    const [input, output] = await Promise.all([
      countInput(suitable, context),
      suitable.count([answer], patienceMs).then(({ counts }) => counts[0] ?? 0),
    ]);
    return { input_tokens: input, output_tokens: output, estimated: true };
  } catch (error) {
    // The storage's troubles: whatever ends the turn tells of them, and no answer fails for want of an estimate.
    if (isProblem(error)) return null;
    throw error;
  }
}

/** The tokens of what the model is sent. */
export async function countInput(counter: TokenCounter, context: Context): Promise<number> {
  return context.tokens ?? countMessages(suitableCounter(counter, context, ""), context.messages, patienceMs);
}

function suitableCounter(counter: TokenCounter, { messages }: Context, answer: string): TokenCounter {
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), Buffer.byteLength(answer));
  return bytes <= shortLength ? estimatingCounter : counter;
}
