import type { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openWriter } from "../connection.ts";
import { acceptance } from "./acceptance.ts";
import { Checkpoints } from "./checkpoints.ts";
import { gameExpiry, gameRemover } from "./game-deletion.ts";
import { gameReads, gameWrites } from "./games.ts";
import { Journal } from "./journal.ts";
import { readOperations } from "./operations.ts";
import { playerReads, playerWrites } from "./players.ts";
import { RunningTurns } from "./running-turns.ts";
import { searchIndex } from "./search-index.ts";
import { turnWrites } from "./turns.ts";

/** The same database, which tells what is prepared on it. */
function telling(database: DatabaseSync, prepared: string[]): DatabaseSync {
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") {
        return (sql: string) => {
          prepared.push(sql);
          return target.prepare(sql);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("no statement of accepting and settling a turn walks a session or a table, however long that has become", () => {
  const database = openWriter(":memory:");
  const prepared: string[] = [];
  const told = telling(database, prepared);
  const worker = { boot: "b", id: "w" };
  const running = new RunningTurns();
  acceptance(told, worker, running);
  turnWrites(told, worker, running, new Journal(told, running), searchIndex(told));

  const walks = /^(SCAN|SEARCH) (turns|waiting|events|sent|sessions)( USING PRIMARY KEY \(session=\?\))?$/;
  const plans = prepared.map((sql) => {
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
    return { sql, steps: steps.map(({ detail }) => detail) };
  });
  expect(plans.length).toBeGreaterThan(20);
  expect(plans.filter(({ steps }) => steps.some((step) => walks.test(step)))).toEqual([]);
  expect(plans.find(({ sql }) => sql.includes("ORDER BY ahead"))?.steps).toContain(
    "SEARCH turns USING INDEX queued_turns (session=?)",
  );
});

test("the turns that wait are counted by their index alone", () => {
  const database = openWriter(":memory:");
  const prepared: string[] = [];
  readOperations(telling(database, prepared));
  const counting = prepared.filter((sql) => sql.includes("status = 'queued'") && sql.startsWith("SELECT count"));
  expect(counting).toContain("SELECT count(*) AS count FROM turns WHERE status = 'queued'");
  const steps = database
    .prepare(`EXPLAIN QUERY PLAN SELECT count(*) AS count FROM turns WHERE status = 'queued'`)
    .all();
  expect(steps).toMatchObject([{ detail: "SCAN turns USING COVERING INDEX queued_turns" }]);
});

test("no statement of the game walks a table, but for whoever wants everybody's", () => {
  const database = openWriter(":memory:");
  const prepared: string[] = [];
  const told = telling(database, prepared);
  for (const room of [gameReads, gameWrites, playerReads, playerWrites, gameRemover]) room(told);
  gameExpiry(told, new Checkpoints(told));

  const walks = /^SCAN /;
  const wantsAll = /FROM players WHERE key > \?/;
  const walking = prepared.filter((sql) => {
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as { detail: string }[];
    return !wantsAll.test(sql) && !/PRAGMA/.test(sql) && steps.some(({ detail }) => walks.test(detail));
  });
  expect(prepared.length).toBeGreaterThan(25);
  expect(walking).toEqual([]);
});
