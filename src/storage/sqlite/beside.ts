/** The file for a command that writes a little and goes again, whether or not a server has it at the same time. */
import type { DatabaseSync } from "node:sqlite";
import type { KeyStore } from "../storage.ts";
import { inMemory, openBeside, openWriter } from "./connection.ts";
import { openingFailure } from "./failures.ts";
import { DatabaseInUse, lockDatabaseFile } from "./lock.ts";
import { keyReads, keyWrites } from "./thread/keys.ts";

/** Keys, and the way to let go of the file. */
export type KeysBeside = { readonly keys: KeyStore; close(): void };

/**
 * Opens the file without the server's lock, so that a server can have it or start meanwhile. A write waits for the
 * server's own, up to 5 s; nothing is brought from the write-ahead log into the file while a server is there. A file that
 * is new, or of an older version, is made or migrated under the lock.
 *
 * @throws Error with a sentence for the operator when the file cannot be used
 */
export async function openSqliteKeys(path: string, clock: () => number): Promise<KeysBeside> {
  if (path === inMemory) throw new Error("STORAGE_URL=sqlite::memory: keeps nothing; name a file.");
  const database = await openFile(path);
  const reads = keyReads(database);
  const writes = keyWrites(database);
  return {
    keys: {
      add: async (key) => writes.addKey({ key, now: clock() }),
      find: async (id) => reads.findKey({ id }),
      list: async () => reads.listKeys({}),
      revoke: async (id) => writes.revokeKey({ id, now: clock() }),
    },
    close: () => database.close(),
  };
}

async function openFile(path: string): Promise<DatabaseSync> {
  try {
    return openBeside(path) ?? (await makeOrMigrate(path));
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    throw openingFailure(path, { message, errcode });
  }
}

async function makeOrMigrate(path: string): Promise<DatabaseSync> {
  try {
    const lock = await lockDatabaseFile(path);
    openWriter(path).close();
    lock.release();
  } catch (error) {
    if (!(error instanceof DatabaseInUse)) throw error;
    throw new Error(
      `${path} is in use by a server of an older version; use that version, or restart the server first.`,
    );
  }
  const database = openBeside(path);
  if (database === undefined) throw new Error(`${path} was replaced while it was opened; try again.`);
  return database;
}
