/**
 * Brings the write-ahead log into the file, in the writer's thread.
 *
 * Not by SQLite's automatic checkpoints: their failures are heard by nobody. After an fsync of the file has failed the
 * kernel drops what it could not write, and the next one reports a success.
 */
import type { DatabaseSync } from "node:sqlite";

/** Pages of the log that are not in the file yet; as SQLite's own default. */
const pagesToBringIn = 1_000;

/** Pages of the log from which on it is emptied, which has to wait for readers: 64 MiB. */
const pagesToEmpty = 16 * 1_024;

/** Milliseconds between two tries to empty a log that a reader holds. */
const pause = 1_000;

/** As SQLite gives it; -1 for a database without a write-ahead log. */
type State = { readonly busy: number; readonly log: number; readonly checkpointed: number };

export class Checkpoints {
  readonly #database: DatabaseSync;
  readonly #look;
  readonly #bringIn;
  readonly #empty;
  #triedAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec("PRAGMA wal_autocheckpoint = 0");
    this.#look = database.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#bringIn = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#empty = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /**
   * To be called after each commit, outside a transaction.
   *
   * @throws as SQLite does, when the disk fails: then nothing may be acknowledged any more
   */
  afterCommit(): void {
    const { log, checkpointed } = this.#look.get() as State;
    if (log > pagesToEmpty && performance.now() - this.#triedAt > pause) this.#emptyLog();
    else if (log - checkpointed >= pagesToBringIn) this.#bringIn.get();
  }

  /** Where a reader is in the way, it is left for later: nobody's write waits for it. */
  #emptyLog(): void {
    this.#triedAt = performance.now();
    this.#bringIn.get();
    this.#database.exec("PRAGMA busy_timeout = 0");
    try {
      this.#empty.get();
    } finally {
      this.#database.exec("PRAGMA busy_timeout = 5000");
    }
  }
}
