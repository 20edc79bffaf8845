import { getEventListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aborted, engineOf, finish, producer, say, sayAndHang } from "../../test/helpers/producers.ts";
import {
  beginTurn,
  capability,
  openTestSession,
  openTestStorage,
  silentLog,
  unbegunStop,
} from "../../test/helpers/storage.ts";
import type { TurnEvent } from "../protocol/events.ts";
import { Problem } from "../protocol/problems.ts";
import { PositionRefused, type Storage, type TurnStore } from "../storage/storage.ts";
import type { TurnEngine } from "./engine.ts";
import type { Produced, Producer } from "./producer.ts";
import { runTurn } from "./run-turn.ts";

describe("the turn engine", () => {
  let storage: Storage;
  let engine: TurnEngine;
  let sessionId: string;

  beforeEach(async () => {
    storage = await openTestStorage();
    engine = engineOf(storage.turns);
    sessionId = await openTestSession(storage);
  });

  afterEach(() => storage.close());

  async function start(from: Producer, on: TurnEngine = engine): Promise<number> {
    const begun = await beginTurn(storage, sessionId);
    on.start(begun, from);
    return begun.lease.turn;
  }

  async function log(turn: number): Promise<TurnEvent[]> {
    const { events } = await storage.turns.follow(capability, sessionId, turn, -1, AbortSignal.timeout(10_000));
    return (await Array.fromAsync(events)).flat().map(({ event }) => event);
  }

  async function read(from: Producer) {
    const turn = await start(from);
    await log(turn);
    return storage.turns.read(capability, sessionId, turn);
  }

  test("a whole answer is logged and completed, with what the model told", async () => {
    const turn = await start(producer(() => say("Hello, ", "TR!", finish), 2));
    expect((await log(turn)).at(0)).toEqual({
      type: "turn",
      session_id: sessionId,
      turn,
      model: "asked",
      trimmed_turns: 2,
    });
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "completed",
      answer: "Hello, TR!",
      end: { finish_reason: "stop", usage: { input_tokens: 3, output_tokens: 2 }, model: "answering" },
    });
  });

  test("an answer that the model cut short is incomplete and says why", async () => {
    const turn = await read(
      producer(() => say("half", { ...finish, incomplete: "max_tokens", finishReason: "length" })),
    );
    expect(turn).toMatchObject({
      status: "incomplete",
      answer: "half",
      end: { reason: "max_tokens", finish_reason: "length" },
    });
  });

  test("a failure before any text fails the turn; after it, what was said stays as an incomplete answer", async () => {
    const problem = new Problem("upstream_stalled", "It went silent.");
    const failure: Produced = { type: "failure", problem, model: "answering" };
    const error = { code: "upstream_stalled", message: "It went silent.", retryable: true };
    expect(await read(producer(() => say(failure)))).toMatchObject({ status: "failed", answer: "", error });
    expect(await read(producer(() => say("half", failure)))).toMatchObject({
      status: "incomplete",
      answer: "half",
      error,
      end: { reason: "upstream_stalled", model: "answering" },
    });
  });

  test("D44: a reset takes back what was said, half a character included, and the answer begins anew", async () => {
    const turn = await start(producer(() => say("The \ud83d", { type: "reset" }, "Hello", finish)));
    expect((await log(turn)).slice(1, -1)).toEqual([
      { type: "text", text: "The " },
      { type: "reset", text: "", reason: "fallback" },
      { type: "text", text: "Hello" },
    ]);
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "completed",
      answer: "Hello",
      end: { model: "answering" },
    });
  });

  test("D44: what fails after a reset and before any new text is failed, not incomplete", async () => {
    const failure: Produced = { type: "failure", problem: new Problem("upstream_error", "No."), model: "answering" };
    const turn = await read(producer(() => say("The ", { type: "reset" }, failure)));
    expect(turn).toMatchObject({ status: "failed", answer: "" });
  });

  test("a producer is told when its turn is over, however it went", async () => {
    const released: Producer[] = [];
    const counting = (from: Producer): Producer => ({ ...from, release: () => void released.push(from) });
    await read(counting(producer(() => say("Hello", finish))));
    await read(counting({ model: "asked", begin: () => Promise.reject(new Error("broken")) }));
    await engine.drain(5_000);
    expect(released).toHaveLength(2);
  });

  test("a fault of ours fails the turn in our words and reaches the log with its cause", async () => {
    const logged: object[] = [];
    const noting = { ...silentLog, error: (facts: object) => void logged.push(facts) };
    const listening = engineOf(storage.turns, { log: noting });
    const fault = new Error("secret detail");
    const turn = await start(
      producer(() => say(fault)),
      listening,
    );
    expect(JSON.stringify(await log(turn))).not.toContain("secret");
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "failed",
      error: { code: "internal" },
    });
    expect(logged).toEqual([expect.objectContaining({ err: fault })]);
  });

  test("a producer that cannot even begin fails the turn", async () => {
    const broken: Producer = {
      model: "asked",
      begin: () => Promise.reject(new Problem("storage_unavailable", "No history.")),
    };
    expect(await read(broken)).toMatchObject({ status: "failed", error: { code: "storage_unavailable" } });
  });

  test("a producer that ends without saying that it finished never completes a turn", async () => {
    expect(await read(producer(() => say("half")))).toMatchObject({ status: "incomplete", answer: "half" });
  });

  test("D42: a stop ends the turn as stopped with its text, even when a completion races it", async () => {
    const turn = await start(producer((signal) => sayAndHang(signal, "so far")));
    await delay(20);
    await storage.turns.requestStop(capability, sessionId, turn, unbegunStop(sessionId, turn));
    await log(turn);
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "stopped",
      answer: "so far",
    });

    const deaf = producer(async function* () {
      yield* say("text");
      await storage.turns.requestStop(capability, sessionId, turn + 1, unbegunStop(sessionId, turn + 1));
      yield finish;
    });
    await log(await start(deaf));
    expect(await storage.turns.read(capability, sessionId, turn + 1)).toMatchObject({
      status: "stopped",
      answer: "text",
    });
  });

  test("a stop before the first event still gives a log that begins with turn and ends with end", async () => {
    const waiting: Producer = {
      model: "asked",
      begin: aborted,
    };
    const turn = await start(waiting);
    await storage.turns.requestStop(capability, sessionId, turn, unbegunStop(sessionId, turn));
    expect((await log(turn)).map(({ type }) => type)).toEqual(["turn", "end"]);
  });

  test("half a character at the very end of an answer is kept as U+FFFD, before the end event", async () => {
    expect(await read(producer(() => say("ok \ud83e", finish)))).toMatchObject({
      status: "completed",
      answer: "ok \ufffd",
    });
  });

  test("C23: while an append is under way the producer is not pulled, so that a slow storage makes the model wait", async () => {
    let appending = 0;
    let pulledMeanwhile = 0;
    const turns: TurnStore = {
      ...storage.turns,
      async append(...given) {
        appending += 1;
        await delay(5);
        const head = await storage.turns.append(...given);
        appending -= 1;
        return head;
      },
    };
    const slow = engineOf(turns);
    const turn = await start(
      producer(async function* () {
        for (let index = 0; index < 5; index += 1) {
          pulledMeanwhile += appending;
          yield* say("x");
        }
        yield finish;
      }),
      slow,
    );
    await log(turn);
    expect(pulledMeanwhile).toBe(0);
  });

  test("a settling that the storage refuses for now is tried again until it is done", async () => {
    let refusals = 2;
    const turns: TurnStore = {
      ...storage.turns,
      settle: (...given) =>
        refusals-- > 0 ? Promise.reject(new Problem("storage_full", "Full.")) : storage.turns.settle(...given),
    };
    const turn = await start(
      producer(() => say("kept", finish)),
      engineOf(turns),
    );
    await log(turn);
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "completed",
      answer: "kept",
    });
  });

  test("a turn that has ended listens to nobody any more", async () => {
    const going = new AbortController();
    const begun = await beginTurn(storage, sessionId);
    await runTurn({
      turns: storage.turns,
      begun,
      producer: producer(() => say("Hello", finish)),
      interrupt: going.signal,
      policy: "restart",
      beginsNext: () => true,
      log: silentLog,
    });
    for (const signal of [going.signal, begun.lease.signal]) expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("an append whose answer was lost is not written twice and fails nothing", async () => {
    let lost = false;
    const turns: TurnStore = {
      ...storage.turns,
      async append(lease, position, events) {
        const head = await storage.turns.append(lease, position, events);
        if (lost || events[0]?.type !== "text") return head;
        lost = true;
        throw new PositionRefused(head);
      },
    };
    const flaky = engineOf(turns);
    const turn = await start(
      producer(() => say("Hello ", "world", finish)),
      flaky,
    );
    await log(turn);
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "completed",
      answer: "Hello world",
    });
  });

  test("an append that was done although the storage says that it failed keeps no turn from ending", async () => {
    const turns: TurnStore = {
      ...storage.turns,
      async append(...given) {
        const head = await storage.turns.append(...given);
        if (given[2][0]?.type !== "text") return head;
        throw new Problem("storage_unavailable", "Nobody knows.");
      },
    };
    const turn = await start(
      producer(() => say("said", finish)),
      engineOf(turns),
    );
    expect((await log(turn)).map(({ type }) => type)).toEqual(["turn", "text", "error", "end"]);
  });

  test("a storage failure in mid-answer ends the turn with what was stored, and reaches the log", async () => {
    const logged: object[] = [];
    let appends = 0;
    const turns: TurnStore = {
      ...storage.turns,
      append: (...given) =>
        ++appends > 2 ? Promise.reject(new Problem("storage_full", "Full.")) : storage.turns.append(...given),
    };
    const noting = { ...silentLog, warn: (facts: object) => void logged.push(facts) };
    const turn = await start(
      producer(() => say("kept ", "not stored", finish)),
      engineOf(turns, { log: noting }),
    );
    await log(turn);
    expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject({
      status: "incomplete",
      answer: "kept ",
      end: { reason: "storage_full" },
    });
    expect(logged).toMatchObject([{ err: { code: "storage_full" } }]);
  });

  test("a turn whose session is deleted ends quietly", async () => {
    const logged: object[] = [];
    const noting = { ...silentLog, error: (facts: object) => void logged.push(facts) };
    const listening = engineOf(storage.turns, { log: noting });
    await start(
      producer((signal) => sayAndHang(signal, "half")),
      listening,
    );
    await delay(20);
    await storage.sessions.delete({ by: "owner", principal: "guest:test" }, sessionId);
    await listening.drain(1_000);
    expect(listening.running).toBe(0);
    expect(logged).toEqual([]);
  });
});
