/** What happens when a model refuses a conversation as too long: it gets less of it, or the client is told the sizes. */
import type { ModelError } from "../models/model.ts";
import type { AnswerSources, Question } from "./answer.ts";
import { type Context, countingMs } from "./context.ts";
import { budgetAfterRefusal } from "./context-budget.ts";
import { countMessages } from "./message-tokens.ts";

/**
 * The context with fewer turns; undefined where fewer would not help or there are none to leave out.
 *
 * @throws Problem as `ContextBuilder.build` does
 */
export async function shortenContext(
  sources: AnswerSources,
  question: Question,
  context: Context,
  { tooLong, model: refusing }: ModelError,
): Promise<Context | undefined> {
  const { contexts, model } = sources;
  if (tooLong === undefined || context.keptTurns === 0) return undefined;
  const sent = await sizeOf(sources, context);
  // Once is enough but where one count was an estimate and the other was none.
  for (let tokens = budgetAfterRefusal(sent, tooLong); ; tokens = Math.floor(tokens / 2)) {
    const shorter = await contexts.build(question.access, question, { goesOn: model.continuesAnswers, budget: tokens });
    if (shorter.keptTurns >= context.keptTurns) continue;
    const { sessionId } = question;
    sources.budget.learn({ sessionId, model: refusing, sizes: tooLong, tokens: Math.max(tokens, shorter.tokens ?? 0) });
    return shorter;
  }
}

/** The refusal in a sentence for the person who asked, with the sizes as far as they are known. */
export async function tooLongDetail(
  sources: AnswerSources,
  context: Context,
  { tooLong }: ModelError,
): Promise<string> {
  const tokens = tooLong?.promptTokens ?? (await sizeOf(sources, context));
  const window = tooLong?.window;
  const most =
    window === undefined ? "more than the model takes" : `the model takes ${inWords(window)} with its answer`;
  return `The conversation takes about ${inWords(Number(tokens.toPrecision(2)))} tokens, ${most}.`;
}

async function sizeOf({ counter }: AnswerSources, { tokens, messages }: Context): Promise<number> {
  return tokens ?? countMessages(counter, messages, countingMs);
}

function inWords(count: number): string {
  return count.toLocaleString("en-US");
}
