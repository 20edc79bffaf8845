/**
 * Brings the write-ahead log into the file, in the writer's thread.
 *
 * Not by SQLite's automatic checkpoints: their failures are heard by nobody. After an fsync of the file has failed the
 * kernel drops what it could not write, and the next one reports a success.
 */
import type { DatabaseSync } from "node:sqlite";
import { failedSync } from "../failures.ts";

/** Pages of the log that are not in the file yet; as SQLite's own default. */
const pagesToBringIn = 1_000;

/** Pages of the log from which on it is emptied, which has to wait for readers: 64 MiB. */
const pagesToEmpty = 16 * 1_024;

/** Milliseconds until the next try, where one failed or a reader may hold the log. */
const pause = 1_000;

/** Milliseconds until what was deleted leaves the log, in which more may come; and until the next try, where a reader is in the way. */
const deletionPause = 500;

/** As SQLite gives it; -1 for a database without a write-ahead log. */
type State = { readonly busy: number; readonly log: number; readonly checkpointed: number };

export class Checkpoints {
  readonly #database: DatabaseSync;
  readonly #look;
  readonly #bringIn;
  readonly #empty;
  /** On the clock of `performance.now()`. */
  #nextTryAt = 0;
  /** Set while the log holds something that was deleted. */
  #emptying: NodeJS.Timeout | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec("PRAGMA wal_autocheckpoint = 0");
    this.#look = database.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#bringIn = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#empty = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /**
   * To be called after each commit, outside a transaction. What keeps a checkpoint from happening, such as a full disk, is
   * no failure of the commit: all of it is in the log, and the next try comes a moment later.
   *
   * @throws as SQLite does, when a sync failed: then nothing may be acknowledged any more
   */
  afterCommit(): void {
    const { log, checkpointed } = this.#look.get() as State;
    if (log - checkpointed < pagesToBringIn && log <= pagesToEmpty) return;
    if (performance.now() < this.#nextTryAt) return;
    try {
      this.#bringIn.get();
      if (log > pagesToEmpty) this.#emptyLog();
    } catch (error) {
      if ((error as { errcode?: number }).errcode === failedSync) throw error;
      this.#nextTryAt = performance.now() + pause;
    }
  }

  /**
   * Something was deleted, and the log still has it as it was: the log is emptied in a moment, also where nothing else is
   * written. A sync that fails then is thrown where nobody catches it, so that the thread dies of it.
   */
  emptySoon(): void {
    this.#emptyIn(deletionPause);
  }

  #emptyIn(milliseconds: number): void {
    this.#emptying ??= setTimeout(() => {
      this.#emptying = undefined;
      this.empty();
    }, milliseconds).unref();
  }

  /**
   * Now, or soon where something is in the way.
   *
   * @throws as SQLite does, when a sync failed
   */
  empty(): void {
    // Closed meanwhile, which brought in everything.
    if (!this.#database.isOpen) return;
    try {
      if (this.#emptyLog().busy !== 0) this.#emptyIn(deletionPause);
    } catch (error) {
      if ((error as { errcode?: number }).errcode === failedSync) throw error;
      this.#emptyIn(pause);
    }
  }

  /** Where a reader is in the way, it is left for later: nobody's write waits for it. */
  #emptyLog(): State {
    this.#database.exec("PRAGMA busy_timeout = 0");
    try {
      const state = this.#empty.get() as State;
      if (state.busy !== 0) this.#nextTryAt = performance.now() + pause;
      return state;
    } finally {
      this.#database.exec("PRAGMA busy_timeout = 5000");
    }
  }
}
