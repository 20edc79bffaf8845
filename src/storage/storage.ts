/**
 * CONTRACT of a storage back end: sessions and turns, and what happens to them when things go wrong. Every back end
 * passes `test/contracts/storage.ts`; no method is a no-op in any of them.
 *
 * Values come back as copies, or are shared and read-only, as events are. Times are milliseconds since 1970 from the clock that the back end was opened with. What
 * a client may be told is thrown as a `Problem`: `storage_unavailable`, `storage_full`, `storage_error` and
 * `storage_corrupt` from every method, others where they are named.
 */
import type { LoggedEvent, ToolUsed, TurnEnded, TurnEvent } from "../protocol/events.ts";
import type { GameStore } from "./game-store.ts";
import type { KeyStore } from "./key-store.ts";
import type { LimitStore } from "./limit-store.ts";
import type { MessageSearch } from "./message-search.ts";
import type { OwnerStore } from "./owner-store.ts";
import type { Session, SessionStore } from "./session-store.ts";
import type { Turn } from "./turn.ts";
import type { TurnLimits } from "./turn-limits.ts";
import type { Spent, UsageStore } from "./usage-store.ts";

export type { KeyStore, NewKey, StoredKey } from "./key-store.ts";
export type { LimitStore, Place, Rate, RateCounter, RateState } from "./limit-store.ts";
export type { OwnedSession, OwnerStore, SessionGroup, Whose } from "./owner-store.ts";
export type {
  NewSession,
  Retention,
  Session,
  SessionChanges,
  SessionListing,
  SessionPage,
  SessionPlace,
  SessionStore,
  Titled,
} from "./session-store.ts";
export type { Turn } from "./turn.ts";
export type { TurnLimits } from "./turn-limits.ts";
export type { Spent, UsageQuery, UsageRow, UsageStore } from "./usage-store.ts";

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
  readonly usage: UsageStore;
  readonly games: GameStore;
  readonly keys: KeyStore;
  readonly limits: LimitStore;
  readonly search: MessageSearch;
  readonly owners: OwnerStore;
  /**
   * Milliseconds since 1970 by the clock of all times that are stored. It is the same for all replicas, and does not jump when
   * that of a machine is set (`steady-clock.ts`).
   */
  clock(): number;
  /** Resolves when a read and a durable write work right now. */
  check(): Promise<void>;
  /** What the storage is and what its word is worth, for whoever operates the service. */
  facts(): StorageFacts;
  /** How long the oldest write that is not committed yet has waited, in milliseconds; 0 when none waits. */
  backlog(): number;
  /** How many turns wait, of all sessions; undefined where that would cost more than whoever only watches may cost. */
  waitingTurns(): Promise<number | undefined>;
  /** Finishes what was accepted and lets go of files and connections. Followers end. Calling it twice is harmless. */
  close(): Promise<void>;
}

export type StorageFacts = {
  readonly kind: "sqlite" | "redis";
  /**
   * When a prompt counts as stored: once it is in memory, on a disk, with the server alone (`async`) or with a replica of
   * it too; `unknown` where a server has not been reached yet or does not tell whether it keeps anything.
   */
  readonly durability: "memory" | "disk" | "async" | "replica" | "unknown";
};

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

/** A turn that runs from now on, and what its worker needs to know. */
export type BegunTurn = Pick<Turn, "prompt" | "continues" | "replaces"> & {
  readonly lease: Lease;
  /** The principal whose session it is. */
  readonly owner: string;
  readonly username: string;
  /** Another turn took its place while it waited, so that nobody wants its answer. */
  readonly isReplaced: boolean;
};

