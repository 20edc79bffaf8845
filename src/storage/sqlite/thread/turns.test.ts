/** The fences around a turn's rows: what a worker that lost its turn, or a transaction that fails, cannot do. */
import type { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { threadSessions } from "../../../../test/helpers/thread-sessions.ts";
import type { LoggedEvent, TurnEnded } from "../../../protocol/events.ts";
import { LeaseLost, PositionRefused } from "../../storage.ts";
import { openWriter } from "../connection.ts";
import { acceptance } from "./acceptance.ts";
import { eventLog } from "./events.ts";
import { Journal, journalEntry } from "./journal.ts";
import { type Begun, type LeaseKey, RunningTurns } from "./running-turns.ts";
import { searchIndex } from "./search-index.ts";
import { turnWrites } from "./turns.ts";

const capability = { by: "capability" } as const;
const sessionId = "a".repeat(32);
const text = (position: number, content: string): LoggedEvent => ({ position, event: { type: "text", text: content } });
const end: LoggedEvent = {
  position: 2,
  event: { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" },
};

/** What one opening of the storage knows. */
function openWorker(database: DatabaseSync, worker: { boot: string; id: string }) {
  const running = new RunningTurns();
  const journal = new Journal(database, running);
  const { acceptTurn } = acceptance(database, worker, running);
  return {
    running,
    journal,
    accept(id: string): Begun {
      const turn = { sessionId: id, ask: { kind: "prompt", prompt: "?" } } as const;
      const accepted = acceptTurn({ access: capability, turn, now: 1 });
      if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
      return accepted;
    },
    queue(id: string): void {
      const turn = { sessionId: id, ask: { kind: "prompt", prompt: "?" }, ifBusy: "queue" } as const;
      acceptTurn({ access: capability, turn, now: 1 });
    },
    turns: turnWrites(database, worker, running, journal, searchIndex(database)),
    sessions: threadSessions(database, running, journal),
    append(lease: LeaseKey, position: number, event: LoggedEvent): void {
      running.advance(lease, position, event.position, journal.nextRow);
      journal.write([journalEntry(lease, [event])]);
      running.commit();
    },
  };
}

describe("a turn's rows", () => {
  let database: DatabaseSync;
  let first: ReturnType<typeof openWorker>;
  let accepted: Begun;

  beforeEach(() => {
    database = openWriter(":memory:");
    first = openWorker(database, { boot: "this", id: "first" });
    first.turns.claimTurns({});
    first.journal.commit();
    const session = { sessionId, principal: "guest:x", username: "TR", title: null, instructions: null };
    first.sessions.openSession({ session, now: 1 });
    accepted = first.accept(sessionId);
    first.running.commit();
  });

  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.["rows"]);
  const claim = (boot: string) => openWorker(database, { boot, id: "second" }).turns.claimTurns({}).lapsed;

  test("P7: after a claim by another worker the old epoch cannot settle", () => {
    expect(claim("this")).toMatchObject([{ epoch: accepted.epoch + 1, tailMayBeLost: false }]);
    const settling = { lease: accepted, position: -1, whole: [end], beginNext: true, now: 2 };
    expect(() => first.turns.settleTurn(settling)).toThrow(LeaseLost);
    expect(count("events")).toBe(0);
  });

  test("P7: an old epoch, another turn and any position but the head are refused before anything is written", () => {
    const stale = { ...accepted, epoch: accepted.epoch - 1 };
    expect(() => first.append(stale, -1, text(1, "ab"))).toThrow(LeaseLost);
    expect(() => first.append({ ...accepted, turn: 2 }, -1, text(1, "ab"))).toThrow(LeaseLost);
    expect(() => first.append(accepted, 0, text(2, "ab"))).toThrow(PositionRefused);
    expect(count("journal")).toBe(0);
  });

  test("a claim from another run of the kernel says that the log may have lost its tail", () => {
    expect(claim("another")).toMatchObject([{ tailMayBeLost: true }]);
  });

  test("E12: a stored stop is told to whoever takes the turn over", () => {
    first.turns.requestStop({ access: capability, sessionId, turn: 1, unbegun: [end.event as TurnEnded], now: 2 });
    expect(claim("this")).toMatchObject([{ stopRequested: true }]);
  });

  test("P7: a turn that was given back is nobody's, and only who has it can give it back", () => {
    expect(() => first.turns.releaseTurn({ lease: { ...accepted, epoch: 0 } })).toThrow(LeaseLost);
    first.turns.releaseTurn({ lease: accepted });
    expect(() => first.append(accepted, -1, text(1, "ab"))).toThrow(LeaseLost);
    expect(() => first.turns.releaseTurn({ lease: accepted })).toThrow(LeaseLost);
  });

  test("a turn that waited belongs to whoever began it", () => {
    first.queue(sessionId);
    const settling = { lease: accepted, position: -1, whole: [end], beginNext: true, now: 2 };
    expect(first.turns.settleTurn(settling)).toMatchObject({ turn: 2, epoch: 1 });
    expect(first.turns.claimTurns({}).lapsed).toEqual([]);
    expect(claim("this")).toMatchObject([{ turn: 2, epoch: 2, tailMayBeLost: false }]);
  });

  test("deleting a session leaves no row of it behind", () => {
    first.append(accepted, -1, text(1, "ab"));
    first.sessions.deleteSession({ access: capability, sessionId, now: 1 });
    expect(["sessions", "turns", "events", "journal"].map(count)).toEqual([0, 0, 0, 0]);
  });

  test("a second running turn of a session cannot even be written", () => {
    const insert = `INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt)
      VALUES (1, 2, 'running', 1, 'w', 'b', 1, '?')`;
    expect(() => database.exec(insert)).toThrow(/UNIQUE/);
  });
});

describe("the journal", () => {
  let database: DatabaseSync;
  let first: ReturnType<typeof openWorker>;
  let leases: Begun[];

  beforeEach(() => {
    database = openWriter(":memory:");
    first = openWorker(database, { boot: "this", id: "first" });
    first.turns.claimTurns({});
    first.journal.commit();
    leases = ["a", "b"].map((letter) => {
      const id = letter.repeat(32);
      const session = { sessionId: id, principal: "guest:x", username: "TR", title: null, instructions: null };
      first.sessions.openSession({ session, now: 1 });
      return first.accept(id);
    });
    first.running.commit();
  });

  const rows = () => Number(database.prepare("SELECT count(*) AS rows FROM journal").get()?.["rows"]);
  const [a, b] = [0, 1].map((index) => () => leases[index] as Begun) as [() => Begun, () => Begun];

  function settle(lease: Begun, position: number, content: string): void {
    const whole = [text(position, content), { ...end, position: position + 1 }];
    first.turns.settleTurn({ lease, position, whole, beginNext: true, now: 2 });
    first.running.commit();
  }

  test("what a dead process left there is found by the next, merged and in order, and nothing is left behind", () => {
    first.append(a(), -1, text(1, "ab"));
    first.append(b(), -1, text(0, "x"));
    first.append(a(), 1, text(3, "cd"));
    settle(b(), 0, "x");
    const second = openWorker(database, { boot: "this", id: "second" });
    expect(second.turns.claimTurns({}).lapsed).toMatchObject([{ turn: 1, log: [text(3, "abcd")] }]);
    expect(rows()).toBe(0);
    second.running.commit();
    expect(() => second.append({ ...a(), epoch: 2 }, 1, text(5, "ef"))).toThrow(PositionRefused);
    second.append({ ...a(), epoch: 2 }, 3, text(5, "ef"));
  });

  test("is empty again when no turn runs any more", () => {
    first.append(a(), -1, text(1, "ab"));
    first.append(b(), -1, text(0, "x"));
    settle(a(), 1, "ab");
    expect(rows()).toBe(2);
    settle(b(), 0, "x");
    expect(rows()).toBe(0);
  });

  test("keeps nothing that no running turn needs for longer than a megabyte", () => {
    const large = "x".repeat(600_000);
    first.append(a(), -1, text(599_999, large));
    first.append(b(), -1, text(599_999, large));
    settle(a(), 599_999, large);
    expect(rows()).toBe(1);
  });

  test("does not grow without end for the sake of a turn that runs on and on: that turn's log moves to its own rows", () => {
    first.append(b(), -1, text(0, "x"));
    let lease: Begun = a();
    const large = "x".repeat(1_100_000);
    for (let turn = 1; turn <= 12; turn += 1) {
      first.append(lease, -1, text(1_099_999, large));
      settle(lease, 1_099_999, large);
      lease = first.accept(sessionId);
      first.running.commit();
    }
    expect(rows()).toBeLessThan(10);
    expect(eventLog(database).whole(b())).toEqual([text(0, "x")]);
    first.append(b(), 0, text(2, "yz"));
    expect(openWorker(database, { boot: "this", id: "second" }).turns.claimTurns({}).lapsed).toMatchObject([
      { turn: 13 },
      { log: [text(0, "x"), text(2, "yz")] },
    ]);
  });

  test("nothing of a dead process is removed before it was taken over", () => {
    first.append(a(), -1, text(1, "ab"));
    const second = openWorker(database, { boot: "this", id: "second" });
    const id = "c".repeat(32);
    const session = { sessionId: id, principal: "guest:x", username: "TR", title: null, instructions: null };
    second.sessions.openSession({ session, now: 1 });
    const other = second.accept(id);
    second.append(other, -1, text(0, "y"));
    const whole = [text(0, "y"), { ...end, position: 1 }];
    second.turns.settleTurn({ lease: other, position: 0, whole, beginNext: true, now: 2 });
    expect(second.turns.claimTurns({}).lapsed).toMatchObject([{ log: [text(1, "ab")] }, {}]);
  });
});

describe("the memory of running turns", () => {
  test("needs nothing of the journal that was brought into the tables since", () => {
    const running = new RunningTurns();
    const lease = { key: 1, turn: 1, epoch: 1 };
    running.add(lease, -1, { owner: "guest:a", username: "TR" });
    running.advance(lease, -1, 4, 3);
    running.advance(lease, 4, 6, 4);
    expect(running.oldestRow()).toBe(3);
    running.leaveJournal();
    expect(running.oldestRow()).toBe(Number.POSITIVE_INFINITY);
    running.advance(lease, 6, 8, 7);
    expect(running.oldestRow()).toBe(7);
  });

  test("takes back what a transaction changed that failed, and no more", () => {
    const running = new RunningTurns();
    const lease = { key: 1, turn: 1, epoch: 1 };
    running.add(lease, -1, { owner: "guest:a", username: "TR" });
    running.commit();
    running.advance(lease, -1, 4, 1);
    const savepoint = running.savepoint();
    running.remove(1);
    running.rollBack(savepoint);
    running.check(lease, 4);
    running.advance(lease, 4, 6, 1);
    running.rollBack();
    running.check(lease, -1);
    running.commit();
    running.rollBack();
    running.check(lease, -1);
  });
});
