import type { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openWriter } from "../connection.ts";
import { Checkpoints } from "./checkpoints.ts";
import { sessionRemover } from "./deletion.ts";
import { expiryWrites } from "./expiry.ts";
import { Journal } from "./journal.ts";
import { RunningTurns } from "./running-turns.ts";
import { searchIndex } from "./search-index.ts";

/** The SQL of every statement that is prepared for a piece of work. */
function preparedFor(database: DatabaseSync, prepare: (database: DatabaseSync) => unknown): string[] {
  const texts: string[] = [];
  const spying = new Proxy(database, {
    get(target, name) {
      if (name === "prepare") {
        return (sql: string) => {
          texts.push(sql);
          return target.prepare(sql);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  prepare(spying);
  return texts;
}

test("what is to be deleted is found by its age, and nothing else is looked at, however many sessions there are", () => {
  const database = openWriter(":memory:");
  const running = new RunningTurns();
  const parts = {
    running,
    journal: new Journal(database, running),
    checkpoints: new Checkpoints(database),
    search: searchIndex(database),
  };
  const texts = preparedFor(database, (spied) => expiryWrites(spied, sessionRemover(spied, parts)));
  const steps = texts.map((sql) =>
    (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail),
  );
  expect(steps.flat().filter((step) => step.startsWith("SCAN"))).toEqual([]);
  expect(steps.flat()).toEqual(
    expect.arrayContaining([
      "SEARCH sessions USING INDEX sessions_by_age (<expr>=? AND updated_at<?)",
      "SEARCH principals USING COVERING INDEX idle_guests (idle_since>? AND idle_since<?)",
    ]),
  );
  database.close();
});
