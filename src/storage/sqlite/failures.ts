/** SQLite's failures in our words. The numbers are its primary result codes (https://www.sqlite.org/rescode.html). */
import { Problem, type ProblemCode } from "../../protocol/problems.ts";

const known: ReadonlyMap<number, readonly [ProblemCode, string]> = new Map([
  [5, ["storage_unavailable", "The database file is locked by another program."]],
  [8, ["storage_unavailable", "The database file cannot be written."]],
  [10, ["storage_error", "The disk failed while the database was in use."]],
  [11, ["storage_corrupt", "The database file is damaged."]],
  [13, ["storage_full", "The disk is full; nothing was stored."]],
  [14, ["storage_unavailable", "The database file cannot be opened."]],
  [26, ["storage_corrupt", "The database file is damaged."]],
]);

export function problemOfFailure({ message, errcode }: { message: string; errcode: number }): Problem {
  const cause = new Error(`SQLite: ${message} (${errcode})`);
  const [code, detail] = known.get(errcode & 0xff) ?? ["storage_error", "The database refused an operation."];
  return new Problem(code, detail, { cause });
}
