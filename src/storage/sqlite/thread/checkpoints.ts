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

/** As SQLite gives it; -1 for a database without a write-ahead log. */
type State = { readonly busy: number; readonly log: number; readonly checkpointed: number };

export class Checkpoints {
  readonly #database: DatabaseSync;
  readonly #look;
  readonly #bringIn;
  readonly #empty;
  /** On the clock of `performance.now()`. */
  #nextTryAt = 0;

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

  /** Where a reader is in the way, it is left for later: nobody's write waits for it. */
  #emptyLog(): void {
    this.#nextTryAt = performance.now() + pause;
    this.#database.exec("PRAGMA busy_timeout = 0");
    try {
      this.#empty.get();
    } finally {
      this.#database.exec("PRAGMA busy_timeout = 5000");
    }
  }
}
