/** What happens at the same time on several replicas, or is done by the Redis server and not answered (faults.md, group G). */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { LoggedEvent } from "../src/protocol/events.ts";
import type { LeaseTimes } from "../src/storage/redis/leases.ts";
import { type Lease, LeaseLost, PositionRefused, type Storage } from "../src/storage/storage.ts";
import { startRedisServer } from "./helpers/redis-server.ts";
import { idle, useRedis } from "./helpers/redis-storage.ts";
import { beginTurn, capability, openTestSession, turnEvents, unbegunStop } from "./helpers/storage.ts";
import { startTcpProxy } from "./helpers/tcp-proxy.ts";

const shared = useRedis(idle);
const { open, onClose } = shared;

const { started, text, ended } = turnEvents;

const wordsOf = (log: readonly LoggedEvent[]) =>
  log.map(({ event }) => (event.type === "text" || event.type === "reset" ? event.text : event.type)).join("|");

/** Resolves once somebody follows, with what is still to come. */
async function follow(storage: Storage, sessionId: string): Promise<{ readonly log: Promise<readonly LoggedEvent[]> }> {
  const { events } = await storage.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(8_000));
  const log = Array.fromAsync(events).then((steps) => steps.flat());
  log.catch(() => undefined);
  return { log };
}

describe("followers of a turn that runs elsewhere", () => {
  test("one that comes just after its end takes nothing from those that have not heard of the end yet", async () => {
    const worker = await open();
    const other = await open({ url: await shared.deafUrl() });
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const head = await worker.turns.append(lease, -1, [started(lease), text("half")]);
    const early = await follow(other, sessionId);
    await worker.turns.settle(lease, head, [text(" and half"), ended], { beginNext: true });
    const late = await follow(other, sessionId);
    expect(wordsOf(await late.log).replace("half| and", "half and")).toBe("turn|half and half|end");
    expect(wordsOf(await early.log)).toBe("turn|half| and half|end");
  });
});

describe("a command that was done and not answered", () => {
  /** Has the next write on its connection done once nobody waits for its answer any more. */
  async function unanswered(storage: Storage, write: () => Promise<unknown>): Promise<void> {
    shared.server.pause();
    await expect(write()).rejects.toMatchObject({ code: "storage_unavailable" });
    shared.server.resume();
    await expect
      .poll(
        () =>
          storage.check().then(
            () => true,
            () => false,
          ),
        { timeout: 10_000 },
      )
      .toBe(true);
  }

  test("what a worker could not be sure to have logged is part of its turn's log when that ends", async () => {
    const worker = await open();
    const other = await open();
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const head = await worker.turns.append(lease, -1, [started(lease), text("to be ")]);
    const reading = await follow(other, sessionId);
    // Nobody waits long for what is to be stopped.
    await worker.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
    await unanswered(worker, () => worker.turns.append(lease, head, [text("kept")]));
    await expect.poll(() => shared.server.command("HGET", `chat:{${sessionId}}`, "head")).toBe(String(head + 4));
    await delay(100);
    await worker.turns.settle(lease, head, [{ ...ended, status: "stopped" }], { beginNext: true });
    expect(wordsOf(await reading.log)).toBe("turn|to be |kept|end");
    expect(await other.turns.read(capability, sessionId, 1)).toMatchObject({ answer: "to be kept", head: head + 5 });
  });

  test("the end of a turn that begins the next one gives that to its worker, who gave signs of life meanwhile", async () => {
    const worker = await open({ leaseTimes: { ...idle, renewal: 100 } });
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await worker.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt: "next" }, ifBusy: "queue" });
    const settle = () => worker.turns.settle(lease, -1, [started(lease), ended], { beginNext: true });
    await unanswered(worker, settle);
    await expect.poll(() => shared.server.command("HGET", `chat:{${sessionId}}`, "running")).toBe("2");
    await delay(500);
    expect(await settle()).toMatchObject({ prompt: "next", lease: { turn: 2 } });
  });
  test("the end of a turn gives nobody a next one that another worker has taken over meanwhile, or that began by itself", async () => {
    const worker = await open();
    const sessionId = await openTestSession(worker);
    const first = await beginTurn(worker, sessionId);
    await worker.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt: "next" }, ifBusy: "queue" });
    const settle = ({ lease }: { readonly lease: Lease }) =>
      worker.turns.settle(lease, -1, [started(lease), ended], { beginNext: true });
    await unanswered(worker, () => settle(first));
    await expect.poll(() => shared.server.command("HGET", `chat:{${sessionId}}`, "running")).toBe("2");
    // As a claim does.
    await shared.server.command("HSET", `chat:{${sessionId}}`, "worker", "another");
    expect(await settle(first)).toBeUndefined();

    const alone = await openTestSession(worker);
    const only = await beginTurn(worker, alone);
    await unanswered(worker, () => settle(only));
    await expect.poll(() => shared.server.command("HGET", `chat:{${alone}}`, "running")).toBeNull();
    expect((await beginTurn(worker, alone)).lease.turn).toBe(2);
    expect(await settle(only)).toBeUndefined();
  });
});

