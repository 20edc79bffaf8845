/** Limits that replicas hold together, and what becomes of them when one of them or their server is gone. */
import { expect, test } from "vitest";
import type { Place, Storage } from "../src/storage/storage.ts";
import { idle, useRedis } from "./helpers/redis-storage.ts";
import { openTestSession } from "./helpers/storage.ts";

const shared = useRedis(idle);
const { open } = shared;

const rate = { name: "test", most: 2, seconds: 600 };
const runningKey = "chat:principal:{guest:test}:running:TR";
const access = { by: "owner", principal: "guest:test" } as const;

function accept(storage: Storage, sessionId: string) {
  const ask = { kind: "prompt", prompt: "?" } as const;
  return storage.turns.accept(access, { sessionId, ask, limits: { atOnce: 1 } });
}

test("B21: a rate is counted for all replicas together", async () => {
  const counters = [(await open()).limits.counter(rate), (await open()).limits.counter(rate)] as const;
  expect(await counters[0].count("a")).toMatchObject({ remaining: 1 });
  expect(await counters[1].count("a")).toMatchObject({ remaining: 0, isOver: false });
  expect(await counters[0].count("a")).toMatchObject({ isOver: true });
});

test("B23: places are taken from all replicas together, and that of a dead replica is free again", async () => {
  const [first, second] = [await open(), await open()];
  expect(await first.limits.takePlace("a", 1)).toBeDefined();
  expect(await second.limits.takePlace("a", 1)).toBeUndefined();
  const [key = ""] = (await shared.server.command("KEYS", "chat:places:*")) as string[];
  const lasts = Number(await shared.server.command("PTTL", key));
  expect(lasts).toBeGreaterThan(20_000);
  expect(lasts).toBeLessThanOrEqual(30_000);
  const [member = ""] = (await shared.server.command("ZRANGE", key, "0", "-1")) as string[];
  await shared.server.command("ZADD", key, "1", member);
  expect(await second.limits.takePlace("a", 1)).toBeDefined();
});

test("B24: a turn's place is renewed with its lease, and free again when its replica is dead", async () => {
  const renewing = await open({ leaseTimes: { ...idle, renewal: 50 } });
  const first = await openTestSession(renewing);
  await accept(renewing, first);
  await shared.server.command("DEL", runningKey);
  await expect.poll(() => shared.server.command("ZCARD", runningKey), { timeout: 10_000 }).toBe(1);
  const other = await open();
  const second = await openTestSession(other);
  await expect(accept(other, second)).rejects.toMatchObject({ code: "too_many_turns" });
  await renewing.close();
  await shared.server.command("ZADD", runningKey, "1", first);
  expect(await accept(other, second)).toMatchObject({ kind: "begun" });
});

test("B26: while the server is away each replica holds its own callers to the limit, and refuses nobody else", async () => {
  const storage = await open();
  const counter = storage.limits.counter(rate);
  await counter.count("a");
  await shared.server.kill();
  // The connection is lost at some moment from here on; whatever is asked until then is answered all the same.
  await expect.poll(async () => (await counter.count("lost")).isOver, { timeout: 10_000 }).toBe(true);
  for (const remaining of [1, 0]) expect(await counter.count("b")).toMatchObject({ isOver: false, remaining });
  expect(await counter.count("b")).toMatchObject({ isOver: true });
  const place = (await storage.limits.takePlace("a", 1)) as Place;
  expect(await storage.limits.takePlace("a", 1)).toBeUndefined();
  place.leave();
  expect(await storage.limits.takePlace("a", 1)).toBeDefined();
});
