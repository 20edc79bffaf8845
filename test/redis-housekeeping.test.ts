/** What is kept on a Redis server beside sessions, who hears of them, and what is left when they are gone. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { wakeChannel } from "../src/storage/redis/keys.ts";
import { Subscriptions } from "../src/storage/redis/subscriptions.ts";
import { type BegunTurn, LeaseLost, sendOnceMs } from "../src/storage/storage.ts";
import { idle, useRedis } from "./helpers/redis-storage.ts";
import { beginTurn, capability, openTestSession, turnEvents, unbegunStop } from "./helpers/storage.ts";

const shared = useRedis(idle);
const { open, onClose } = shared;

const { started, text, ended } = turnEvents;

describe("the sessions that somebody has to look after", () => {
  test("G13: are only a hint: a turn whose worker lives is left to it", async () => {
    const [worker, other] = [await open(), await open()];
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await shared.server.command("ZADD", "chat:busy", "0", sessionId);
    expect(await other.turns.claim()).toEqual({ lapsed: [], begun: [] });
    await worker.turns.append(lease, -1, [started(lease)]);
  });

  test("are known again by the next sign of life of their worker where the server lost them", async () => {
    const worker = await open({ leaseTimes: { ...idle, renewal: 100 } });
    const sessionId = await openTestSession(worker);
    await beginTurn(worker, sessionId);
    await shared.server.command("DEL", "chat:busy");
    await expect
      .poll(() => shared.server.command("ZSCORE", "chat:busy", sessionId), { timeout: 10_000 })
      .not.toBeNull();
  });

  test("G9: are looked after also while the server's memory is full", async () => {
    const [worker, other] = [await open({ leaseTimes: { ...idle, lease: 1 } }), await open()];
    await beginTurn(worker, await openTestSession(worker));
    await delay(10);
    await shared.server.command("CONFIG", "SET", "maxmemory", "1");
    expect((await other.turns.claim()).lapsed).toHaveLength(1);
    await shared.server.command("CONFIG", "SET", "maxmemory", "0");
  });

  test("are forgotten once they have nothing to do", async () => {
    const worker = await open();
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await worker.turns.settle(lease, -1, [started(lease), ended], { beginNext: true });
    await shared.server.command("ZADD", "chat:busy", "0", sessionId);
    await worker.turns.claim();
    expect(await shared.server.command("ZCARD", "chat:busy")).toBe(0);
  });
});

test("E9: a session's outdated keys go when new ones come", async () => {
  let now = Date.now();
  const worker = await open({ clock: () => now });
  const sessionId = await openTestSession(worker);
  for (let key = 0; key < 12; key += 1) {
    if (key === 10) now += sendOnceMs;
    const once = { key: `${key}`, fingerprint: "f" };
    const ask = { kind: "prompt", prompt: "?" } as const;
    const accepted = await worker.turns.accept(capability, { sessionId, ask, once });
    if (accepted.kind !== "begun") throw new Error(accepted.kind);
    const { lease } = accepted.begun;
    await worker.turns.settle(lease, -1, [started(lease), ended], { beginNext: true });
  }
  const kept = Number(await shared.server.command("HLEN", `chat:{${sessionId}}:sent`));
  expect(kept).toBe(Number(await shared.server.command("ZCARD", `chat:{${sessionId}}:sent-at`)));
  expect(kept).toBe(2);
});

test("a worker whose session is deleted on another replica is told at once", async () => {
  const [worker, other] = [await open(), await open()];
  const sessionId = await openTestSession(worker);
  const { lease } = await beginTurn(worker, sessionId);
  await other.sessions.delete(capability, sessionId);
  await expect.poll(() => lease.signal.reason, { timeout: 10_000 }).toBeInstanceOf(LeaseLost);
});

test("nothing of a deleted session is left, whatever was in it", async () => {
  const worker = await open();
  const sessionId = await openTestSession(worker);
  const ask = (prompt: string, key: string) =>
    worker.turns.accept(capability, {
      sessionId,
      ask: { kind: "prompt", prompt },
      once: { key, fingerprint: "f" },
      ifBusy: "queue",
    });
  const first = await ask("first", "a");
  if (first.kind !== "begun") throw new Error(first.kind);
  await ask("second", "b");
  await ask("third", "c");
  const { lease } = first.begun;
  const next = await worker.turns.settle(lease, -1, [started(lease), text("said"), ended], { beginNext: true });
  if (next === undefined) throw new Error("Nothing was begun");
  await worker.turns.append(next.lease, -1, [started(next.lease)]);
  expect(((await shared.server.command("KEYS", `chat:{${sessionId}}*`)) as unknown[]).length).toBeGreaterThan(9);
  await worker.sessions.delete(capability, sessionId);
  expect(await shared.server.command("KEYS", `chat:{${sessionId}}*`)).toEqual([]);
});

test("G11: whatever there is to read of a session's turns is told on its channel", async () => {
  const [worker, other] = [await open(), await open()];
  const sessionId = await openTestSession(worker);
  const subscriptions = new Subscriptions(shared.server.url);
  onClose(async () => subscriptions.close());
  const heard: string[] = [];
  subscriptions.add(wakeChannel(sessionId), (message) => heard.push(message));
  await expect
    .poll(() => shared.server.command("PUBSUB", "NUMSUB", wakeChannel(sessionId)))
    .toEqual([wakeChannel(sessionId), 1]);
  await delay(50);
  const tells = async (act: () => Promise<unknown>) => {
    heard.length = 0;
    await act();
    await expect.poll(() => heard.filter((message) => message !== "subscribed")).not.toEqual([]);
  };
  let begun: BegunTurn | undefined;
  await tells(async () => {
    begun = await beginTurn(worker, sessionId);
  });
  if (begun === undefined) throw new Error("Nothing was begun");
  const { lease } = begun;
  await tells(() => worker.turns.append(lease, -1, [started(lease)]));
  await worker.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt: "?" }, ifBusy: "queue" });
  await tells(() => other.turns.requestStop(capability, sessionId, 2, unbegunStop(sessionId, 2)));
  await tells(() => worker.turns.settle(lease, 0, [ended], { beginNext: true }));
  await tells(() => worker.sessions.delete(capability, sessionId));
});
test("however many sessions are due, one look finds them all", async () => {
  const [worker, other] = [await open({ leaseTimes: { ...idle, lease: 1 } }), await open()];
  const ids = await Promise.all(Array.from({ length: 250 }, () => openTestSession(worker)));
  await Promise.all(ids.map((id) => beginTurn(worker, id)));
  await delay(10);
  expect((await other.turns.claim()).lapsed).toHaveLength(250);
});
