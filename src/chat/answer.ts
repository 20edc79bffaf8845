/** A model's answer to a prompt, as a producer of turn events. */
import { type Admission, type Model, ModelError, type ModelEvent } from "../models/model.ts";
import type { IncompleteReason } from "../protocol/events.ts";
import { Problem } from "../protocol/problems.ts";
import type { Access, BegunTurn, LapsedTurn, Spent, TurnStore } from "../storage/storage.ts";
import { estimateTokens } from "../tokens/estimate.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import type { Produced, Producer } from "../turns/producer.ts";
import { shortenContext, tooLongDetail } from "./answer-refused.ts";
import { countInput, estimateUsage } from "./answer-usage.ts";
import { type Context, ContextBuilder, type ContextOptions, type CurrentPrompt } from "./context.ts";
import { ContextBudget } from "./context-budget.ts";
import { modelProblem } from "./model-problem.ts";
import { Spending } from "./spending.ts";
import type { Answered, Titler } from "./titler.ts";

export type Question = CurrentPrompt & { readonly access: Access; readonly turn: number };

/** What answers are made of. */
export type AnswerSources = {
  readonly turns: TurnStore;
  readonly model: Model;
  readonly contexts: ContextBuilder;
  readonly budget: ContextBudget;
  readonly counter: TokenCounter;
  /** Where the model is asked for titles, too. */
  readonly titler?: Titler | undefined;
};

export function answerSources(
  turns: TurnStore,
  model: Model,
  options: ContextOptions & { readonly titler?: Titler | undefined },
): AnswerSources {
  const contexts = new ContextBuilder(turns, options);
  const budget = new ContextBudget(options.contextTokens, options.log);
  return { turns, model, contexts, budget, counter: options.counter, titler: options.titler };
}

/**
 * @param published text of the turn that is there already, for a model that goes on from it
 * @param admission what the model was asked for before the prompt was stored; without one it is asked when the turn begins
 */
export function answerProducer(
  sources: AnswerSources,
  begun: BegunTurn,
  { published = "", admission }: { readonly published?: string; readonly admission?: Admission } = {},
): Producer {
  const { model, titler } = sources;
  const spending = new Spending(sources.counter);
  let answered: Answered | undefined;
  return {
    get model() {
      return (admission ?? model).name;
    },
    async begin(signal, cause) {
      await model.ready();
      const question = questionOf(begun, published);
      const context = await contextOf(sources, question);
      answered = { access: question.access, session: context.session, turn: question.turn };
      const output = answer({ sources, question, signal, cause, admission, spending }, context);
      return { trimmedTurns: context.trimmedTurns, output };
    },
    spent() {
      return spending.total(this.model);
    },
    settled: ({ status }) => {
      if (status === "completed" && answered !== undefined) titler?.answered(answered);
    },
    release: () => admission?.release(),
  };
}

/** What a process that is gone spent on a turn that it had, as far as its log tells; nothing where it had not begun it. */
export async function spentBefore(sources: AnswerSources, lapsed: LapsedTurn): Promise<Spent | undefined> {
  const { model, text, crashes } = lapsed;
  if (model === null) return undefined;
  const context = await contextOf(sources, questionOf(lapsed, ""));
  // Each of those that died had the messages read anew.
  const inputTokens = Math.max(1, crashes) * (await countInput(sources.counter, context));
  return { model, inputTokens, outputTokens: estimateTokens(text), estimated: true };
}

function contextOf({ contexts, budget, model }: AnswerSources, question: Question): Promise<Context> {
  const limits = { goesOn: model.continuesAnswers, budget: budget.for(question.sessionId, model) };
  return contexts.build(question.access, question, limits);
}

function questionOf({ lease, owner, prompt, continues }: BegunTurn, published: string): Question {
  const { sessionId, turn } = lease;
  return { access: { by: "owner", principal: owner }, sessionId, turn, prompt, continues, published };
}

type Asking = {
  readonly sources: AnswerSources;
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly cause: string | undefined;
  readonly admission: Admission | undefined;
  readonly spending: Spending;
};

/** Asks the model, and once more with less where it refuses the conversation as too long before it says anything. */
async function* answer(
  { sources, question, signal, cause, admission, spending }: Asking,
  begun: Context,
): AsyncGenerator<Produced> {
  let context = begun;
  const turnStartedAt = performance.now();
  for (;;) {
    const { messages, answerSoFar, session, trimmedTurns } = context;
    const request = { messages, answerSoFar, username: session.username, turnStartedAt, cause };
    const late = context === begun ? {} : { trimmedTurns };
    let silent = true;
    spending.ask(context);
    try {
      for await (const event of sources.model.generate(request, signal, context === begun ? admission : undefined)) {
        silent = false;
        if (event.type === "text") spending.take(event.text);
        else if (event.type === "reset") spending.takeBack();
        if (event.type === "tool_calls") continue;
        if (event.type !== "finish") {
          yield event;
          continue;
        }
        const finish = await finished(sources, question, context, event);
        spending.finish(finish.usage, finish.model);
        yield { ...finish, ...late };
      }
      return;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      spending.fail(error);
      const mayAskAgain = silent && context === begun;
      const shorter = mayAskAgain ? await shortenContext(sources, question, context, error) : undefined;
      if (shorter === undefined) {
        yield { type: "failure", problem: await problemOf(sources, context, error), model: error.model, ...late };
        return;
      }
      context = shorter;
    }
  }
}

type Finish = Extract<ModelEvent, { type: "finish" }>;

async function finished(
  sources: AnswerSources,
  question: Question,
  context: Context,
  finish: Finish,
): Promise<Extract<Produced, { type: "finish" }>> {
  const usage = finish.usage ?? (await estimateUsage(sources, question, context));
  return { ...finish, usage, incomplete: incompleteReasons.get(finish.finishReason) };
}

async function problemOf(sources: AnswerSources, context: Context, error: ModelError): Promise<Problem> {
  if (error.code !== "context_too_long") return modelProblem(error);
  return new Problem(error.code, await tooLongDetail(sources, context, error), { cause: error });
}

/**
 * The `finish_reason`s of OpenAI's chat completions that end an answer before it is whole
 * (https://platform.openai.com/docs/api-reference/chat/object).
 */
const incompleteReasons: ReadonlyMap<string, IncompleteReason> = new Map([
  ["length", "max_tokens"],
  ["content_filter", "content_filter"],
]);
