/** What only this back end's index has to keep, beside the storage contract. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { beginTurn, openTestSession, turnEvents } from "../../../test/helpers/storage.ts";
import type { Storage } from "../storage.ts";
import { openReader } from "./connection.ts";
import { openSqliteStorage } from "./open.ts";
import { searchReads } from "./thread/search.ts";

const owner = { by: "owner", principal: "guest:test" } as const;

describe("the index of messages", () => {
  let directory: string;
  let path: string;
  let storage: Storage;

  const open = async () => {
    storage = await openSqliteStorage({
      path,
      onFatal: (error) => {
        throw error;
      },
    });
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "chat-search-"));
    path = join(directory, "chat.db");
    await open();
  });

  afterEach(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });

  async function say(sessionId: string, prompt: string, answer = "Yes."): Promise<void> {
    const { lease } = await beginTurn(storage, sessionId, prompt);
    const events = [turnEvents.started(lease), turnEvents.text(answer), turnEvents.ended] as const;
    await storage.turns.settle(lease, -1, events, { beginNext: true });
  }

  async function found(text: string): Promise<[string, number][]> {
    const { messages } = await storage.search.find("guest:test", { text, limit: 200 });
    return messages.map(({ sessionId, turn }) => [sessionId, turn]);
  }

  /** Between two openings, as another program would. */
  async function meanwhile<Result>(act: (database: DatabaseSync) => Result): Promise<Result> {
    await storage.close();
    const database = new DatabaseSync(path);
    try {
      return act(database);
    } finally {
      database.close();
      await open();
    }
  }

  const indexBytes = (database: DatabaseSync) =>
    Buffer.concat(
      (database.prepare("SELECT block FROM search_data").all() as { block: Uint8Array }[]).map((row) => row.block),
    );

  test("F15: keeps no word of a session that was deleted", async () => {
    const [deleted, kept] = [await openTestSession(storage), await openTestSession(storage)];
    // So much that it is deleted in several pieces.
    for (let turn = 0; turn < 10; turn += 1) await say(deleted, "alphacanary", "betacanary");
    await say(kept, "otherwords");
    const before = await meanwhile(indexBytes);
    for (const word of ["alphacanary", "betacanary", "otherwords"]) expect(before.includes(word), word).toBe(true);
    await storage.sessions.delete(owner, deleted);
    const after = await meanwhile(indexBytes);
    expect(after.includes("canary")).toBe(false);
    expect(after.includes("otherwords")).toBe(true);
    // So it is that setting which does it.
    await meanwhile((database) => database.exec("INSERT INTO search (search, rank) VALUES ('secure-delete', 0)"));
    await say(kept, "alphacanary", "zzz");
    await storage.sessions.delete(owner, kept);
    expect((await meanwhile(indexBytes)).includes("alphacanary")).toBe(true);
  });

  test("a long session is forgotten in steps, between which others write", async () => {
    const [long, other] = [await openTestSession(storage), await openTestSession(storage)];
    const words = Array.from({ length: 300 }, (_, index) => `word${index}`).join(" ");
    for (let turn = 0; turn < 90; turn += 1) await say(long, `needle ${words}`, words);
    const deleting = storage.sessions.delete(owner, long);
    let others = 0;
    let isDeleted = false;
    void deleting.then(() => {
      isDeleted = true;
    });
    for (; !isDeleted; others += 1) await say(other, "short");
    await deleting;
    expect(others).toBeGreaterThan(2);
    expect(await found("needle")).toEqual([]);
    await expect(storage.sessions.read(owner, long)).rejects.toMatchObject({ code: "session_not_found" });
  });

  test("turns from before there was an index are found a little later, however often the process ends meanwhile", async () => {
    const sessions = [await openTestSession(storage), await openTestSession(storage), await openTestSession(storage)];
    for (const sessionId of sessions)
      for (let turn = 0; turn < 40; turn += 1) await say(sessionId, `old needle ${turn}`);
    // As a file that has just been brought to the schema with the index.
    await meanwhile((database) =>
      database.exec(`
        INSERT INTO search (search) VALUES ('delete-all');
        UPDATE turns SET search_key = NULL;
        INSERT INTO search_progress SELECT max(key) + 1, 0 FROM sessions HAVING max(key) IS NOT NULL;
      `),
    );
    await say(sessions[0] as string, "new needle");
    for (let restarts = 0; restarts < 5; restarts += 1) await meanwhile(() => undefined);
    await vi.waitFor(async () => expect(await found("needle")).toHaveLength(121), { timeout: 10_000 });
    const [first, ...older] = await found("needle");
    expect(first).toEqual([sessions[0], 41]);
    const expected = sessions
      .toReversed()
      .flatMap((sessionId) => Array.from({ length: 40 }, (_, index) => [sessionId, 40 - index]));
    expect(older).toEqual(expected);
    await storage.sessions.delete(owner, sessions[1] as string);
    expect(await found("needle")).toHaveLength(81);
    const left = await meanwhile((database) => database.prepare("SELECT count(*) AS count FROM search_progress").get());
    expect(left).toEqual({ count: 0 });
  });

  test("a search reads the index and the rows that it finds, and sorts nothing", async () => {
    await storage.close();
    const database = openReader(path);
    const statements: string[] = [];
    const prepare = database.prepare.bind(database);
    database.prepare = (sql) => {
      statements.push(sql);
      return prepare(sql);
    };
    searchReads(database);
    const sql = statements.find((statement) => statement.includes("MATCH")) ?? "";
    const plan = (prepare(`EXPLAIN QUERY PLAN ${sql}`).all('"x"', 1, "x") as { detail: string }[]).map(
      (row) => row.detail,
    );
    expect(plan).toEqual([
      expect.stringMatching(/^SCAN search VIRTUAL TABLE INDEX/),
      expect.stringMatching(/^SEARCH turns USING INDEX searched_turns/),
      expect.stringMatching(/^SEARCH sessions USING INTEGER PRIMARY KEY/),
    ]);
    database.close();
    await open();
  });
});
