/** What turns cost on a Redis server, when whoever ended them did not live to count it where it belongs. */
import { expect, test } from "vitest";
import type { Storage } from "../src/storage/storage.ts";
import { idle, useRedis } from "./helpers/redis-storage.ts";
import { beginTurn, openTestSession, turnEvents } from "./helpers/storage.ts";

const shared = useRedis(idle);
const { open } = shared;

const { started, ended } = turnEvents;
const spent = { model: "a model", inputTokens: 3, outputTokens: 1, estimated: false };
const guest = "guest:test";
const anyDay = { from: 0, to: 100_000, limit: 1_000 };

/** A replica that reaches sessions, but not what is kept for their owners. */
async function openCutOff(): Promise<Storage> {
  const sessionsOnly = ["resetkeys", "~chat:{*", "~chat:busy", "~chat:check"];
  await shared.server.command("ACL", "SETUSER", "cutoff", "on", ">word", ...sessionsOnly, "allchannels", "+@all");
  return open({ url: shared.server.url.replace("redis://", "redis://cutoff:word@") });
}

async function endTurn(storage: Storage, sessionId: string): Promise<void> {
  const { lease } = await beginTurn(storage, sessionId);
  await storage.turns.settle(lease, -1, [started(lease), ended], { beginNext: true, spent });
}

async function lookAfter(storage: Storage, sessionId: string): Promise<void> {
  await shared.server.command("ZADD", "chat:busy", "0", sessionId);
  await storage.turns.claim();
}

test("B25: is counted by whoever looks after the session, once, also when that is deleted by then", async () => {
  const [other, cutOff] = [await open(), await openCutOff()];
  const sessionId = await openTestSession(other);
  await endTurn(cutOff, sessionId);
  await endTurn(cutOff, sessionId);
  await cutOff.close();
  expect(await other.usage.read(guest, anyDay)).toEqual([]);
  await other.sessions.delete({ by: "owner", principal: guest }, sessionId);
  const noted = await shared.server.command("HGETALL", `chat:{${sessionId}}:spent`);
  for (let round = 0; round < 3; round += 1) {
    await lookAfter(other, sessionId);
    expect(await other.usage.read(guest, anyDay)).toMatchObject([{ turns: 2, inputTokens: 6, outputTokens: 2 }]);
    expect(await other.usage.tokens("guest:", other.usage.today)).toBe(8);
    expect(await shared.server.command("EXISTS", `chat:{${sessionId}}:spent`)).toBe(0);
    expect(await shared.server.command("ZCARD", "chat:busy")).toBe(0);
    // As whoever counted and did not live to forget the note would have left it.
    await shared.server.command("HSET", `chat:{${sessionId}}:spent`, ...(noted as string[]));
  }
});

test("stays noted, and the session known, while it cannot be counted", async () => {
  const [other, cutOff] = [await open(), await openCutOff()];
  const sessionId = await openTestSession(other);
  await endTurn(cutOff, sessionId);
  await lookAfter(cutOff, sessionId);
  expect(await shared.server.command("ZCARD", "chat:busy")).toBe(1);
  await lookAfter(other, sessionId);
  expect(await other.usage.read(guest, anyDay)).toMatchObject([{ turns: 1 }]);
});
