import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { engineOf } from "../../../test/helpers/producers.ts";
import { beginTurn, capability, openTestSession, unbegunStop } from "../../../test/helpers/storage.ts";
import { Problem } from "../../protocol/problems.ts";
import { LiveTurns } from "../live/live-turns.ts";
import { LocalLimits } from "../local-limits.ts";
import { type LapsedTurn, LeaseLost, type Storage } from "../storage.ts";
import { Database } from "./database.ts";
import { gameStore } from "./games.ts";
import { keyStore } from "./key-store.ts";
import { openSqliteStorage } from "./open.ts";
import { ownerStore } from "./owners.ts";
import { sessionStore } from "./sessions.ts";
import type { LeaseKey } from "./thread/running-turns.ts";
import { turnStore } from "./turns.ts";
import { usageStore } from "./usage.ts";

function onFatal(error: Error): never {
  throw error;
}

describe("a database file", () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "chat-sqlite-"));
    file = path.join(directory, "chat.db");
  });

  afterEach(() => rm(directory, { recursive: true }));

  test("F7: is used by one storage at a time, whatever name leads to it, and free after a close", async () => {
    const storage = await openSqliteStorage({ path: file, onFatal });
    await symlink(directory, path.join(directory, "other-way"));
    await symlink(file, path.join(directory, "link.db"));
    for (const name of ["chat.db", "other-way/chat.db", "link.db"]) {
      const second = openSqliteStorage({ path: path.join(directory, name), onFatal });
      await expect(second).rejects.toThrow(/^Another server already uses /);
    }
    await storage.close();
    await (await openSqliteStorage({ path: file, onFatal })).close();
  });

  test("holds everything by itself after a close", async () => {
    const storage = await openSqliteStorage({ path: file, onFatal });
    await openTestSession(storage);
    await storage.close();
    // Where opening took long, there is a reserve already.
    const others = (await readdir(directory)).filter((name) => name !== "chat.db.reserve").sort();
    expect(others).toEqual(["chat.db", "chat.db.lock"]);
  });

  test("F2: when a power failure took the end of a log, its followers are given what is left by a reset", async () => {
    const storage = await openSqliteStorage({ path: file, onFatal });
    const sessionId = await openTestSession(storage);
    const { lease } = await beginTurn(storage, sessionId);
    let head = await storage.turns.append(lease, -1, [{ type: "turn", session_id: sessionId, turn: 1, model: "m" }]);
    for (const text of ["kept, ", "lost"]) head = await storage.turns.append(lease, head, [{ type: "text", text }]);
    await storage.close();
    const database = new DatabaseSync(file);
    const { changes } = database.prepare("DELETE FROM journal WHERE instr(entries, 'lost')").run();
    expect(changes).toBe(1);
    database.exec("UPDATE turns SET boot = 'before the power failure'");
    database.close();

    const restarted = await openSqliteStorage({ path: file, onFatal });
    expect(await engineOf(restarted.turns, { policy: "interrupt" }).recover()).toEqual({ ended: 1, resumed: 0 });
    for (const after of [head, 6, 3]) {
      const following = await restarted.turns.follow(capability, sessionId, 1, after, AbortSignal.timeout(5_000));
      const events = (await Array.fromAsync(following.events)).flat().map(({ event }) => event);
      const reset = events.findIndex(({ type }) => type === "reset");
      expect(events.slice(reset)).toMatchObject([
        { type: "reset", text: "kept, ", reason: "takeover" },
        { type: "error", code: "turn_interrupted" },
        { type: "end", status: "interrupted" },
      ]);
    }
    expect((await restarted.turns.read(capability, sessionId, 1)).answer).toBe("kept, ");
    await restarted.close();
  });

  test("F6: nothing of a dead process is lost where it cannot be taken over at first", async () => {
    const storage = await openSqliteStorage({ path: file, onFatal });
    const sessionId = await openTestSession(storage);
    const { lease } = await beginTurn(storage, sessionId);
    const started = { type: "turn", session_id: sessionId, turn: 1, model: "m" } as const;
    await storage.turns.append(lease, -1, [started, { type: "text", text: "said" }]);
    await storage.close();
    const database = new DatabaseSync(file);
    database.exec("CREATE TRIGGER failing BEFORE UPDATE OF crashes ON turns BEGIN SELECT RAISE(ABORT, 'No.'); END");

    const restarted = await openSqliteStorage({ path: file, onFatal });
    await expect(restarted.turns.claim()).rejects.toThrow();
    // The end of any turn is when the journal is looked through for what nobody needs.
    const other = await beginTurn(restarted, await openTestSession(restarted));
    const end = { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" } as const;
    await restarted.turns.settle(other.lease, -1, [end], { beginNext: true });
    database.exec("DROP TRIGGER failing");
    database.close();
    expect((await restarted.turns.claim()).lapsed).toMatchObject([{ text: "said", lease: { head: 4 } }]);
    await restarted.close();
  });
});

