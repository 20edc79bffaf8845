import type { Storage } from "../storage.ts";
import { inMemory } from "./connection.ts";
import { Database } from "./database.ts";
import { LiveTurns } from "./live-turns.ts";
import { lockDatabaseFile } from "./lock.ts";
import { sessionStore } from "./sessions.ts";
import { turnStore } from "./turns.ts";

export type SqliteOptions = {
  /** A file, made if it is missing, or `:memory:`. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  /**
   * Called when nothing more may be acknowledged: an fsync failed (the next one would falsely report success) or a
   * database thread died. The process must end; what was acknowledged is safe.
   */
  readonly onFatal: (error: Error) => void;
};

/**
 * Opens the embedded storage.
 *
 * @throws Error with a sentence for the operator when the file is in use, cannot be written, or is not ours
 */
export async function openSqliteStorage({ path, clock = Date.now, onFatal }: SqliteOptions): Promise<Storage> {
  const lock = path === inMemory ? undefined : await lockDatabaseFile(path);
  let database: Database;
  try {
    database = await Database.open(path, onFatal);
  } catch (error) {
    lock?.release();
    throw error;
  }
  const liveTurns = new LiveTurns();
  let closing: Promise<void> | undefined;
  return {
    sessions: sessionStore(database, liveTurns, clock),
    turns: turnStore(database, liveTurns, clock),
    async check() {
      await Promise.all([database.read("ping", {}), database.write("checkWrite", {})]);
    },
    backlog: () => database.backlog,
    close() {
      closing ??= database.close().then(() => {
        liveTurns.closed();
        lock?.release();
      });
      return closing;
    },
  };
}
