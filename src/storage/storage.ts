/**
 * CONTRACT of a storage back end: sessions and turns, and what happens to them when things go wrong. Every back end
 * passes `test/contracts/storage.ts`; no method is a no-op in any of them.
 *
 * Values come back as copies, or are shared and read-only, as events are. Times are milliseconds since 1970 from the clock that the back end was opened with. What
 * a client may be told is thrown as a `Problem`: `storage_unavailable`, `storage_full`, `storage_error` and
 * `storage_corrupt` from every method, others where they are named.
 */
import type { LoggedEvent, TerminalStatus, TurnEnded, TurnErrored, TurnEvent } from "../protocol/events.ts";

/**
 * By which right somebody reads or writes: as the owner, or by the capability that holding the unguessable id of a
 * guest's session is. A required argument everywhere: there is no get-by-id without it. What is not yours is
 * `session_not_found`, the same as what never existed.
 */
export type Access = { readonly by: "owner"; readonly principal: string } | { readonly by: "capability" };

/** Principals with this prefix are guests: the ids of their sessions are capabilities. */
export const guestPrincipalPrefix = "guest:";

export interface Storage {
  readonly sessions: SessionStore;
  readonly turns: TurnStore;
  /** Resolves when a read and a durable write work right now. */
  check(): Promise<void>;
  /** How long the oldest write that is not committed yet has waited, in milliseconds; 0 when none waits. */
  backlog(): number;
  /** Finishes what was accepted and lets go of files and connections. Followers end. Calling it twice is harmless. */
  close(): Promise<void>;
}

export type Session = {
  readonly sessionId: string;
  readonly username: string;
  readonly title: string | null;
  readonly instructions: string | null;
  readonly pinned: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The number of the newest turn, 0 for none. */
  readonly turns: number;
  readonly queued: number;
  /** The number of the running turn. */
  readonly running: number | null;
};

export type NewSession = {
  readonly sessionId: string;
  readonly principal: string;
  readonly username: string;
  readonly title: string | null;
  readonly instructions: string | null;
};

export interface SessionStore {
  /** Stores the session, and its owner if it is new, durably and together. */
  open(session: NewSession): Promise<Session>;
  /** Whether this principal ever opened a session, also when all of them were deleted since. */
  isKnown(principal: string): Promise<boolean>;
  /** @throws Problem `session_not_found` */
  read(access: Access, sessionId: string): Promise<Session>;
  /**
   * Deletes the session with its turns and their logs. A running turn loses its lease; its followers are told by a
   * `session_deleted` problem.
   *
   * @throws Problem `session_not_found`
   */
  delete(access: Access, sessionId: string): Promise<void>;
}

/** A turn as stored: its prompt, its text so far and, once it is settled, its end. */
export type Turn = {
  readonly turn: number;
  readonly prompt: string;
  /** The answer's text so far, after the newest `reset`. */
  readonly answer: string;
  /** The position of the log's head. */
  readonly head: number;
  readonly createdAt: number;
  /** The `error` event, where one was logged. */
  readonly error: TurnErrored | null;
  /** The model that the turn began with; null until it began. */
  readonly model: string | null;
} & (
  | { readonly status: "queued" | "running"; readonly end: null; readonly endedAt: null }
  | { readonly status: TerminalStatus; readonly end: TurnEnded; readonly endedAt: number }
);

/**
 * The right to write one turn's log. `epoch` rises with every claim, so that a worker that lost the turn without
 * noticing cannot write.
 */
export type Lease = {
  readonly sessionId: string;
  readonly turn: number;
  readonly epoch: number;
  /** Where the log stood when the lease was taken. */
  readonly head: number;
  /** Fires with a `TurnStopRequested` or a `LeaseLost` as its reason. */
  readonly signal: AbortSignal;
};

/** A turn whose worker is gone, and what whoever took it over needs to go on. */
export type LapsedTurn = {
  readonly lease: Lease;
  /** The model that its `turn` event names; null when the worker died before logging one. */
  readonly model: string | null;
  /** Its text so far. */
  readonly text: string;
  /** Somebody asked it to stop, and its worker did not live to do so. */
  readonly stopRequested: boolean;
  /**
   * The log may have lost events at its end that followers have seen, as after a power failure. Whoever goes on must
   * log a `reset` for `takeoverReason` first, whose position cannot have been used before.
   */
  readonly tailMayBeLost: boolean;
};

/** Somebody asked the turn to stop; its worker settles it as `stopped`. */
export class TurnStopRequested extends Error {
  override readonly name = "TurnStopRequested";
}

