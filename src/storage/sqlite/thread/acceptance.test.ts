import type { DatabaseSync, StatementSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { threadSessions } from "../../../../test/helpers/thread-sessions.ts";
import type { NewTurn } from "../../storage.ts";
import { openWriter } from "../connection.ts";
import { acceptance } from "./acceptance.ts";
import { RunningTurns } from "./running-turns.ts";

const sessionId = "a".repeat(32);

class Died extends Error {}

/** The same database, in which the statement after so many changes is the last thing that a process does. */
function dyingAfter(database: DatabaseSync, changes: number): DatabaseSync {
  let left = changes;
  const dying = (statement: StatementSync): StatementSync =>
    new Proxy(statement, {
      get(target, name) {
        if (name !== "run") return Reflect.get(target, name).bind(target);
        return (...values: Parameters<StatementSync["run"]>) => {
          if (left === 0) throw new Died();
          left -= 1;
          return target.run(...values);
        };
      },
    });
  return new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => dying(target.prepare(sql));
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("accepting a prompt", () => {
  let database: DatabaseSync;

  beforeEach(() => {
    database = openWriter(":memory:");
    const session = { sessionId, principal: "guest:x", username: "TR", title: null, instructions: null };
    threadSessions(database).openSession({ session, now: 1 });
  });

  function accept(turn: Partial<NewTurn>, changes = Number.POSITIVE_INFINITY): void {
    const { acceptTurn } = acceptance(dyingAfter(database, changes), { boot: "b", id: "w" }, new RunningTurns());
    const once = { key: "k", fingerprint: "f" };
    const asked: NewTurn = { sessionId, ask: { kind: "prompt", prompt: "?" }, once, ...turn };
    acceptTurn({ access: { by: "capability" }, turn: asked, now: 2 });
  }

  /** All that can be known of the session. */
  function state(): unknown {
    const tables = ["sessions", "turns", "sent", "events", "journal"];
    return Object.fromEntries(tables.map((table) => [table, database.prepare(`SELECT * FROM ${table}`).all()]));
  }

  const first: Partial<NewTurn> = {};
  const replacing: Partial<NewTurn> = { ask: { kind: "prompt", prompt: "!", replaces: 1 } };

  test.each([
    ["the first of a session", [], first, 3],
    ["one that interrupts", [first], { once: { key: "2", fingerprint: "f" }, ifBusy: "interrupt" as const }, 4],
    ["one that replaces", [first], { ...replacing, once: { key: "2", fingerprint: "f" }, ifBusy: "queue" as const }, 4],
  ])("E7: a crash at any statement leaves nothing of it: %s", (_, before, turn, changes) => {
    for (const each of before) accept(each);
    const untouched = state();
    let deaths = 0;
    for (let at = 0; ; at += 1) {
      database.exec("BEGIN IMMEDIATE");
      try {
        accept(turn, at);
        break;
      } catch (error) {
        if (!(error instanceof Died)) throw error;
        deaths += 1;
        // What is left of a transaction that was not committed.
        database.exec("ROLLBACK");
        expect(state()).toEqual(untouched);
      }
    }
    database.exec("COMMIT");
    expect(deaths).toBeGreaterThanOrEqual(changes);
    expect(state()).not.toEqual(untouched);
  });
});
