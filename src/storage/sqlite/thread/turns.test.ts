/** The fences that hold even against a worker of this process that should know better: they are in the SQL. */
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../../protocol/events.ts";
import { LeaseLost } from "../../storage.ts";
import { openWriter } from "../connection.ts";
import { sessionWrites } from "./sessions.ts";
import { type Accepted, turnWrites } from "./turns.ts";

const capability = { by: "capability" } as const;
const text: LoggedEvent = { position: 1, event: { type: "text", text: "ab" } };
const end: LoggedEvent = {
  position: 2,
  event: { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" },
};

describe("a turn's rows", () => {
  let database: DatabaseSync;
  let writes: ReturnType<typeof turnWrites>;
  let accepted: Accepted;
  const sessionId = "a".repeat(32);

  beforeEach(() => {
    database = openWriter(":memory:");
    writes = turnWrites(database, { boot: "this", id: "first" });
    const session = { sessionId, principal: "guest:x", username: "TR", title: null, instructions: null };
    sessionWrites(database).openSession({ session, now: 1 });
    accepted = writes.acceptTurn({ access: capability, turn: { sessionId, prompt: "?" }, now: 1 });
  });

  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.["rows"]);

  test("P7: after a claim by another worker the old epoch can neither append nor settle", () => {
    const second = turnWrites(database, { boot: "this", id: "second" });
    expect(second.claimLapsed({})).toMatchObject([{ epoch: accepted.epoch + 1, tailMayBeLost: false }]);
    expect(() => writes.appendEvents({ lease: accepted, position: -1, added: [text] })).toThrow(LeaseLost);
    expect(() => writes.settleTurn({ lease: accepted, position: -1, added: [end], now: 2 })).toThrow(LeaseLost);
    expect(count("events")).toBe(0);
    const lease = { ...accepted, epoch: accepted.epoch + 1 };
    expect(second.appendEvents({ lease, position: -1, added: [text] })).toEqual({ stopRequested: false });
  });

  test("a claim from another run of the kernel says that the log may have lost its tail", () => {
    const later = turnWrites(database, { boot: "another", id: "second" });
    expect(later.claimLapsed({})).toMatchObject([{ tailMayBeLost: true }]);
  });

  test("E12: a stored stop is told with the next append, and to whoever takes the turn over", () => {
    writes.requestStop({ access: capability, sessionId, turn: 1 });
    expect(writes.appendEvents({ lease: accepted, position: -1, added: [text] })).toEqual({ stopRequested: true });
    expect(turnWrites(database, { boot: "this", id: "second" }).claimLapsed({})).toMatchObject([
      { stopRequested: true },
    ]);
  });

  test("deleting a session leaves no row of it behind", () => {
    writes.appendEvents({ lease: accepted, position: -1, added: [text] });
    sessionWrites(database).deleteSession({ access: capability, sessionId });
    expect([count("sessions"), count("turns"), count("events")]).toEqual([0, 0, 0]);
  });

  test("a second running turn of a session cannot even be written", () => {
    const insert = `INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt)
      VALUES (1, 2, 'running', 1, 'w', 'b', 1, '?')`;
    expect(() => database.exec(insert)).toThrow(/UNIQUE/);
  });
});
