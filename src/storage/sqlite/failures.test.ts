import { describe, expect, test } from "vitest";
import { isFull, problemOfFailure } from "./failures.ts";

describe("F3: what SQLite says on a full disk", () => {
  // https://www.sqlite.org/rescode.html
  test.each([
    ["SQLITE_FULL", 13, "storage_full"],
    ["SQLITE_IOERR_SHMSIZE, where only the index of the log had to grow", 4874, "storage_full"],
    ["the negative control, SQLITE_IOERR_WRITE", 778, "storage_error"],
    ["the negative control, SQLITE_IOERR_FSYNC", 1034, "storage_error"],
  ])("%s", (_, errcode, code) => {
    expect(problemOfFailure({ message: "As SQLite words it", errcode }).code).toBe(code);
    expect(isFull({ kind: "failed", message: "As SQLite words it", errcode })).toBe(code === "storage_full");
  });
});
