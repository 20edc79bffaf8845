/** What is left of games on a Redis server where somebody died in between, or the server deletes by itself. */
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { Storage } from "../src/storage/storage.ts";
import { idle, useRedis } from "./helpers/redis-storage.ts";
import { capability, openTestSession } from "./helpers/storage.ts";

const shared = useRedis(idle);
const { open } = shared;

const day = 24 * 60 * 60_000;
const player = { principal: "guest:test", username: "TR" };
const boards = [
  { name: "all", until: null },
  { name: "frasier", until: null },
];
const signal = new AbortController().signal;

async function begin(storage: Storage, sessionId: string | null = null): Promise<string> {
  const gameId = randomBytes(16).toString("hex");
  await storage.games.create({ gameId, player, sessionId, settings: "{}", moves: ["1"] });
  return gameId;
}

test("E9: a game that ended as its replica died is counted later, on each board once", async () => {
  let now = Date.now();
  const storage = await open({ clock: () => now });
  const gameId = await begin(storage);
  await storage.games.append(capability, gameId, { after: 1, moves: ["2"], ended: { score: 70, boards } });
  // As whoever dies after the first board leaves it.
  await shared.server.command("DEL", "chat:board:{frasier}", "chat:board:{frasier}:games");
  await shared.server.command("DEL", `chat:board:{frasier}:counted:${gameId}`);
  await shared.server.command("ZADD", "chat:games:unsettled", String(now), gameId);

  await storage.games.expire(signal);
  expect(await storage.games.best("frasier", 10)).toEqual([]);
  now += 61_000;
  await storage.games.expire(signal);
  for (const { name } of boards) {
    expect(await storage.games.best(name, 10)).toEqual([{ username: "TR", score: 70, games: 1 }]);
  }
  expect(await shared.server.command("ZCARD", "chat:games:unsettled")).toBe(0);
});

test("a game whose moves were refused, or that is gone, is not counted for having been announced", async () => {
  let now = Date.now();
  const storage = await open({ clock: () => now });
  const gameId = await begin(storage);
  const ended = { score: 70, boards };
  expect(await storage.games.append(capability, gameId, { after: 5, moves: ["2"], ended })).toBe(false);
  await shared.server.command("ZADD", "chat:games:unsettled", "0", "0".repeat(32));
  now += 61_000;
  await storage.games.expire(signal);
  expect(await storage.games.best("all", 10)).toEqual([]);
  expect(await shared.server.command("ZCARD", "chat:games:unsettled")).toBe(0);
});

test("a session that the server deletes by itself takes its games along with the next walk", async () => {
  const retention = { guestMs: day };
  const storage = await open({ retention });
  const sessionId = await openTestSession(storage);
  const [played, other] = [await begin(storage, sessionId), await begin(storage)];
  await shared.server.command("DEL", `chat:{${sessionId}}`);
  expect(await storage.games.expire(signal)).toBe(1);
  await expect(storage.games.read(capability, played)).rejects.toMatchObject({ code: "game_not_found" });
  expect(await storage.games.read(capability, other)).toMatchObject({ moves: ["1"] });
  expect(await shared.server.command("EXISTS", `chat:game:{${played}}:moves`)).toBe(0);
});

test("what is stored of a session's games goes with it, and ends when it does", async () => {
  const storage = await open({ retention: { guestMs: day } });
  const sessionId = await openTestSession(storage);
  const ttl = () => shared.server.command("PEXPIRETIME", `chat:{${sessionId}}`);
  await expect.poll(ttl).toBeGreaterThan(0);
  await begin(storage, sessionId);
  expect(await shared.server.command("PEXPIRETIME", `chat:{${sessionId}}:games`)).toBe(await ttl());
  await storage.sessions.delete({ by: "owner", principal: player.principal }, sessionId);
  expect(await shared.server.command("KEYS", "chat:game:*")).toEqual([]);
  expect(await shared.server.command("KEYS", `chat:{${sessionId}}*`)).toEqual([]);
});

test("what is stored of games ends by itself, also where no replica runs any more", async () => {
  const storage = await open({ retention: { guestMs: day } });
  const gameId = await begin(storage);
  await storage.games.takeFact(player, "f:1");
  const keys = [`chat:game:{${gameId}}`, `chat:game:{${gameId}}:moves`];
  keys.push("chat:principal:{guest:test}:player:TR", "chat:principal:{guest:test}:asked:TR");
  for (const key of keys) expect(await shared.server.command("PTTL", key), key).toBeGreaterThan(day - 60_000);
});
