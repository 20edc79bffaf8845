/**
 * One server a database file. The lock is an exclusive transaction on a small file beside it: the kernel frees it when
 * the process dies, however it dies. A file with a process id in it would not do, as in containers every server is
 * process 1.
 */
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeDirectory } from "./make-directory.ts";

export type FileLock = { release(): void };

/** Another process holds the file. */
export class DatabaseInUse extends Error {
  override readonly name = "DatabaseInUse";
}

/** @throws DatabaseInUse when another process holds the file; Error when the directory cannot be written */
export async function lockDatabaseFile(path: string): Promise<FileLock> {
  try {
    await makeDirectory(dirname(path));
  } catch (cause) {
    throw new Error(`The directory of ${path} cannot be made; choose another in STORAGE_URL or mend its owner.`, {
      cause,
    });
  }
  let database: DatabaseSync | undefined;
  try {
    // By its real name, so that a second way to the same file is found out.
    database = new DatabaseSync(`${await realName(path)}.lock`, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    const held = database;
    return { release: () => held.close() };
  } catch (cause) {
    database?.close();
    if (isBusy(cause)) {
      const sentence = `Another server already uses ${path}; stop it, or name another file in STORAGE_URL.`;
      throw new DatabaseInUse(sentence, { cause });
    }
    const sentence = `${path} cannot be opened for writing; check that its directory exists and belongs to this user.`;
    throw new Error(sentence, { cause });
  }
}

/** The path without links, of a file that need not be there yet. */
export async function realName(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    // Not there yet.
    return join(await realpath(dirname(path)), basename(path));
  }
}

/** SQLITE_BUSY of https://www.sqlite.org/rescode.html */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 5;
}
