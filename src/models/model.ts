/**
 * CONTRACT: messages and an AbortSignal in; pieces of text out, then exactly one finish.
 *
 * - Text comes through exactly as the model server sent it. Pieces that arrive together come as one.
 * - `finish` is yielded only when the server said that the answer is whole (a `finish_reason` or `[DONE]`); an answer
 *   that merely stops coming is an error (`upstream_truncated`), never a success.
 * - It is pulled: while nobody asks for the next piece, at most 64 KiB are gathered, then the server is made to wait.
 * - When `signal` fires, the connection to the server is closed at once and the iteration ends by throwing
 *   `signal.reason`.
 * - Everything else that goes wrong is a `ModelError`.
 */

import type { Usage } from "../protocol/events.ts";
import type { ProblemCode } from "../protocol/problems.ts";

export type ModelMessage = { readonly role: "system" | "user" | "assistant"; readonly content: string };

export type ModelRequest = {
  /** Oldest first; the last one is the prompt to answer. */
  readonly messages: readonly ModelMessage[];
  /** Who is asking. Models that run elsewhere are not told. */
  readonly username: string;
};

export type ModelEvent =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "finish";
      /** What the server gave as `finish_reason`; `unspecified` when it only said `[DONE]`. */
      readonly finishReason: string;
      /** Null when the server did not count. */
      readonly usage: Usage | null;
      /** The model that answered. */
      readonly model: string;
    };

export interface Model {
  /** The model that the next request asks first. */
  readonly name: string;
  /** Resolves once `name` is certain where the server has to be asked for it; never rejects, and never takes long. */
  ready(): Promise<void>;
  generate(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
  close(): Promise<void>;
}

/** A model could not answer, or not to the end. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ProblemCode;
  /** Our own sentence, for the person who asked. */
  readonly detail: string;
  readonly retryAfterSeconds: number | undefined;
  /** The model that was asked when it happened. */
  readonly model: string;

  constructor(
    code: ProblemCode,
    detail: string,
    options: { readonly model: string; readonly cause?: unknown; readonly retryAfterSeconds?: number },
  ) {
    super(`${code}: ${detail}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.model = options.model;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
