/** Every row of the project's lists of faults and promises has a test that is named after it, or a reason in the decisions why it has none. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const repository = path.join(import.meta.dirname, "..");

/** The rows by group: requests, streams, model server, doing things once, SQLite, Redis, process. */
const rows = [
  ...numbered("A", 26).filter((row) => row !== "A10" && row !== "A11"),
  ...numbered("C", 24),
  ...numbered("D", 44),
  ...numbered("E", 18).filter((row) => row !== "E16"),
  ...numbered("F", 15),
  ...numbered("G", 20),
  ...numbered("H", 15),
  // Of identity and the supply chain: what the server alone can do about browsers.
  ...["B7", "B18", "B19", "B20", "K5", "K7"],
  // Of identity: who is calling, and what they may do.
  ...numbered("B", 13),
  ...["B15", "B16", "B27", "B28"],
  // Of limits.
  ...["B14", "B21", "B22", "B23", "B24", "B25", "B26"],
  // The page.
  ...numbered("I", 14),
  // The game: what is fetched for it, what is made of that, who may know what, and what an answer is.
  ...numbered("J", 14),
  // What is promised.
  ...numbered("P", 21),
];

function numbered(group: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `${group}${index + 1}`);
}

function textsOf(directory: string, isWanted: (name: string) => boolean): string[] {
  return readdirSync(path.join(repository, directory), { recursive: true, encoding: "utf8" })
    .filter(isWanted)
    .map((name) => readFileSync(path.join(repository, directory, name), "utf8"));
}

/** The ids in the titles of tests: at the beginning of a string, before a colon or alone, several with commas. */
const titles = ["src", "client", "web/src", "test"]
  .flatMap((directory) => textsOf(directory, (name) => name.endsWith(".ts")))
  .flatMap((text) =>
    [...text.matchAll(/["`]((?:[A-Z]\d{1,2}(?:, )?)+)[:"`]/g)].flatMap(([, ids = ""]) => ids.split(", ")),
  );

const excused = readFileSync(path.join(repository, "docs/decisions/016-faults-without-a-test.md"), "utf8");

describe("the list of faults", () => {
  test.each(rows)("%s has a test, or a reason why it has none", (row) => {
    const hasReason = new RegExp(`^\\| ${row} \\|`, "m").test(excused);
    expect(titles.includes(row) || hasReason).toBe(true);
    expect(titles.includes(row) && hasReason).toBe(false);
  });
});