/** The turn belongs to another worker now, is settled, or was deleted: whoever sees this drops it. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/** `append` or `settle` named another position than the stored head; a live worker resends from `head`. */
export class PositionRefused extends Error {
  override readonly name = "PositionRefused";
  readonly head: number;

  constructor(head: number) {
    super(`The log's head is at ${head}`);
    this.head = head;
  }
}

export type NewTurn = { readonly sessionId: string; readonly prompt: string };

export type HistoryWindow = {
  /** Only the newest so many turns. */
  readonly limit?: number;
  /** Only turns before this number. */
  readonly before?: number;
};

export type History = {
  readonly session: Session;
  /** Whether there are turns older than the window. */
  readonly hasMore: boolean;
  /**
   * Oldest first, in pages of at most 100 turns, ended early at about 1 MiB of text and read one at a time as they are
   * asked for. Turns that begin after the first page was asked for are not among them.
   *
   * @throws Problem `session_deleted` when the session is deleted meanwhile
   */
  readonly pages: AsyncIterable<readonly Turn[]>;
};

/** What a session remembers for the model. */
export type Memory = {
  readonly session: Session;
  /** The newest settled turns that have an answer, newest first. */
  readonly turns: readonly Turn[];
  /** How many turns with an answer are older than these. */
  readonly older: number;
};

/** Takes the events of one step. Gives false when no more are wanted, and a promise when it needs time. */
export type TakeEvents = (events: readonly LoggedEvent[]) => boolean | Promise<boolean>;

export interface EventFeed extends AsyncIterable<readonly LoggedEvent[]> {
  /**
   * Hands over each step as soon as it is there: what an iteration would give, without a promise for each token. Resolves
   * when the iteration would end, or nothing more is wanted; rejects as it would, and with what `take` throws.
   */
  deliver(take: TakeEvents): Promise<void>;
}

/** A reader's place in a turn's log. */
export type Following = {
  readonly turn: number;
  /** True when the turn is settled and the reader already has all of it. */
  readonly finished: boolean;
  /**
   * Every event after the reader's position, once and in order, across the hand-over from stored to live; each step
   * gives the events that are there, at least one, and the iteration ends after the `end` event or when the signal
   * fires. A text event may be a piece of a stored one, never larger than 32 Ki code units.
   *
   * A position beyond the log, or one that no event ends at, gives a `reset` at the head with the whole text so far.
   *
   * @throws Problem `session_deleted` when the session is deleted meanwhile
   */
  readonly events: EventFeed;
};

export interface TurnStore {
  /**
   * The one acceptance point: the prompt, the turn and its lease are stored durably and together, or nothing is. Before
   * it every failure is a plain error and safe to resend; after it every failure is a stored state and an event.
   *
   * @throws Problem `session_not_found`, `turn_in_progress` (naming the running turn)
   */
  accept(access: Access, turn: NewTurn): Promise<Lease>;
  /**
   * Logs events; they are committed when this resolves, and only then does any follower see them. `position` is the
   * head that the caller knows. Gives the new head.
   *
   * @throws LeaseLost, PositionRefused
   */
  append(lease: Lease, position: number, events: readonly TurnEvent[]): Promise<number>;
  /**
   * Logs the last events and the terminal status durably and together, merges the turn's text events, and gives the
   * lease back. Happens once: whoever comes second gets `LeaseLost`.
   *
   * @throws LeaseLost, PositionRefused
   */
  settle(lease: Lease, position: number, events: readonly [...TurnEvent[], TurnEnded]): Promise<void>;
  /** Takes over every running turn whose worker is gone, each with a new epoch. */
  claimLapsed(): Promise<readonly LapsedTurn[]>;
  /**
   * Asks a turn to stop, from any replica. The intent is stored; on a settled turn nothing happens.
   *
   * @throws Problem `session_not_found`, `turn_not_found`
   */
  requestStop(access: Access, sessionId: string, turn: number): Promise<void>;
  /** @throws Problem `session_not_found`, `turn_not_found` */
  read(access: Access, sessionId: string, turn: number): Promise<Turn>;
  /** @throws Problem `session_not_found`, `turn_not_found` */
  follow(access: Access, sessionId: string, turn: number, after: number, signal: AbortSignal): Promise<Following>;
  /** @throws Problem `session_not_found` */
  history(access: Access, sessionId: string, window: HistoryWindow): Promise<History>;
  /**
   * Reads back from a turn as far as `maxLength` UTF-16 units of prompts and answers reach, however long the session
   * and however many of its prompts got no answer.
   *
   * @throws Problem `session_not_found`
   */
  remember(access: Access, sessionId: string, limits: { before: number; maxLength: number }): Promise<Memory>;
}
