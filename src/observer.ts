/**
 * CONTRACT: what the rooms tell whoever counts what happens, beside the log.
 *
 * - It is called on the way of requests and answers: a call returns at once and never throws.
 * - It is never told a text, an id or a name: what tells things apart has few values, or is the name of a model.
 * - It is not called for a piece of an answer: those of a turn are told together at its end, those of a commit at its.
 */
import type { IncompleteReason, TerminalStatus, Usage } from "./protocol/events.ts";
import type { ProblemCode } from "./protocol/problems.ts";

export interface Observer {
  /** An answer has left, or its client has. */
  requestEnded(request: EndedRequest): void;
  /** A stream was ended before its turn was: its reader was too slow (`behind`, `stalled`), or it grew old (`aged`). */
  streamCut(reason: "behind" | "stalled" | "aged"): void;
  /** A prompt was accepted, or found to have been accepted before. */
  sent(outcome: "begun" | "queued" | "replayed"): void;
  /** This process works on a turn: somebody asked for it, it had waited, or another process had left it. */
  turnBegan(how: "asked" | "waited" | "recovered"): void;
  turnEnded(end: EndedTurn): void;
  /** A turn is no longer this process's, and goes on elsewhere: given back, or taken by another. */
  turnLeft(how: "released" | "lost"): void;
  /** One call of a model server is over. */
  attemptEnded(attempt: EndedAttempt): void;
  /** An answer is asked for again because of that. */
  retried(code: ProblemCode): void;
  /** A tool was called for an answer. */
  toolCalled(call: EndedToolCall): void;
  /** Writes that were committed together, or failed together. */
  committed(writes: number, milliseconds: number): void;
  /** By how much the event loop came late in the last second, at the 99th percentile. */
  loopDelayed(milliseconds: number): void;
}

export type EndedRequest = {
  readonly method: string;
  /** The pattern of the path, not the path; undefined where there is no such route. */
  readonly route: string | undefined;
  readonly status: number;
  readonly code: ProblemCode | undefined;
  readonly milliseconds: number;
};

export type EndedTurn = {
  readonly status: TerminalStatus;
  /** Why it is not whole, or what failed. */
  readonly reason: IncompleteReason | ProblemCode | undefined;
  /** The model that answered. */
  readonly model: string;
  readonly usage: Usage | null;
  /** From the turn's begin to its first text, committed; undefined where none came. */
  readonly firstTextMs: number | undefined;
  readonly milliseconds: number;
  /** How many pieces of text its log was given. */
  readonly pieces: number;
  /** How long they were together, in UTF-16 code units. */
  readonly length: number;
};

export type EndedAttempt = {
  readonly model: string;
  /** What became of it: an answer, a failure, or nobody wanted it any more. */
  readonly outcome: "answered" | "abandoned" | ProblemCode;
};

export type EndedToolCall = {
  /** One of those that there are, or `unknown` for what a model made up. */
  readonly tool: string;
  /** Given up is one that the turn's end came before. */
  readonly outcome: "done" | "abandoned" | ProblemCode;
};
