import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { engineOf, finish, producer, say, sayAndHang } from "../../test/helpers/producers.ts";
import { beginTurn, capability, openTestSession, silentLog, unbegunStop } from "../../test/helpers/storage.ts";
import type { LoggedEvent, TurnEvent } from "../protocol/events.ts";
import { resetStride } from "../protocol/positions.ts";
import { Problem, type ProblemCode } from "../protocol/problems.ts";
import { mergeText } from "../storage/event-log.ts";
import { openSqliteStorage } from "../storage/sqlite/open.ts";
import type { BegunTurn, LapsedTurn, Storage, TurnStore } from "../storage/storage.ts";
import type { Producers, TurnEngineOptions } from "./engine.ts";
import type { Producer } from "./producer.ts";
import { mostCrashes } from "./recovery.ts";

/** A storage that is closed while turns run is what a killed process leaves to the next. */
describe("the turns of a dead process", () => {
  let directory: string;
  let storage: Storage;
  let sessionId: string;

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "chat-recovery-"));
    storage = await open();
    sessionId = await openTestSession(storage);
  });

  afterEach(async () => {
    await storage.close();
    await rm(directory, { recursive: true });
  });

  function open(): Promise<Storage> {
    const onFatal = (error: Error) => {
      throw error;
    };
    return openSqliteStorage({ path: path.join(directory, "chat.db"), onFatal });
  }

  async function die(): Promise<void> {
    await storage.close();
    storage = await open();
  }

  /** Leaves a turn with this text, or without any event, and a dead process. */
  async function leave(text: string | undefined): Promise<void> {
    const { lease } = await beginTurn(storage, sessionId, "Hello!");
    const started: TurnEvent = { type: "turn", session_id: sessionId, turn: 1, model: "old" };
    const said: TurnEvent[] = text === undefined ? [] : text === "" ? [started] : [started, { type: "text", text }];
    if (said.length > 0) await storage.turns.append(lease, -1, said);
    await die();
  }

  type Asked = { readonly begun: BegunTurn; readonly published: string };

  /** An engine of the next process, and what its producers were asked for. */
  function restarted(play: Producer, options: Partial<Omit<TurnEngineOptions, "producers">> & Partial<Producers> = {}) {
    const asked: Asked[] = [];
    const { goOn = false, ...others } = options;
    const producerOf = (begun: BegunTurn, published: string) => {
      asked.push({ begun, published });
      return play;
    };
    return { asked, engine: engineOf(storage.turns, { ...others, producers: { producerOf, goOn } }) };
  }

  /** All that comes after a position until the end, the text in one piece. */
  async function follow(turn: number, after: number): Promise<LoggedEvent[]> {
    const { events } = await storage.turns.follow(capability, sessionId, turn, after, AbortSignal.timeout(10_000));
    return mergeText((await Array.fromAsync(events)).flat());
  }

  const log = async (turn = 1) => (await follow(turn, -1)).map(({ event }) => event);

  const read = (turn = 1) => storage.turns.read(capability, sessionId, turn);

  const answering = producer(() => say("Hello, ", "TR!", finish));

  test.each([undefined, ""])("F1: of which nothing was published are asked again (%j)", async (text) => {
    await leave(text);
    const { asked, engine } = restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
    const model = text === undefined ? "asked" : "old";
    expect(await log()).toMatchObject([{ type: "turn", model }, { type: "text", text: "Hello, TR!" }, { type: "end" }]);
    expect(asked).toMatchObject([{ begun: { prompt: "Hello!" }, published: "" }]);
  });

  test("F1: of which text was published begin anew, by a reset right before the new text", async () => {
    await leave("Hel");
    const { asked, engine } = restarted(answering);
    await engine.recover();
    expect((await log()).slice(1)).toMatchObject([
      { type: "text", text: "Hel" },
      { type: "reset", text: "", reason: "restart" },
      { type: "text", text: "Hello, TR!" },
      { type: "end", status: "completed" },
    ]);
    expect(asked).toMatchObject([{ published: "" }]);
    expect((await read()).answer).toBe("Hello, TR!");
  });

  test("F1: go on from their text where a producer can, and no character comes twice", async () => {
    await leave("Hel");
    const { asked, engine } = restarted(
      producer(() => say("lo, TR!", finish)),
      { goOn: true },
    );
    await engine.recover();
    expect((await log()).slice(1, -1)).toEqual([{ type: "text", text: "Hello, TR!" }]);
    expect(asked).toMatchObject([{ published: "Hel" }]);
  });

  test("what was published stands where asking again comes to nothing: nothing that was said is lost", async () => {
    await leave("Hel");
    const failure = { type: "failure", problem: new Problem("upstream_unreachable", "No."), model: "m" } as const;
    await restarted(producer(() => say(failure))).engine.recover();
    await log();
    expect(await read()).toMatchObject({
      status: "incomplete",
      answer: "Hel",
      error: { code: "upstream_unreachable" },
    });
  });

  test("what was published stands where the storage refuses the new text: nothing that was said is lost", async () => {
    await leave("Hel");
    const turns: TurnStore = {
      ...storage.turns,
      append: () => Promise.reject(new Problem("storage_full", "Full.")),
    };
    await engineOf(turns, { producers: { producerOf: () => answering } }).recover();
    await log();
    expect(await read()).toMatchObject({ status: "incomplete", answer: "Hel", end: { reason: "storage_full" } });
  });

  test("half a character is no new text: what was published stands where nothing comes of it", async () => {
    await leave("Hel");
    const failure = { type: "failure", problem: new Problem("upstream_stalled", "No."), model: "m" } as const;
    await restarted(producer(() => say("\ud83d", { type: "reset" }, failure))).engine.recover();
    await log();
    expect(await read()).toMatchObject({ status: "incomplete", answer: "Hel" });
  });

  test("a stop while they are asked again leaves what was published", async () => {
    await leave("Hel");
    await restarted(producer((signal) => sayAndHang(signal))).engine.recover();
    await storage.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
    await log();
    expect(await read()).toMatchObject({ status: "stopped", answer: "Hel" });
  });

  test("end as interrupted, with their text, where the operator wants that", async () => {
    await leave("Hel");
    expect(await restarted(answering, { policy: "interrupt" }).engine.recover()).toEqual({ ended: 1, resumed: 0 });
    expect(await read()).toMatchObject({ status: "interrupted", answer: "Hel", end: { model: "old" } });
  });

  test("H2: whose ends the storage refuses are waited for while draining, but not for ever", async () => {
    await leave("Hel");
    let refusals = 0;
    const settle = () => {
      refusals += 1;
      return Promise.reject(new Problem("storage_full", "Full."));
    };
    const engine = engineOf({ ...storage.turns, settle }, { policy: "interrupt" });
    const recovering = engine.recover();
    await expect.poll(() => refusals).toBeGreaterThan(0);
    expect(engine.running).toBe(1);
    await engine.drain(0);
    expect(engine.running).toBe(0);
    expect(await recovering).toEqual({ ended: 1, resumed: 0 });
    expect(await read()).toMatchObject({ status: "running", answer: "Hel" });
  });

  test("E12: end as stopped when somebody had asked for that", async () => {
    const { lease } = await beginTurn(storage, sessionId);
    await storage.turns.requestStop(capability, sessionId, lease.turn, unbegunStop(sessionId, 1));
    await die();
    expect(await restarted(answering).engine.recover()).toEqual({ ended: 1, resumed: 0 });
    expect(await read()).toMatchObject({ status: "stopped", error: null });
  });

  test("H10: are poisoned after three crashes with the same turn, and keep their text", async () => {
    await leave("Hel");
    const hanging = producer((signal) => sayAndHang(signal));
    for (let crash = 1; crash < mostCrashes; crash += 1) {
      expect(await restarted(hanging).engine.recover()).toEqual({ ended: 0, resumed: 1 });
      await die();
    }
    expect(await restarted(hanging).engine.recover()).toEqual({ ended: 1, resumed: 0 });
    expect(await read()).toMatchObject({
      status: "failed",
      answer: "Hel",
      error: { code: "poisoned", retryable: false },
    });
  });

  test("E12, H10: end as stopped when somebody had asked for that, however many crashes there were", async () => {
    await leave("Hel");
    for (let crash = 1; crash < mostCrashes; crash += 1) {
      await storage.turns.claim();
      if (crash === 1) await storage.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
      await die();
    }
    await restarted(answering).engine.recover();
    expect(await read()).toMatchObject({ status: "stopped", answer: "Hel", error: null });
  });

  test("H10: a drain does not count as a crash, however often it happens", async () => {
    await leave("Hel");
    for (let drains = 0; drains < 5; drains += 1) {
      const { engine } = restarted(producer((signal) => sayAndHang(signal)));
      expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
      await engine.drain(0);
      await die();
    }
    await restarted(answering).engine.recover();
    await log();
    expect(await read()).toMatchObject({ status: "completed" });
  });

  test("those that waited begin when the one before them has ended, in order", async () => {
    await leave("Hel");
    for (const prompt of ["second", "third"]) {
      await storage.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt }, ifBusy: "queue" });
    }
    const { asked, engine } = restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
    await log(3);
    expect(asked.map(({ begun }) => begun.prompt)).toEqual(["Hello!", "second", "third"]);
  });

  test("those that waited are answered also where the one before them only ends", async () => {
    await leave("Hel");
    await storage.turns.accept(capability, {
      sessionId,
      ask: { kind: "prompt", prompt: "second" },
      ifBusy: "queue",
    });
    const { asked, engine } = restarted(answering, { policy: "interrupt" });
    await engine.recover();
    await log(2);
    expect(asked.map(({ begun }) => begun.prompt)).toEqual(["second"]);
    expect(await read(2)).toMatchObject({ status: "completed" });
  });

  test("those that waited alone begin", async () => {
    const { lease } = await beginTurn(storage, sessionId);
    const ask = { kind: "prompt", prompt: "second" } as const;
    await storage.turns.accept(capability, { sessionId, ask, ifBusy: "queue" });
    await storage.turns.settle(lease, -1, unbegunStop(sessionId, 1), { beginNext: false });
    await die();
    const { asked, engine } = restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
    await log(2);
    expect(asked).toMatchObject([{ begun: { prompt: "second" }, published: "" }]);
    expect(await read(2)).toMatchObject({ status: "completed" });
  });

  test("one that was replaced while it ran ends with its text, and the other is answered", async () => {
    await leave("Hel");
    const ask = { kind: "prompt", prompt: "edited", replaces: 1 } as const;
    await storage.turns.accept(capability, { sessionId, ask, ifBusy: "queue" });
    const { asked, engine } = restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 1, resumed: 0 });
    await log(2);
    expect(asked.map(({ begun }) => begun.prompt)).toEqual(["edited"]);
    expect(await read()).toMatchObject({ status: "stopped", answer: "Hel" });
  });

  test("one that was replaced while it waited ends without anybody being asked", async () => {
    await leave("Hel");
    for (const replaces of [undefined, 2]) {
      const ask = { kind: "prompt", prompt: `replaces ${replaces}`, replaces } as const;
      await storage.turns.accept(capability, { sessionId, ask, ifBusy: "queue" });
    }
    const played: string[] = [];
    const { engine, asked } = restarted(
      producer(async function* () {
        played.push("once");
        yield* say("Hi.", finish);
      }),
    );
    await engine.recover();
    await log(3);
    expect(asked).toHaveLength(3);
    expect(played).toHaveLength(2);
    expect(await read(2)).toMatchObject({ status: "stopped", answer: "" });
  });

  describe("whose log may have lost its end, as after a power failure", () => {
    async function losing(text: string | undefined): Promise<TurnStore> {
      await leave(text);
      const claim = async () => {
        const { lapsed, begun } = await storage.turns.claim();
        return { lapsed: lapsed.map((turn): LapsedTurn => ({ ...turn, tailMayBeLost: true })), begun };
      };
      return { ...storage.turns, claim };
    }

    function recover(turns: TurnStore, play: Producer, goOn = false) {
      const producers = { producerOf: () => play, goOn };
      return engineOf(turns, { producers }).recover();
    }

    test("F2: begin anew at positions that were never used", async () => {
      await recover(await losing("Hel"), answering);
      await log();
      // What a client may have seen of the part that was lost.
      expect(await follow(1, 50)).toMatchObject([
        { position: resetStride, event: { type: "reset", text: "Hel", reason: "takeover" } },
        { position: resetStride + 1, event: { type: "reset", text: "", reason: "restart" } },
        { event: { type: "text", text: "Hello, TR!" } },
        { event: { type: "end" } },
      ]);
    });

    test("F2: tell what is left and go on from there where a producer can", async () => {
      await recover(
        await losing("Hel"),
        producer(() => say("lo!", finish)),
        true,
      );
      expect((await log()).slice(2, -1)).toMatchObject([
        { type: "reset", text: "Hel", reason: "takeover" },
        { type: "text", text: "lo!" },
      ]);
      expect((await read()).answer).toBe("Hello!");
    });

    test.each([undefined, "", "Hel"])(
      "F2: never use a position twice, also where nothing more is said (%j)",
      async (text) => {
        const broken: Producer = { model: "asked", begin: () => Promise.reject(new Problem("upstream_error", "No.")) };
        await recover(await losing(text), broken);
        const types = (await log()).map(({ type }) => type);
        expect(types.filter((type) => type !== "text")).toEqual(["turn", "reset", "error", "end"]);
        expect((await read()).head).toBe(resetStride + 2);
      },
    );
  });

  test("do not keep the service from starting when the storage refuses for now", async () => {
    const turns = { ...storage.turns, claim: () => Promise.reject(new Problem("storage_full", "Full.")) };
    expect(await engineOf(turns, { log: silentLog }).recover()).toEqual({ ended: 0, resumed: 0 });
  });

  describe("where the storage refuses for now", () => {
    let claims: number;

    beforeEach(() => {
      claims = 0;
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    });

    afterEach(() => void vi.useRealTimers());

    /** Refuses with these one after the other, then has nothing to take over. */
    function refusing(...refusals: ProblemCode[]): TurnStore {
      const claim = async () => {
        const code = refusals[claims++];
        if (code !== undefined) throw new Problem(code, "Not now.");
        return { lapsed: [], begun: [] };
      };
      return { ...storage.turns, claim };
    }

    test("F6: are asked for again in the background until they are there, or are known to be damaged", async () => {
      await engineOf(refusing("storage_full", "storage_unavailable")).recover();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(claims).toBe(3);

      claims = 0;
      const logged: object[] = [];
      const noting = { ...silentLog, error: (facts: object) => void logged.push(facts) };
      await engineOf(refusing("storage_full", "storage_corrupt"), { log: noting }).recover();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(claims).toBe(2);
      expect(logged).toMatchObject([{ err: { code: "storage_full" } }, { err: { code: "storage_corrupt" } }]);
    });

    test("H2: are left to the next start once this one goes down", async () => {
      const engine = engineOf(refusing("storage_full"));
      await engine.recover();
      await engine.drain(0);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(claims).toBe(1);
    });
  });
});
