/** What is deleted is gone from the bytes of the files, not only from what can be asked for (faults.md, F15). */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStorage } from "../src/storage/sqlite/open.ts";
import type { Storage } from "../src/storage/storage.ts";
import { beginTurn, capability, openTestSession, turnEvents } from "./helpers/storage.ts";

const day = 24 * 60 * 60_000;
const { started, text, ended } = turnEvents;
const owner = { by: "owner", principal: "guest:test" } as const;

let directory: string;
let now: number;
let storage: Storage;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-bytes-"));
  now = 1_000 * day;
  storage = await openSqliteStorage({
    path: path.join(directory, "chat.db"),
    clock: () => now,
    retention: { guestMs: 30 * day },
    onFatal: (error) => {
      throw error;
    },
  });
});
afterEach(async () => {
  await storage.close();
  await rm(directory, { recursive: true });
});

/** The files of the database that hold these bytes. */
async function filesWith(canary: string): Promise<string[]> {
  const names = await readdir(directory);
  const held = await Promise.all(
    names.map(async (name) => ((await readFile(path.join(directory, name))).includes(canary) ? [name] : [])),
  );
  return held.flat();
}

/** A session with the word in everything that can be said of it, also in pages of their own. */
async function tell(canary: string): Promise<string> {
  const sessionId = await openTestSession(storage, { instructions: `Remember ${canary}. ` });
  await storage.sessions.change(owner, sessionId, { title: `About ${canary}` });
  await storage.sessions.change(owner, sessionId, { title: `More about ${canary}` });
  const player = { principal: owner.principal, username: "TR" };
  const settings = JSON.stringify(canary);
  for (const times of [1, 4_000]) {
    const gameId = randomBytes(16).toString("hex");
    const moves = [JSON.stringify(`${canary} `.repeat(times))];
    await storage.games.create({ gameId, player, sessionId, settings, moves });
    await storage.games.append(owner, gameId, { after: 1, moves });
  }
  for (const times of [1, 40, 400, 4_000]) {
    const accepted = await storage.turns.accept(capability, {
      sessionId,
      ask: { kind: "prompt", prompt: `${canary} `.repeat(times) },
      once: { key: `${canary} ${times}`, fingerprint: canary },
    });
    if (accepted.kind !== "begun") throw new Error(accepted.kind);
    const { lease } = accepted.begun;
    let head = await storage.turns.append(lease, -1, [started(lease)]);
    for (let piece = 0; piece < 20; piece += 1) {
      head = await storage.turns.append(lease, head, [text(`${canary} `.repeat(times / 20 + 1))]);
    }
    await storage.turns.settle(lease, head, [ended], { beginNext: true });
  }
  return sessionId;
}

/** Asks and answers in many sessions until it is told to end. */
function talk(): { end(): Promise<void> } {
  let goesOn = true;
  async function converse(): Promise<void> {
    const sessionId = await openTestSession(storage);
    while (goesOn) {
      const { lease } = await beginTurn(storage, sessionId, "Tell me a long story. ".repeat(60));
      let head = await storage.turns.append(lease, -1, [started(lease)]);
      for (let piece = 0; piece < 30; piece += 1) {
        head = await storage.turns.append(lease, head, [text("Once upon a time there was a king. ".repeat(5))]);
      }
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      await Array.fromAsync((await storage.turns.history(capability, sessionId, { limit: 5 })).pages);
    }
  }
  const talking = Array.from({ length: 10 }, converse);
  return {
    async end() {
      goesOn = false;
      await Promise.all(talking);
    },
  };
}

const patience = { timeout: 20_000, interval: 100 };

describe("F15: nothing of a deleted session is left in the bytes of any file", () => {
  test("soon after it was deleted, though nothing else happens", async () => {
    const neighbour = await tell("canary-of-a-neighbour");
    const sessionId = await tell("canary-at-rest");
    await tell("canary-of-another");
    expect(await filesWith("canary-at-rest")).not.toEqual([]);
    await storage.sessions.delete(owner, sessionId);
    await expect.poll(() => filesWith("canary-at-rest"), patience).toEqual([]);
    expect(await filesWith("canary-of-a-neighbour")).not.toEqual([]);
    expect((await storage.turns.read(capability, neighbour, 1)).prompt).toBe("canary-of-a-neighbour ");
  });

  test("also when others ask, answer and read all the time, and its own answer is running", async () => {
    const others = talk();
    const sessionIds = [await tell("canary-under-load"), await tell("canary-under-load")];
    for (const sessionId of sessionIds) {
      const { lease } = await beginTurn(storage, sessionId, "canary-under-load");
      await storage.turns.append(lease, -1, [started(lease), text("canary-under-load")]);
      await storage.sessions.delete(owner, sessionId);
    }
    await expect.poll(() => filesWith("canary-under-load"), patience).toEqual([]);
    await others.end();
    expect(await filesWith("canary-under-load")).toEqual([]);
  });

  test("nor of one that was so long that it went in pieces", async () => {
    const sessionId = await tell("canary-at-length");
    for (let turn = 0; turn < 5; turn += 1) {
      const { lease } = await beginTurn(storage, sessionId, "canary-at-length");
      const answer = text("canary-at-length ".repeat(50_000));
      await storage.turns.settle(lease, -1, [started(lease), answer, ended], { beginNext: true });
    }
    await storage.sessions.delete(owner, sessionId);
    await expect.poll(() => filesWith("canary-at-length"), patience).toEqual([]);
  });

  test("nor of one that had outlived its retention", async () => {
    await tell("canary-of-long-ago");
    now += 31 * day;
    await tell("canary-of-today");
    expect(await storage.sessions.expire(new AbortController().signal)).toBe(1);
    await expect.poll(() => filesWith("canary-of-long-ago"), patience).toEqual([]);
    expect(await filesWith("canary-of-today")).not.toEqual([]);
  });
});