describe("writing a log", () => {
  test("of two appends at the same place one is refused, also where they are equally long", async () => {
    const worker = await open();
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const head = await worker.turns.append(lease, -1, [started(lease)]);
    const outcomes = await Promise.allSettled([
      worker.turns.append(lease, head, [text("this")]),
      worker.turns.append(lease, head, [text("that")]),
    ]);
    expect(outcomes).toMatchObject([{ status: "fulfilled" }, { status: "rejected" }]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(PositionRefused);
    await worker.turns.append(lease, head + 4, [text("!")]);
    expect((await worker.turns.read(capability, sessionId, 1)).answer).toBe("this!");
  });
});

describe("G7: a server that lost what it had acknowledged", () => {
  test("does not take two workers for one, though it gives the number of a lost turn again", async () => {
    const [first, second] = [await open(), await open()];
    const sessionId = await openTestSession(first);
    const key = `chat:{${sessionId}}`;
    await shared.server.command("COPY", key, `kept{${sessionId}}`);
    const lost = await beginTurn(first, sessionId, "Lost");
    const head = await first.turns.append(lost.lease, -1, [started(lost.lease), text("Answer to what was lost")]);
    // A failover to a replica that had heard of none of it.
    for (const part of ["", ":turns", ":dialogue", ":firsts", ":log"])
      await shared.server.command("DEL", `${key}${part}`);
    await shared.server.command("COPY", `kept{${sessionId}}`, key);
    const { lease } = await beginTurn(second, sessionId, "Another");
    expect(lease.turn).toBe(lost.lease.turn);
    await expect(first.turns.append(lost.lease, head, [text("!")])).rejects.toBeInstanceOf(LeaseLost);
    await second.turns.append(lease, -1, [started(lease), text("Answer to another")]);
    expect(await second.turns.read(capability, sessionId, 1)).toMatchObject({ answer: "Answer to another" });
  });
  test("has those who follow a turn elsewhere begin anew where it was ended without what they have seen", async () => {
    const [worker, other] = [await open(), await open()];
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const head = await worker.turns.append(lease, -1, [started(lease), text("kept")]);
    const reading = await follow(other, sessionId);
    const key = `chat:{${sessionId}}`;
    await shared.server.command("XADD", `${key}:log`, "50-1", "text", "x".repeat(46));
    await shared.server.command("PUBLISH", `${key}:wake`, "1");
    await delay(200);
    await worker.turns.settle(lease, head, [text("!"), ended], { beginNext: true });
    expect(wordsOf(await reading.log)).toBe(`turn|kept|${"x".repeat(46)}|kept!|end`);
  });
});
describe("G14: a worker that has not noticed that its turn was taken over", () => {
  async function takenOver(times: Partial<LeaseTimes> = {}) {
    const [worker, other] = [await open({ leaseTimes: { ...idle, lease: 1, ...times } }), await open()];
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await delay(10);
    expect((await other.turns.claim()).lapsed).toMatchObject([{ lease: { turn: 1 } }]);
    return { worker, other, sessionId, lease };
  }

  test("cannot end it", async () => {
    const { worker, other, sessionId, lease } = await takenOver();
    const settling = worker.turns.settle(lease, -1, [started(lease), ended], { beginNext: true });
    await expect(settling).rejects.toBeInstanceOf(LeaseLost);
    expect((await other.turns.read(capability, sessionId, 1)).status).toBe("running");
  });

  test("cannot give it back", async () => {
    const { worker, sessionId, lease } = await takenOver();
    await expect(worker.turns.release(lease)).rejects.toBeInstanceOf(LeaseLost);
    expect((await (await open()).turns.claim()).lapsed).toEqual([]);
    expect(await shared.server.command("HGET", `chat:{${sessionId}}`, "released")).toBeNull();
  });

  test("cannot give a sign of life, and is told so", async () => {
    const { lease } = await takenOver({ renewal: 500 });
    await expect.poll(() => lease.signal.reason, { timeout: 10_000 }).toBeInstanceOf(LeaseLost);
  });
});

test("a worker whose lease is over does not take its own turn over", async () => {
  const worker = await open({ leaseTimes: { ...idle, lease: 1 } });
  const { lease } = await beginTurn(worker, await openTestSession(worker));
  await delay(10);
  expect(await worker.turns.claim()).toEqual({ lapsed: [], begun: [] });
  expect(lease.signal.aborted).toBe(false);
});
test("a storage that has opened takes writes, however long its connections took", async () => {
  const proxy = await startTcpProxy(shared.server.port);
  onClose(() => proxy.close());
  proxy.plan((index) => (index === 0 ? {} : { delayMs: 200 }));
  const storage = await open({ url: `redis://127.0.0.1:${proxy.port}` });
  await beginTurn(storage, await openTestSession(storage));
});

test("E17: a session that is deleted while the end of its turn waits for a replica takes the next turn with it", async () => {
  // It waits for a replica as soon as there is one.
  const worker = await open({ leaseTimes: { ...idle, sweep: 100 } });
  const other = await open({ durability: "async" });
  const sessionId = await openTestSession(other);
  const accept = (ifBusy: "reject" | "queue") =>
    worker.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt: "?" }, ifBusy });
  const first = await accept("reject");
  if (first.kind !== "begun") throw new Error(first.kind);
  await accept("queue");
  const replica = await startRedisServer({ replicaOf: shared.server });
  onClose(() => replica.close());
  await expect.poll(() => worker.facts().durability, { timeout: 10_000 }).toBe("replica");
  replica.pause();
  const { lease } = first.begun;
  const settling = worker.turns.settle(lease, -1, [started(lease), ended], { beginNext: true });
  await expect.poll(async () => (await other.sessions.read(capability, sessionId)).running).toBe(2);
  await other.sessions.delete(capability, sessionId);
  const next = await settling;
  replica.resume();
  if (next === undefined) throw new Error("The next turn was not begun");
  await expect(worker.turns.append(next.lease, -1, [started(next.lease)])).rejects.toBeInstanceOf(LeaseLost);
});
