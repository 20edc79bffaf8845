/** What ends by itself, and long sessions that end: in pieces, by the service and on a Redis server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keepRetention } from "../src/chat/retention.ts";
import { openSqliteStorage } from "../src/storage/sqlite/open.ts";
import type { Storage } from "../src/storage/storage.ts";
import { idle, useRedis } from "./helpers/redis-storage.ts";
import { startService } from "./helpers/service.ts";
import { beginTurn, capability, openTestSession, silentLog, turnEvents } from "./helpers/storage.ts";

const day = 24 * 60 * 60_000;
const { started, text, ended } = turnEvents;

describe("in a file", () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "chat-retention-"));
    file = path.join(directory, "chat.db");
  });
  afterEach(() => rm(directory, { recursive: true }));

  function onFatal(error: Error): never {
    throw error;
  }

  /** Sessions without turns, put there behind the storage's back: so many at once would take a minute. */
  function fill(count: number, updatedAt: number): void {
    const database = new DatabaseSync(file);
    database.exec("INSERT OR IGNORE INTO principals (principal, created_at) VALUES ('guest:many', 0)");
    database.exec("BEGIN");
    const insert = database.prepare(`
      INSERT INTO sessions (session_id, owner, username, created_at, updated_at) VALUES (?, 'guest:many', 'TR', ?, ?)
    `);
    for (let index = 0; index < count; index += 1) {
      insert.run(`${updatedAt}-${index}`, updatedAt, updatedAt);
    }
    database.exec("COMMIT");
    database.close();
  }

  test("a long session is gone at once for everybody, and its turns go in pieces between which others write", async () => {
    const storage = await openSqliteStorage({ path: file, onFatal });
    const sessionId = await openTestSession(storage);
    const piece = "x".repeat(500_000);
    for (let turn = 1; turn <= 20; turn += 1) {
      const { lease } = await beginTurn(storage, sessionId);
      await storage.turns.settle(lease, -1, [started(lease), text(piece), ended], { beginNext: false });
    }
    const history = await storage.turns.history(capability, sessionId, {});
    const pages = history.pages[Symbol.asyncIterator]();
    await pages.next();
    let opened = 0;
    let isDeleted = false;
    const deletion = storage.sessions.delete({ by: "owner", principal: "guest:test" }, sessionId).then(() => {
      isDeleted = true;
    });
    await openTestSession(storage);
    await expect(storage.sessions.read(capability, sessionId)).rejects.toMatchObject({ code: "session_not_found" });
    expect((await storage.sessions.list("guest:test", { username: "TR", limit: 10 })).sessions).toHaveLength(1);
    await expect(pages.next()).rejects.toMatchObject({ code: "session_deleted" });
    while (!isDeleted) {
      await openTestSession(storage);
      opened += 1;
    }
    await deletion;
    expect(opened).toBeGreaterThan(3);
    await storage.close();
    const database = new DatabaseSync(file);
    for (const table of ["turns", "events"]) {
      expect(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toEqual({ count: 0 });
    }
    database.close();
  });

  test("a deletion that a process died over is finished by the next", async () => {
    const storage = await openSqliteStorage({ path: file, onFatal });
    await storage.close();
    const database = new DatabaseSync(file);
    database.exec(`
      INSERT INTO sessions (session_id, owner, username, pinned, created_at, updated_at)
      VALUES ('deleted 1', '', '', 1, 0, 0);
      INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt)
      VALUES (1, 1, 'stopped', 1, 'w', 'b', 0, 'left');
    `);
    const reopened = await openSqliteStorage({ path: file, onFatal });
    const retention = keepRetention({
      ...reopened,
      log: silentLog,
      pauses: { first: 0, between: day },
    });
    await expect.poll(() => database.prepare("SELECT count(*) AS count FROM turns").get()).toEqual({ count: 0 });
    await retention.close();
    await reopened.close();
    database.close();
  });

  test("the service deletes what is older than RETENTION_GUEST_DAYS soon after its start, and says how many", async () => {
    await (await openSqliteStorage({ path: file, onFatal })).close();
    fill(3, Date.now() - 31 * day);
    fill(2, Date.now() - 29 * day);
    const service = await startService({ STORAGE_URL: `sqlite:${file}`, RETENTION_GUEST_DAYS: "30" });
    await expect.poll(() => service.log.join("\n"), { timeout: 10_000 }).toMatch(/"sessions":3.*idle for too long/);
    await service.end("SIGTERM");
    const database = new DatabaseSync(file);
    expect(database.prepare("SELECT count(*) AS count FROM sessions").get()).toEqual({ count: 2 });
    database.close();
  });
});

describe("on a Redis server", () => {
  const shared = useRedis(idle);
  const retention = { guestMs: 30 * day };
  const expire = (storage: Storage) => storage.sessions.expire(new AbortController().signal);

  async function timesToLive(sessionId: string): Promise<Set<number>> {
    const keys = (await shared.server.command("KEYS", `chat:{${sessionId}}*`)) as string[];
    const times = await Promise.all(keys.map((key) => shared.server.command("PEXPIRETIME", key)));
    return new Set(times.map(Number));
  }

  test("all keys of a session that is idle end at the same moment, and none of one that is at work", async () => {
    const now = Date.now();
    const storage = await shared.open({ retention, clock: () => now });
    const sessionId = await openTestSession(storage);
    await expect.poll(() => timesToLive(sessionId)).toEqual(new Set([now + 30 * day]));
    const once = { key: "k", fingerprint: "f" };
    const accepted = await storage.turns.accept(capability, {
      sessionId,
      ask: { kind: "prompt", prompt: "?" },
      once,
    });
    if (accepted.kind !== "begun") throw new Error(accepted.kind);
    const { lease } = accepted.begun;
    await storage.turns.append(lease, -1, [started(lease)]);
    expect(await timesToLive(sessionId)).toEqual(new Set([-1]));
    await storage.turns.settle(lease, 0, [text("said"), ended], { beginNext: true });
    await expect.poll(() => timesToLive(sessionId)).toEqual(new Set([now + 30 * day]));
    expect(((await shared.server.command("KEYS", `chat:{${sessionId}}*`)) as string[]).length).toBeGreaterThan(5);
  });

  test("a session whose end was lost with its replica is given one by the next walk", async () => {
    const now = Date.now();
    const storage = await shared.open({ clock: () => now });
    const sessionId = await openTestSession(storage);
    expect(await timesToLive(sessionId)).toEqual(new Set([-1]));
    await expire(await shared.open({ retention, clock: () => now }));
    expect(await timesToLive(sessionId)).toEqual(new Set([now + 30 * day]));
  });

  test("what the server has deleted is taken out of lists, and a walk is made by one replica and not again for hours", async () => {
    const storage = await shared.open({ retention });
    const sessionId = await openTestSession(storage);
    await openTestSession(storage);
    await shared.server.command("DEL", `chat:{${sessionId}}`);
    const list = "chat:principal:{guest:test}:sessions:TR";
    expect(await shared.server.command("ZCARD", list)).toBe(2);
    const others = [storage, await shared.open({ retention }), await shared.open({ retention })];
    const found = await Promise.all(others.map(expire));
    expect(found.toSorted()).toEqual([0, 0, 1]);
    expect(await shared.server.command("ZCARD", list)).toBe(1);
    expect(Number(await shared.server.command("PTTL", "chat:retention"))).toBeGreaterThan(5 * 60 * 60_000);
  });
});
