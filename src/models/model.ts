/**
 * CONTRACT: messages and an AbortSignal in; pieces of text out, then exactly one finish.
 *
 * - Text comes through exactly as the model server sent it. Pieces that arrive together come as one.
 * - `finish` is yielded only when the server said that the answer is whole (a `finish_reason` or `[DONE]`); an answer
 *   that merely stops coming is an error (`upstream_truncated`), never a success.
 * - Where a `reset` comes, what was said before it is no part of the answer: another model begins anew.
 * - Where the request holds an `answerSoFar`, that text is the answer's beginning and is never yielded again: what comes
 *   is only what follows it. A `reset` then takes back that text, too.
 * - Where the request offers tools, the model may ask for calls: `tool_calls` comes once, before the finish, after any text.
 *   Whoever asked makes them and asks again, with the calls and their results as messages. Where the server does not take
 *   tools, the request fails with `refusesTools`, before anything was said.
 * - It is pulled: while nobody asks for the next piece, at most 64 KiB are gathered, then the server is made to wait.
 * - When `signal` fires, the connection to the server is closed at once and the iteration ends by throwing
 *   `signal.reason`.
 * - Everything else that goes wrong is a `ModelError`.
 */

import type { Usage } from "../protocol/events.ts";
import type { ProblemCode } from "../protocol/problems.ts";
import type { OfferedTools, ToolCall, WantedCall } from "./tools.ts";

export type { ModelTool, OfferedTools, PlainRules, ToolCall, WantedCall } from "./tools.ts";

export type ModelMessage =
  | { readonly role: "system" | "user"; readonly content: string }
  /** The calls that it asked for follow its text; the result of each is a message behind this one. */
  | { readonly role: "assistant"; readonly content: string; readonly calls?: readonly ToolCall[] }
  | { readonly role: "tool"; readonly content: string; readonly callId: string };

export type ModelRequest = {
  /** Oldest first; the last one is the prompt to answer, or the result of a call that was made for the answer. */
  readonly messages: readonly ModelMessage[];
  /** Who is asking. Models that run elsewhere are not told. */
  readonly username: string;
  /**
   * The beginning of the answer, which was given already and cannot change any more: the model goes on exactly from
   * there. Absent or empty, it begins a new answer. Only for a model that `continuesAnswers`; it may fail as
   * `upstream_rejected` where the server refuses to, and says nothing more where the answer was whole.
   */
  readonly answerSoFar?: string;
  /** What the model may have done; never together with an `answerSoFar`. */
  readonly tools?: OfferedTools | undefined;
  /**
   * When a model was first asked in this turn, on the clock of `performance.now()`: the time limit of the whole turn counts
   * from then. By default, from when the answer is first pulled.
   */
  readonly turnStartedAt?: number;
  /** How often it may be asked again at most, where the server failed before it said anything; by default as set. */
  readonly retries?: number;
  /** The place of the turn in its trace (tracer.ts). */
  readonly cause?: string | undefined;
};

export type ModelEvent =
  | { readonly type: "text"; readonly text: string }
  /** Forget the text so far: another model answers, and it may finish before it says anything. */
  | { readonly type: "reset" }
  /** The answer goes on once these are done; a finish follows all the same. */
  | { readonly type: "tool_calls"; readonly calls: readonly WantedCall[] }
  | {
      readonly type: "finish";
      /** What the server gave as `finish_reason`; `unspecified` when it only said `[DONE]`. */
      readonly finishReason: string;
      /** Null when the server did not count. */
      readonly usage: Usage | null;
      /** The model that answered. */
      readonly model: string;
    };

/** A place for one answer, given before the prompt is stored. While a server recovers, there is only one at a time. */
export interface Admission {
  /** The model that is asked first with it; certain once `ready` has resolved. */
  readonly name: string;
  /** Gives the place back; does nothing once an answer has taken it, and nothing the second time. */
  release(): void;
}

/**
 * How likely the next request is to be asked: `configured` nothing speaks against it, `degraded` it may be (a first try
 * after a failure, or a fallback alone), `open` none is asked at the moment.
 */
export type ModelCondition = "configured" | "degraded" | "open";

export interface Model {
  /** The model that the next request asks first. */
  readonly name: string;
  readonly condition: ModelCondition;
  /** How many tokens, prompt and answer together, the model that `name` names takes; undefined where nobody says. */
  readonly contextWindow: number | undefined;
  /** Whether it goes on from an `answerSoFar`. Where this is false, a request must not hold one. */
  readonly continuesAnswers: boolean;
  /** Resolves once `name` is certain where the server has to be asked for it; never rejects, and never takes long. */
  ready(): Promise<void>;
  /**
   * Asks whether an answer can be asked for now, so that a prompt is not stored in vain. Whoever is admitted either hands
   * the admission to `generate` and pulls the answer, or releases it.
   *
   * @throws ModelError `upstream_unavailable`, with the time after which asking again can help
   */
  admit(): Admission;
  /** @param admission what `admit` of this model gave; without one the answer may fail as `upstream_unavailable`. */
  generate(request: ModelRequest, signal: AbortSignal, admission?: Admission): AsyncIterable<ModelEvent>;
  close(): Promise<void>;
}

/** What a server says about sizes when it refuses messages that are too long for it, in its own model's tokens. */
export type StatedSizes = {
  /** What prompt and answer may take together. */
  readonly window: number | undefined;
  /** What it counted in the messages. */
  readonly promptTokens: number | undefined;
};

/** A model could not answer, or not to the end. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ProblemCode;
  /** Our own sentence, for the person who asked. */
  readonly detail: string;
  readonly retryAfterSeconds: number | undefined;
  /** The model that was asked when it happened. */
  readonly model: string;
  /** Present when the server refused the messages as too long before it said anything: fewer of them may pass. */
  readonly tooLong: StatedSizes | undefined;
  /** The server does not take the tools that were offered: without them it may answer. */
  readonly refusesTools: boolean;

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      readonly model: string;
      readonly cause?: unknown;
      readonly retryAfterSeconds?: number;
      readonly tooLong?: StatedSizes | undefined;
      readonly refusesTools?: boolean;
    },
  ) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.model = options.model;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.tooLong = options.tooLong;
    this.refusesTools = options.refusesTools ?? false;
  }
}
