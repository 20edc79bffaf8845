import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { engineOf, finish, producer, say, sayAndHang } from "../../test/helpers/producers.ts";
import { beginTurn, capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import { Problem } from "../protocol/problems.ts";
import type { Storage, TurnStore } from "../storage/storage.ts";
import type { TurnEngine } from "./engine.ts";
import type { Producer } from "./producer.ts";

describe("turns of a service that goes down", () => {
  let storage: Storage;
  let engine: TurnEngine;
  let sessionId: string;

  beforeEach(async () => {
    storage = await openTestStorage();
    engine = engineOf(storage.turns);
    sessionId = await openTestSession(storage);
  });

  afterEach(() => storage.close());

  /** Gives the number of the turn. */
  async function start(from: Producer, on: TurnEngine = engine): Promise<number> {
    const begun = await beginTurn(storage, sessionId);
    on.start(begun, from);
    return begun.lease.turn;
  }

  test("H2: draining lets turns end within the grace and leaves the rest to the next start, with their text", async () => {
    const quick = await start(
      producer(async function* () {
        await delay(30);
        yield* say("done", finish);
      }),
    );
    const first = sessionId;
    sessionId = await openTestSession(storage);
    const endless = await start(producer((signal) => sayAndHang(signal, "half")));
    await engine.drain(100);
    expect(engine.running).toBe(0);
    expect(await storage.turns.read(capability, first, quick)).toMatchObject({ status: "completed" });
    expect(await storage.turns.read(capability, sessionId, endless)).toMatchObject({
      status: "running",
      answer: "half",
    });
    const { lapsed } = await storage.turns.claim();
    expect(lapsed).toMatchObject([{ lease: { turn: endless }, text: "half", crashes: 0 }]);
  });

  test("where a start would not take them up, draining settles the rest as interrupted", async () => {
    const ending = engineOf(storage.turns, { policy: "interrupt" });
    const endless = await start(
      producer((signal) => sayAndHang(signal, "half")),
      ending,
    );
    await ending.drain(50);
    expect(await storage.turns.read(capability, sessionId, endless)).toMatchObject({
      status: "interrupted",
      answer: "half",
      error: { code: "turn_interrupted", retryable: true },
    });
  });

  test("a turn that starts when the grace is over is left to the next start too", async () => {
    await engine.drain(0);
    const turn = await start(producer((signal) => sayAndHang(signal, "half")));
    await expect.poll(() => engine.running).toBe(0);
    expect((await storage.turns.claim()).lapsed).toMatchObject([{ lease: { turn } }]);
  });

  test("H2: what waits when the service goes down is left to the next start, also where an end had to be tried again", async () => {
    let tries = 0;
    const turns: TurnStore = {
      ...storage.turns,
      settle(...given) {
        if (++tries > 1) return storage.turns.settle(...given);
        void going.drain(10_000);
        return Promise.reject(new Problem("storage_full", "Full."));
      },
    };
    const going = engineOf(turns);
    await start(
      producer(() => say("first", finish)),
      going,
    );
    const ask = { kind: "prompt", prompt: "second" } as const;
    await storage.turns.accept(capability, { sessionId, ask, ifBusy: "queue" });
    await expect.poll(() => tries).toBe(1);
    await going.drain(10_000);
    expect(await storage.sessions.read(capability, sessionId)).toMatchObject({ running: null, queued: 1 });
  });

  test("draining does not wait for a storage that refuses to settle: the next start finds the turn", async () => {
    const full = { ...storage.turns, settle: () => Promise.reject(new Problem("storage_full", "Full.")) };
    const stuck = engineOf(full);
    const turn = await start(
      producer(() => say("kept", finish)),
      stuck,
    );
    await delay(50);
    await stuck.drain(50);
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({ status: "running", answer: "kept" });
    expect((await storage.turns.claim()).lapsed).toMatchObject([{ text: "kept", crashes: 0 }]);
  });
});
