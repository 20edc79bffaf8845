import type { SourceView, TerminalStatus, ToolUsed, TurnEnded, TurnErrored } from "../protocol/events.ts";

/** A turn as stored: its prompt, its text so far and, once it is settled, its end. */
export type Turn = {
  readonly turn: number;
  readonly prompt: string;
  /** The answer's text so far, after the newest `reset`. */
  readonly answer: string;
  /** The position of the log's head. */
  readonly head: number;
  readonly createdAt: number;
  /** The turn whose answer this one goes on with; it has the same prompt. */
  readonly continues: number | null;
  /** The turn whose place, and that of all after it, this one took. */
  readonly replaces: number | null;
  /** The `error` event, where one was logged. */
  readonly error: TurnErrored | null;
  /** The `tool` events, in their order; no `reset` takes them back. */
  readonly tools: readonly ToolUsed[];
  /** What the `sources` events name, each source once. */
  readonly sources: readonly SourceView[];
  /** The model that the turn began with; null until it began. */
  readonly model: string | null;
  /** How many old turns the model did not see; null where it saw all. */
  readonly trimmedTurns: number | null;
} & (
  | { readonly status: "queued" | "running"; readonly end: null; readonly endedAt: null }
  | { readonly status: TerminalStatus; readonly end: TurnEnded; readonly endedAt: number }
);
