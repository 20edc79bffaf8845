/** SQLite's failures in our words. The numbers are its result codes, most of them primary ones (https://www.sqlite.org/rescode.html). */
import { Problem, type ProblemCode } from "../../protocol/problems.ts";
import type { Outcome } from "./thread/messages.ts";

/** SQLITE_IOERR_FSYNC: after it the next sync reports a success, although what was to be written is gone. */
export const failedSync = 1034;

const full: readonly [ProblemCode, string] = ["storage_full", "The disk is full; nothing was stored."];

const known: ReadonlyMap<number, readonly [ProblemCode, string]> = new Map([
  [5, ["storage_unavailable", "The database file is locked by another program."]],
  [8, ["storage_unavailable", "The database file cannot be written."]],
  [10, ["storage_error", "The disk failed while the database was in use."]],
  [11, ["storage_corrupt", "The database file is damaged."]],
  [13, full],
  [14, ["storage_unavailable", "The database file cannot be opened."]],
  [26, ["storage_corrupt", "The database file is damaged."]],
  // SQLITE_IOERR_SHMSIZE: the index of a log that grows needs more blocks (each 16 MiB), and there are none.
  [4874, full],
]);

function meaningOf(errcode: number): readonly [ProblemCode, string] | undefined {
  return known.get(errcode) ?? known.get(errcode & 0xff);
}

/** Whether a write met a full disk. */
export function isFull(outcome: Outcome): boolean {
  return outcome.kind === "failed" && meaningOf(outcome.errcode) === full;
}

/** For what is not even tried while the reserve is in use. */
export function refusedAsFull(): Problem {
  return new Problem(...full);
}

export function problemOfFailure({ message, errcode }: { message: string; errcode: number }): Problem {
  const cause = new Error(`SQLite: ${message} (${errcode})`);
  const [code, detail] = meaningOf(errcode) ?? ["storage_error", "The database refused an operation."];
  return new Problem(code, detail, { cause });
}

/** Why the file cannot be used, for the operator: our own sentences as they are, SQLite's in our words. */
export function openingFailure(
  path: string,
  { message, errcode }: { readonly message: string; readonly errcode: number | undefined },
): Error {
  if (errcode === undefined) return new Error(message);
  const cause = new Error(`SQLite: ${message} (${errcode})`);
  if (meaningOf(errcode)?.[0] === "storage_corrupt") return damagedFile(path, cause);
  return new Error(`${path} cannot be opened; check its disk and its owner, or name another file in STORAGE_URL.`, {
    cause,
  });
}

/** For what only reads, and so makes none. */
export function noDatabase(path: string): Error {
  return new Error(`There is no ${path}; start the service once, or name another file in STORAGE_URL.`);
}

export function damagedFile(path: string, cause: unknown): Error {
  return new Error(
    `${path} is damaged or no database; put a backup in its place with \`npm run restore -- FILE\`, or name another file in STORAGE_URL.`,
    { cause },
  );
}
