/** A model's answer to a prompt, as a producer of turn events. */
import {
  type Admission,
  type Model,
  ModelError,
  type ModelEvent,
  type ModelMessage,
  type WantedCall,
} from "../models/model.ts";
import type { Observer } from "../observer.ts";
import type { IncompleteReason, ToolUsed } from "../protocol/events.ts";
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
import { roundsFor } from "./tool-offer.ts";
import type { ToolRounds } from "./tool-rounds.ts";
import type { ToolSet } from "./tools.ts";

export type Question = CurrentPrompt & { readonly access: Access; readonly turn: number };

/** What answers are made of. */
export type AnswerSources = {
  readonly turns: TurnStore;
  readonly model: Model;
  readonly contexts: ContextBuilder;
  readonly budget: ContextBudget;
  readonly counter: TokenCounter;
  readonly log: ContextOptions["log"];
  /** Where the model is asked for titles, too. */
  readonly titler?: Titler | undefined;
  /** What can be done for an answer, where anything can. */
  readonly tools?: ToolSet | undefined;
  readonly observer?: Observer | undefined;
};

export type AnswerOptions = ContextOptions & Pick<AnswerSources, "titler" | "tools" | "observer">;

export function answerSources(turns: TurnStore, model: Model, options: AnswerOptions): AnswerSources {
  const { counter, titler, tools, log, observer } = options;
  const contexts = new ContextBuilder(turns, options);
  const budget = new ContextBudget(options.contextTokens, log);
  return { turns, model, contexts, budget, counter, log, titler, tools, observer };
}

/** What there was of a turn before its producer. */
type Left = {
  /** Text that is there already, for a model that goes on from it. */
  readonly published?: string;
  /** What was done for it. */
  readonly done?: readonly ToolUsed[] | undefined;
  /** What the model was asked for before the prompt was stored; without one it is asked when the turn begins. */
  readonly admission?: Admission;
};

export function answerProducer(
  sources: AnswerSources,
  begun: BegunTurn,
  { published = "", done: logged = [], admission }: Left = {},
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
      const asked = questionOf(begun, published);
      // At once, as nearly always no tools are offered, and then nothing is waited for.
      const [rounds, without] = await Promise.all([
        roundsFor(sources, begun, { published, logged }),
        contextOf(sources, asked),
      ]);
      const question = rounds === undefined ? asked : { ...asked, note: rounds.instructions };
      const context = rounds === undefined ? without : await contextOf(sources, question);
      answered = { access: question.access, session: context.session, turn: question.turn };
      const output = answer({ sources, question, signal, cause, admission, spending, rounds }, context);
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
  const { model, text, crashes, tools } = lapsed;
  if (model === null) return undefined;
  const context = await contextOf(sources, questionOf(lapsed, ""));
  // Each of those that died had the messages read anew, and so had what followed each call.
  const readings = Math.max(1, crashes) + tools.length;
  const inputTokens = readings * (await countInput(sources.counter, context));
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
  /** Where tools are offered. */
  readonly rounds: ToolRounds | undefined;
};

/** What the model is asked; another thing after it has refused one. */
type Asked = Pick<Asking, "question" | "rounds"> & {
  readonly context: Context;
  readonly isShortened: boolean;
};

/**
 * Asks the model; once more otherwise where it refuses what it was asked before it says anything, and again after each
 * round of calls that it asks for.
 */
async function* answer(asking: Asking, begun: Context): AsyncGenerator<Produced> {
  const { sources, signal, cause, spending } = asking;
  let { admission } = asking;
  let asked: Asked = { question: asking.question, rounds: asking.rounds, context: begun, isShortened: false };
  const turnStartedAt = performance.now();
  if (asking.rounds !== undefined) yield* asking.rounds.inherited();
  for (;;) {
    const { question, rounds, context } = asked;
    const { answerSoFar, session, trimmedTurns } = context;
    const sent = behind(context, rounds?.messages ?? []);
    const tools = rounds?.offered;
    const request = { messages: sent.messages, answerSoFar, tools, username: session.username, turnStartedAt, cause };
    const late = trimmedTurns === begun.trimmedTurns ? {} : { trimmedTurns };
    let silent = true;
    let answeredBy = sources.model.name;
    let calls: readonly WantedCall[] = [];
    spending.ask(sent);
    // A place is for one request.
    const place = admission;
    admission = undefined;
    try {
      for await (const event of sources.model.generate(request, signal, place)) {
        silent = false;
        if (event.type === "text" || event.type === "reset") {
          spending.hear(event);
          yield rounds === undefined ? event : rounds.told(event);
        } else if (event.type === "tool_calls") {
          calls = event.calls;
        } else {
          const finish = await finished(sources, question, sent, event);
          spending.finish(finish.usage, finish.model);
          answeredBy = finish.model;
          const usage = rounds === undefined ? finish.usage : rounds.count(finish.usage);
          if (rounds === undefined || calls.length === 0) yield { ...finish, ...late, usage };
        }
      }
      if (rounds === undefined || calls.length === 0) return;
      yield* rounds.make(calls, signal);
      if (!rounds.areOver) continue;
      yield* rounds.endPlainly(answeredBy, signal);
      return;
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      spending.fail(error);
      if (silent && rounds?.canEndPlainly(error)) {
        yield* rounds.endPlainly(error.model, signal);
        return;
      }
      const otherwise = silent ? await askedOtherwise(sources, asked, error) : undefined;
      if (otherwise === undefined) {
        yield { type: "failure", problem: await problemOf(sources, context, error), model: error.model, ...late };
        return;
      }
      asked = otherwise;
    }
  }
}

/** What to ask after a refusal; undefined where nothing else would help. @throws Problem as `ContextBuilder.build` does */
async function askedOtherwise(sources: AnswerSources, asked: Asked, refusal: ModelError): Promise<Asked | undefined> {
  const { question, rounds, context, isShortened } = asked;
  if (rounds !== undefined && refusal.refusesTools) {
    // Ordinary talk, then, with a model that takes no tools.
    const plain = { ...question, note: undefined };
    return { ...asked, question: plain, rounds: undefined, context: await contextOf(sources, plain) };
  }
  const shorter = isShortened ? undefined : await shortenContext(sources, question, context, refusal);
  return shorter && { ...asked, context: shorter, isShortened: true };
}

/** The context with what came of calls behind it. */
function behind(context: Context, messages: readonly ModelMessage[]): Context {
  if (messages.length === 0) return context;
  return { ...context, messages: [...context.messages, ...messages], tokens: undefined };
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
