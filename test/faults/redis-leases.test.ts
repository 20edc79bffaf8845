/** Who works on a turn when several replicas share a Redis server, and how the others hear of it (faults.md, group G). */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { LeaseTimes } from "../../src/storage/redis/leases.ts";
import { LeaseLost, type Storage, TurnStopRequested } from "../../src/storage/storage.ts";
import { openSession, receive, send, textOf } from "../helpers/client.ts";
import { never, useRedis } from "../helpers/redis-storage.ts";
import { type Service, startService } from "../helpers/service.ts";
import { beginTurn, capability, openTestSession, turnEvents, unbegunStop } from "../helpers/storage.ts";

/** Long enough for a busy machine to renew in time, and short enough to be waited for. */
const soon: LeaseTimes = { lease: 1_500, renewal: 200, sweep: 100 };
/** Of a replica that gives no sign of life. */
const hung: LeaseTimes = { lease: soon.lease, renewal: never, sweep: never };

const shared = useRedis(soon);
const { open, onClose } = shared;

const { started, ended } = turnEvents;

async function untilClaimed(storage: Storage) {
  for (;;) {
    const { lapsed, begun } = await storage.turns.claim();
    if (lapsed.length + begun.length > 0) return { lapsed, begun };
    await delay(50);
  }
}

describe("G13, G14: leases", () => {
  test("a worker that gives signs of life keeps its turn, however long that takes", async () => {
    const [worker, other] = [await open(), await open()];
    const { lease } = await beginTurn(worker, await openTestSession(worker));
    for (const until = performance.now() + 2 * soon.lease; performance.now() < until; await delay(100)) {
      expect(await other.turns.claim()).toEqual({ lapsed: [], begun: [] });
    }
    await worker.turns.append(lease, -1, [started(lease)]);
  });

  test("a turn of a worker without a sign of life is taken over by one of the others, which then owns it", async () => {
    const worker = await open({ leaseTimes: hung });
    const [other, third] = [await open(), await open()];
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const head = await worker.turns.append(lease, -1, [started(lease), { type: "text", text: "half" }]);
    const [{ lapsed }] = await Promise.race([Promise.all([untilClaimed(other)]), Promise.all([untilClaimed(third)])]);
    expect(lapsed).toMatchObject([{ text: "half", crashes: 1, tailMayBeLost: false, lease: { head } }]);
    const [taken] = lapsed;
    expect(taken?.lease.epoch).toBeGreaterThan(lease.epoch);
    // Whoever wakes up again cannot write, and is told so.
    await expect(worker.turns.append(lease, head, [{ type: "text", text: "late" }])).rejects.toBeInstanceOf(LeaseLost);
    expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
    await expect(worker.turns.settle(lease, head, [ended], { beginNext: true })).rejects.toBeInstanceOf(LeaseLost);
    expect(await worker.turns.read(capability, sessionId, 1)).toMatchObject({ status: "running", answer: "half" });
  });

  test("a follower on the worker's replica goes on with what the new worker says", async () => {
    const worker = await open({ leaseTimes: hung });
    const other = await open();
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await worker.turns.append(lease, -1, [started(lease), { type: "text", text: "half" }]);
    const { events } = await worker.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(20_000));
    const reading = Array.fromAsync(events);
    const [taken] = (await untilClaimed(other)).lapsed;
    if (taken === undefined) throw new Error("Nothing was claimed");
    await expect(worker.turns.append(lease, 4, [{ type: "text", text: "late" }])).rejects.toBeInstanceOf(LeaseLost);
    await other.turns.settle(taken.lease, 4, [{ type: "text", text: " and half" }, ended], { beginNext: true });
    const log = (await reading).flat();
    expect(log.map(({ event }) => (event.type === "text" ? event.text : event.type)).join("")).toBe(
      "turnhalf and halfend",
    );
  });

  test("E12: the stop of a turn that a worker is to make is heard on another replica at once", async () => {
    // Its worker would never find it by itself.
    const [worker, other] = [await open({ leaseTimes: hung }), await open()];
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await other.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
    await expect.poll(() => lease.signal.reason, { timeout: 10_000, interval: 5 }).toBeInstanceOf(TurnStopRequested);
  });

  test("a session that another replica deletes takes the turn from its worker and its followers", async () => {
    const [worker, other] = [await open(), await open()];
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const third = await open();
    const { events } = await third.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(20_000));
    const reading = Array.fromAsync(events);
    reading.catch(() => undefined);
    await other.sessions.delete(capability, sessionId);
    await expect(reading).rejects.toMatchObject({ code: "session_deleted" });
    await expect.poll(() => lease.signal.reason, { timeout: 5_000 }).toBeInstanceOf(LeaseLost);
  });
});