/** A turn whose worker is gone, and what whoever took it over needs to go on. */
export type LapsedTurn = BegunTurn & {
  /** The model that its `turn` event names; null when the worker died before logging one. */
  readonly model: string | null;
  /** Its text so far. */
  readonly text: string;
  /** The tools that ran for it: they must not run again. */
  readonly tools: readonly ToolUsed[];
  /** Somebody asked it to stop, and its worker did not live to do so. */
  readonly stopRequested: boolean;
  /** How many workers died while they had it; those that gave it back do not count. */
  readonly crashes: number;
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

/** What a new turn is to do where the session is answering, or has turns that wait. */
export type IfBusy =
  /** It is refused. */
  | "reject"
  /** It waits until those before it have ended. */
  | "queue"
  /** The running turn is told to stop, and this one goes ahead of those that wait, behind others that interrupted. */
  | "interrupt";

/** How many turns of a session may wait. */
export const mostQueued = 10;

/** What has a request that is sent twice find the turn that the first one made. */
export type SendOnce = {
  /** The client's, unique in its session and for what is asked. */
  readonly key: string;
  /** Stands for the body: with another one, the key was used for something else. */
  readonly fingerprint: string;
};

/** How long a key is known, in milliseconds. */
export const sendOnceMs = 24 * 60 * 60_000;

export type NewTurn = {
  readonly sessionId: string;
  readonly ask:
    | {
        readonly kind: "prompt";
        readonly prompt: string;
        /** A turn in history: it and all after it leave history and memory, and keep their logs. */
        readonly replaces?: number | undefined;
      }
    /** The last prompt once more, in the place of its turn. */
    | { readonly kind: "regenerate" }
    /** Goes on where the last answer ended before it was whole. */
    | { readonly kind: "continue" };
  /** By default `reject`. */
  readonly ifBusy?: IfBusy | undefined;
  /** Only if this is the newest turn; 0 for none. */
  readonly ifTurn?: number | undefined;
  readonly once?: SendOnce | undefined;
  /** Becomes the session's title where this is its first turn and nobody has named it. */
  readonly title?: string | undefined;
  /** Held against what the session's owner has running and has spent. */
  readonly limits?: TurnLimits | undefined;
};

/** What became of a new turn. */
export type Acceptance =
  | { readonly kind: "begun"; readonly turn: number; readonly begun: BegunTurn }
  | { readonly kind: "queued"; readonly turn: number }
  /** The same request came before, and this is its turn: nothing was stored. */
  | { readonly kind: "known"; readonly turn: number };

/** How a turn that has not begun ends. */
export type UnbegunEnd = readonly [...TurnEvent[], TurnEnded];

export type Settling = {
  /** False leaves the session's queue to the next claim, as for a worker that goes down. */
  readonly beginNext: boolean;
  /** What the turn cost: counted once, together with its end. Undefined where no model was asked. */
  readonly spent?: Spent | undefined;
};

export type HistoryWindow = {
  /** Only the newest so many turns; one that continues another counts as a part of it. */
  readonly limit?: number;
  /** Only turns before this number. */
  readonly before?: number;
};

export type History = {
  readonly session: Session;
  /** Whether there are turns older than the window. */
  readonly hasMore: boolean;
  /**
   * Those that no other took the place of, oldest first, in pages of at most 100 turns, ended early at about 1 MiB of text and read one at a time as they are
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
   * The one acceptance point: the prompt, the turn, its lease and the client's key are stored durably and together, or
   * nothing is. Before it every failure is a plain error and safe to resend; after it every failure is a stored state and
   * an event. A request that came before is found by its key, whatever else has happened since.
   *
   * @throws Problem `session_not_found`, `idempotency_key_reused`, `stale_turn` (naming the newest turn),
   *   `turn_in_progress` (naming the running turn), `queue_full`, `turn_not_found` (nothing to regenerate),
   *   `not_continuable`, `budget_exhausted`, `too_many_turns` (only where the turn would begin, not where it waits)
   */
  accept(access: Access, turn: NewTurn): Promise<Acceptance>;
  /**
   * The turn that an earlier request with this key made, if there was one.
   *
   * @throws Problem `session_not_found`, `idempotency_key_reused`
   */
  findSent(access: Access, turn: Pick<NewTurn, "sessionId" | "ask"> & { once: SendOnce }): Promise<number | undefined>;
  /**
   * Logs events; they are committed when this resolves, and only then does any follower see them. `position` is the
   * head that the caller knows. Gives the new head.
   *
   * @throws LeaseLost, PositionRefused
   */
  append(lease: Lease, position: number, events: readonly TurnEvent[]): Promise<number>;
  /**
   * Logs the last events and the terminal status durably and together, merges the turn's text events, gives the lease
   * back, and begins the session's next turn if one waits (while the disk is full, the next claim does). Happens once: whoever comes second gets `LeaseLost`.
   *
   * @throws LeaseLost, PositionRefused
   */
  settle(
    lease: Lease,
    position: number,
    events: readonly [...TurnEvent[], TurnEnded],
    settling: Settling,
  ): Promise<BegunTurn | undefined>;
  /** Counts what a turn cost whose session was deleted while it ran, once. */
  chargeDeleted(begun: BegunTurn, spent: Spent): Promise<void>;
  /**
   * Gives the lease of an unfinished turn back, for the next `claim` of whoever is there. Its followers wait.
   *
   * @throws LeaseLost
   */
  release(lease: Lease): Promise<void>;
  /**
   * Takes over every running turn whose worker is gone, each with a new epoch, and begins the next turn of every session
   * in which turns wait and none runs.
   */
  claim(): Promise<{ readonly lapsed: readonly LapsedTurn[]; readonly begun: readonly BegunTurn[] }>;
  /**
   * Asks a turn to stop, from any replica. The intent of stopping a running turn is stored; one that waits ends at once,
   * with these events as its log; on a settled turn nothing happens.
   *
   * @throws Problem `session_not_found`, `turn_not_found`
   */
  requestStop(access: Access, sessionId: string, turn: number, unbegun: UnbegunEnd): Promise<void>;
  /** @throws Problem `session_not_found`, `turn_not_found` */
  read(access: Access, sessionId: string, turn: number): Promise<Turn>;
  /** @throws Problem `session_not_found`, `turn_not_found` */
  follow(access: Access, sessionId: string, turn: number, after: number, signal: AbortSignal): Promise<Following>;
  /** @throws Problem `session_not_found` */
  history(access: Access, sessionId: string, window: HistoryWindow): Promise<History>;
  /**
   * Reads back from the newest turn as far as `maxLength` UTF-16 units of prompts and answers reach, however long the
   * session and however many of its prompts got no answer.
   *
   * @throws Problem `session_not_found`
   */
  remember(access: Access, sessionId: string, limits: { maxLength: number }): Promise<Memory>;
}
