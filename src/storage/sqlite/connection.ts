/** A connection with the settings that the storage contract needs; the only file that says which and why. */

import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { copyBeforeMigration } from "./migration-copy.ts";
import { isCurrent, migrate, refuseForeignFile } from "./schema.ts";

export const inMemory = ":memory:";

/** Before this version a checkpoint could corrupt the file (https://www.sqlite.org/releaselog/3_51_3.html). */
const oldestSafeVersion = [3, 51, 3] as const;

const connectionOptions = {
  allowExtension: false,
  enableDoubleQuotedStringLiterals: false,
  // Milliseconds to wait for a lock; Node's default is none.
  timeout: 5_000,
} as const;

/**
 * The one connection that writes. It starts with `synchronous = FULL`: what is acknowledged survives a power failure.
 * `setDurability` lowers that around batches of deltas.
 */
export function openWriter(path: string): DatabaseSync {
  const database = new DatabaseSync(path, connectionOptions);
  refuseUnsafeVersion(database);
  refuseForeignFile(database);
  database.enableDefensive(true);
  // auto_vacuum only takes effect before the first table. With secure_delete = FAST, deleted text would stay in free pages.
  database.exec(`
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA mmap_size = 0;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
  `);
  const journal = database.prepare("PRAGMA journal_mode").get()?.["journal_mode"];
  if (path !== inMemory && journal !== "wal") {
    throw new Error("The database cannot use write-ahead logging here; put it on a local disk.");
  }
  if (path !== inMemory) copyBeforeMigration(database, path);
  migrate(database);
  return database;
}

/**
 * A connection that writes now and then while a server may have the file. It brings nothing from the write-ahead log into
 * the file, which is the server's to do; only where there is none, closing does. Undefined for a file that is not there or
 * has older tables.
 */
export function openBeside(path: string): DatabaseSync | undefined {
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, connectionOptions);
  try {
    refuseUnsafeVersion(database);
    refuseForeignFile(database);
    if (isCurrent(database)) {
      database.enableDefensive(true);
      database.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
      return database;
    }
  } catch (error) {
    database.close();
    throw error;
  }
  database.close();
  return undefined;
}

/** A connection beside the writer: write-ahead logging lets it read while a commit is under way. */
export function openReader(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { ...connectionOptions, readOnly: true });
  database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;");
  return database;
}

export type Durability = "power-failure" | "process-death";

/**
 * `power-failure` costs one fsync a commit, `process-death` none: after a commit the data is with the kernel, which
 * outlives the process. Must be called outside a transaction.
 */
export function setDurability(database: DatabaseSync, durability: Durability): void {
  database.exec(durability === "power-failure" ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

function refuseUnsafeVersion(database: DatabaseSync): void {
  const version = String(database.prepare("SELECT sqlite_version() AS version").get()?.["version"]);
  const numbers = version.split(".").map(Number);
  for (const [index, wanted] of oldestSafeVersion.entries()) {
    const found = numbers[index] ?? 0;
    if (found > wanted) return;
    if (found < wanted)
      throw new Error(`SQLite ${version} can damage its file; ${oldestSafeVersion.join(".")} is needed.`);
  }
}
