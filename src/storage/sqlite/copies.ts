/** Copies of a database file: made while a server writes it, and put back in its place. */
import { chmod, lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { inMemory, openReader } from "./connection.ts";
import { noDatabase, openingFailure } from "./failures.ts";
import { lockDatabaseFile, realName } from "./lock.ts";
import { refuseForeignFile } from "./schema.ts";

/** All pages in one step: where others write, a copy in several begins again with each of their commits. */
const allPages = 2 ** 31 - 1;

/**
 * Makes a copy of the database as it is at one moment, whether or not a server writes it meanwhile. The copy is one file,
 * for this user alone, synced and checked before it has its name.
 *
 * @throws Error with a sentence for the operator
 */
export async function backUpDatabase(path: string, target: string): Promise<void> {
  if (path === inMemory) throw new Error("STORAGE_URL=sqlite::memory: keeps nothing of which a backup could be made.");
  if (!(await exists(path))) throw noDatabase(path);
  if (await exists(target)) throw new Error(`${target} is there already, and a backup overwrites nothing.`);
  const partial = `${target}.partial`;
  try {
    await copyDatabase(path, partial);
    checkCopy(partial, path, "quick_check");
    await sync(partial);
    await rename(partial, target);
    await sync(dirname(target));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

export type Restored = {
  /** Where the file is now that was in the place before; undefined where there was none. */
  readonly replaced: string | undefined;
};

/**
 * Puts a copy in the place of the database, which is moved aside, whatever state it is in.
 *
 * @param time names what is moved aside; milliseconds since 1970
 * @throws Error with a sentence for the operator; then everything is as it was
 */
export async function restoreDatabase(copy: string, path: string, time: number): Promise<Restored> {
  if (path === inMemory)
    throw new Error("STORAGE_URL=sqlite::memory: has no file that a backup could take the place of.");
  if (!(await exists(copy))) throw new Error(`There is no ${copy}.`);
  const lock = await lockDatabaseFile(path);
  try {
    const place = await realName(path);
    if ((await realName(copy)) === place) throw new Error(`${copy} is the database itself.`);
    const restoring = `${place}.restoring`;
    try {
      await rm(restoring, { force: true });
      await copyDatabase(copy, restoring);
      checkCopy(restoring, copy, "integrity_check");
      breakWithFollowers(restoring);
      await sync(restoring);
    } catch (error) {
      await rm(restoring, { force: true });
      throw error;
    }
    const replaced = await nextFreeName(`${place}.replaced`, time);
    const isReplaced = await exists(place);
    // The log first would leave a file without its last commits, where the process dies in between.
    for (const part of ["", "-wal", "-shm"]) {
      if (await exists(place + part)) await rename(place + part, replaced + part);
    }
    await rename(restoring, place);
    await sync(dirname(place));
    return { replaced: isReplaced ? replaced : undefined };
  } finally {
    lock.release();
  }
}

/** A time as a part of a file's name, to the second, so that names are in the order of time. */
export function stamp(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** One for each second. */
async function nextFreeName(prefix: string, time: number): Promise<string> {
  const name = `${prefix}-${stamp(time)}`;
  return (await exists(name)) ? nextFreeName(prefix, time + 1_000) : name;
}

async function copyDatabase(path: string, target: string): Promise<void> {
  let source: DatabaseSync | undefined;
  try {
    source = openReader(path);
    refuseForeignFile(source);
    // Made first, so that at no moment others can read it.
    await (await open(target, "wx", 0o600)).close();
    await backup(source, target, { rate: allPages });
    await chmod(target, 0o600);
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    throw openingFailure(path, { message, errcode });
  } finally {
    source?.close();
  }
}

const checks = { quick_check: "PRAGMA quick_check(1)", integrity_check: "PRAGMA integrity_check(1)" } as const;

/** @param origin of what it is a copy, for whoever reads that it is damaged */
function checkCopy(copy: string, origin: string, check: keyof typeof checks): void {
  const database = new DatabaseSync(copy);
  try {
    // One file, without a log beside it.
    database.exec("PRAGMA journal_mode = DELETE");
    const found = database.prepare(checks[check]).get()?.[check];
    if (found !== "ok") throw new Error(`${origin} is damaged: ${String(found)}.`);
    refuseForeignFile(database);
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    throw openingFailure(origin, { message, errcode });
  } finally {
    database.close();
  }
}

/**
 * Followers of answers that were running may have seen more than the copy has: whoever takes these over says so, as after
 * a power failure.
 */
function breakWithFollowers(copy: string): void {
  const database = new DatabaseSync(copy);
  database.exec("UPDATE turns SET boot = 'restored' WHERE status = 'running'");
  database.close();
}

async function sync(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
