/** CONTRACT of a storage back end, its part about sessions; `storage.ts` has the rest and says what holds for all of it. */
import type { Access } from "./storage.ts";

export type Session = {
  readonly sessionId: string;
  /** The principal that it belongs to; no client is told. */
  readonly owner: string;
  readonly username: string;
  readonly title: string | null;
  readonly titled: Titled;
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

/**
 * How far the title has come. `no`: there is none yet. `words`: it is the beginning of the first prompt. `asked`: so, and a
 * model was asked for a better one. `final`: nobody but the user changes it, who may have taken it away.
 */
export type Titled = "no" | "words" | "asked" | "final";

export type NewSession = {
  readonly sessionId: string;
  readonly principal: string;
  readonly username: string;
  readonly title: string | null;
  readonly instructions: string | null;
};

/** Where a session stands in a list. */
export type SessionPlace = Pick<Session, "sessionId" | "updatedAt">;

export type SessionListing = {
  readonly username: string;
  /** How many at most. */
  readonly limit: number;
  /** Only those behind this place. */
  readonly after?: SessionPlace | undefined;
};

export type SessionPage = {
  readonly sessions: readonly Session[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: SessionPlace | undefined;
};

/** How long sessions are kept after their newest activity, in milliseconds; for ever where nothing is said. */
export type Retention = {
  /** Those of guests. */
  readonly guestMs?: number | undefined;
  readonly otherMs?: number | undefined;
  /** For how many days before the current one it is known what turns cost (`UsageStore.prune`). */
  readonly usageDays?: number | undefined;
};

export type SessionChanges = Partial<Pick<Session, "title" | "instructions" | "pinned">>;

export interface SessionStore {
  /** Stores the session, and its owner if it is new, durably and together. */
  open(session: NewSession): Promise<Session>;
  /**
   * Whether this principal ever opened a session, also when all of them were deleted since. A guest who has owned nothing
   * for the time that guests' sessions are kept is forgotten.
   */
  isKnown(principal: string): Promise<boolean>;
  /** @throws Problem `session_not_found` */
  read(access: Access, sessionId: string): Promise<Session>;
  /**
   * The principal's sessions of that username, newest activity (a turn that began or ended) first. Costs what the page
   * costs, however many there are. One that is active meanwhile may move between two pages, or be on both.
   */
  list(principal: string, listing: SessionListing): Promise<SessionPage>;
  /**
   * Changes what is given and leaves the rest; that is no activity. A title is final then, also one that is taken away.
   *
   * @throws Problem `session_not_found`
   */
  change(access: Access, sessionId: string, changes: SessionChanges): Promise<Session>;
  /**
   * Whether the caller is the one who asks a model for a title: true once for a session, and only while its title is that
   * of the first prompt. Stored durably before it is told, so that no replica and no later process asks again.
   *
   * @throws Problem `session_not_found`
   */
  claimTitle(access: Access, sessionId: string): Promise<boolean>;
  /**
   * Gives the session the title that was asked for, unless the user has named it meanwhile, which counts; that is no
   * activity. Tells whether it has it.
   *
   * @throws Problem `session_not_found`
   */
  giveTitle(access: Access, sessionId: string, title: string): Promise<boolean>;
  /**
   * Deletes the session with its turns and their logs. A running turn loses its lease; its followers are told by a
   * `session_deleted` problem.
   *
   * @throws Problem `session_not_found`
   */
  delete(access: Access, sessionId: string): Promise<void>;
  /**
   * Deletes what has outlived the retention that the storage was opened with, as `delete` does, and forgets guests of whom
   * nothing is left. Sessions that are pinned, and those with turns that run or wait, are kept. Works in small steps, so that
   * nobody waits for it; to be called now and then. What is left when the signal fires, the next call finds.
   *
   * Gives how many sessions it deleted, or found to have been deleted by the server, which may do it by itself.
   */
  expire(signal: AbortSignal): Promise<number>;
}