describe("what memory holds of turns", () => {
  test("is let go of when nobody runs or follows them any more, however they were left", async () => {
    const database = await Database.open(":memory:", onFatal);
    const liveTurns = new LiveTurns<LeaseKey>();
    const turns = turnStore(database, liveTurns, Date.now);
    const sessions = sessionStore({ database, liveTurns, clock: Date.now, retention: {} });
    const storage: Storage = {
      turns,
      usage: usageStore(database, Date.now, {}),
      limits: new LocalLimits(),
      clock: Date.now,
      search: { find: async () => ({ messages: [], next: undefined }) },
      sessions,
      owners: ownerStore(database, Date.now),
      games: gameStore(database, Date.now, {}),
      keys: keyStore(database, Date.now),
      facts: () => ({ kind: "sqlite", durability: "memory" }),
      backlog: () => 0,
      waitingTurns: async () => 0,
      check: async () => undefined,
      close: () => database.close(),
    };
    const sessionId = await openTestSession(storage);
    const { lease } = await beginTurn(storage, sessionId);
    const head = await turns.append(lease, -1, [{ type: "turn", session_id: sessionId, turn: 1, model: "m" }]);
    const leaving = new AbortController();
    const follow = (signal = leaving.signal) => turns.follow(capability, sessionId, 1, -1, signal);

    await follow();
    await follow(AbortSignal.abort());
    const waiting = (await follow()).events[Symbol.asyncIterator]();
    await waiting.next();
    const unanswered = waiting.next();
    const returned = (await follow()).events[Symbol.asyncIterator]();
    await returned.next();
    await returned.return?.();
    for await (const _ of (await follow()).events) break;
    expect(liveTurns.acquire(sessionId, 1).followers.size).toBe(2);
    liveTurns.release(sessionId, 1);
    leaving.abort();
    expect(await unanswered).toEqual({ done: true, value: undefined });
    expect(liveTurns.size).toBe(1);
    const end = { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" } as const;
    await turns.settle(lease, head, [end], { beginNext: true });
    expect(liveTurns.size).toBe(0);
    await expect(turns.follow(capability, sessionId, 9, -1, leaving.signal)).rejects.toThrow();
    for await (const _ of (await turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(5_000))).events);
    expect(liveTurns.size).toBe(0);

    const running = await beginTurn(storage, sessionId);
    const ask = { kind: "prompt", prompt: "?" } as const;
    await turns.accept(capability, { sessionId, ask, ifBusy: "queue" });
    const reading = Array.fromAsync(
      (await turns.follow(capability, sessionId, 3, -1, AbortSignal.timeout(5_000))).events,
    );
    await turns.requestStop(capability, sessionId, 3, unbegunStop(sessionId, 3));
    await reading;
    expect(liveTurns.size).toBe(1);
    await turns.release(running.lease);
    expect(liveTurns.size).toBe(0);
    const [taken] = (await turns.claim()).lapsed;
    expect(liveTurns.size).toBe(1);
    const write = () => Promise.reject(new Problem("storage_full", "Full."));
    const full = turnStore(Object.assign(Object.create(database), { write }), liveTurns, Date.now);
    await expect(full.release((taken as LapsedTurn).lease)).rejects.toMatchObject({ code: "storage_full" });
    expect(liveTurns.size).toBe(0);
    const lost = await beginTurn(storage, await openTestSession(storage));
    const append = () => Promise.reject(new LeaseLost());
    const elsewhere = turnStore(Object.assign(Object.create(database), { append }), liveTurns, Date.now);
    await expect(elsewhere.append(lost.lease, -1, [end])).rejects.toBeInstanceOf(LeaseLost);
    expect(lost.lease.signal.reason).toBeInstanceOf(LeaseLost);
    expect(liveTurns.size).toBe(0);
    const deleted = await openTestSession(storage);
    await beginTurn(storage, deleted);
    await sessions.delete({ by: "owner", principal: "guest:test" }, deleted);
    expect(liveTurns.size).toBe(0);
    await database.close();
  });
});