describe("G11, G16: what is said on channels may be lost", () => {
  test("a follower that hears nothing still gets everything, and the end", async () => {
    const worker = await open();
    const other = await open({ url: await shared.deafUrl() });
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    const { events } = await other.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(20_000));
    const reading = Array.fromAsync(events);
    let head = await worker.turns.append(lease, -1, [started(lease)]);
    for (const text of ["one ", "two ", "three"]) {
      head = await worker.turns.append(lease, head, [{ type: "text", text }]);
      await delay(300);
    }
    await worker.turns.settle(lease, head, [ended], { beginNext: true });
    const log = (await reading).flat();
    expect(log.map(({ event }) => (event.type === "text" ? event.text : event.type)).join("")).toBe(
      "turnone two threeend",
    );
  });

  test("a worker that did not hear of a stop finds it with its next sign of life", async () => {
    const worker = await open();
    const sessionId = await openTestSession(worker);
    const { lease } = await beginTurn(worker, sessionId);
    await shared.server.command("HSET", `chat:{${sessionId}}`, "stop", "1");
    await expect.poll(() => lease.signal.reason, { timeout: 5_000 }).toBeInstanceOf(TurnStopRequested);
  });
});

test("G15: the clocks of replicas decide nothing", async () => {
  const day = 24 * 60 * 60_000;
  const worker = await open({ clock: () => Date.now() - day });
  const other = await open({ clock: () => Date.now() + day });
  const { lease } = await beginTurn(worker, await openTestSession(worker));
  for (const until = performance.now() + soon.lease; performance.now() < until; await delay(100)) {
    expect(await other.turns.claim()).toEqual({ lapsed: [], begun: [] });
  }
  await worker.turns.append(lease, -1, [started(lease)]);
});

describe("whole replicas", () => {
  async function start(): Promise<Service> {
    const service = await startService({ STORAGE_URL: shared.server.url, DEMO_WORD_DELAY_MS: "150" });
    onClose(() => service.end("SIGKILL"));
    return service;
  }

  test.each(["SIGKILL", "SIGSTOP"] as const)(
    "G13, G14: after a %s of the worker another replica finishes the answer, and its reader sees one whole text and one end",
    async (signal) => {
      const [worker, other] = [await start(), await start()];
      const { sessionId } = await openSession(worker.baseUrl);
      const asked = await send(worker.baseUrl, sessionId, "Hello");
      const following = await fetch(`${other.baseUrl}/chat/${sessionId}/1`);
      const reading = Array.fromAsync(receive(following));
      await delay(1_000);
      worker.process.kill(signal);
      const seen = await reading;
      expect(seen.at(-1)).toMatchObject({ type: "end", data: { status: "completed" } });
      expect(seen.filter(({ type }) => type === "end")).toHaveLength(1);
      const whole = textOf(seen);
      if (signal === "SIGSTOP") {
        worker.process.kill("SIGCONT");
        // It finds out that the turn is not its own any more, and goes on telling what the other one said.
        expect(textOf(await Array.fromAsync(receive(asked)))).toBe(whole);
      }
      await delay(500);
      const history = (await (await fetch(`${other.baseUrl}/chat_history/${sessionId}`)).json()) as {
        message_history: { content: string; status: string }[];
      };
      expect(history.message_history[1]).toMatchObject({ status: "completed", content: whole });
    },
    60_000,
  );
});
