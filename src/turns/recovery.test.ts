import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MortalStorage } from "../../test/helpers/mortal-storage.ts";
import { engineOf, finish, producer, say, sayAndHang } from "../../test/helpers/producers.ts";
import { beginTurn, capability, silentLog, unbegunStop } from "../../test/helpers/storage.ts";
import { Problem, type ProblemCode } from "../protocol/problems.ts";
import type { TurnStore } from "../storage/storage.ts";
import { mostCrashes } from "./recovery.ts";

describe("the turns of a dead process", () => {
  let mortal: MortalStorage;

  beforeEach(async () => {
    mortal = await MortalStorage.open();
  });

  afterEach(() => mortal.close());

  const answering = producer(() => say("Hello, ", "TR!", finish));

  test.each([undefined, ""])("F1: of which nothing was published are asked again (%j)", async (text) => {
    await mortal.leave(text);
    const { asked, engine } = mortal.restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
    const model = text === undefined ? "asked" : "old";
    expect(await mortal.log()).toMatchObject([
      { type: "turn", model },
      { type: "text", text: "Hello, TR!" },
      { type: "end" },
    ]);
    expect(asked).toMatchObject([{ begun: { prompt: "Hello!" }, published: "" }]);
  });

  test("F1: of which text was published begin anew, by a reset right before the new text", async () => {
    await mortal.leave("Hel");
    const { asked, engine } = mortal.restarted(answering);
    await engine.recover();
    expect((await mortal.log()).slice(1)).toMatchObject([
      { type: "text", text: "Hel" },
      { type: "reset", text: "", reason: "restart" },
      { type: "text", text: "Hello, TR!" },
      { type: "end", status: "completed" },
    ]);
    expect(asked).toMatchObject([{ published: "" }]);
    expect((await mortal.read()).answer).toBe("Hello, TR!");
  });

  test("F1: go on from their text where a producer can, and no character comes twice", async () => {
    await mortal.leave("Hel");
    const { asked, engine } = mortal.restarted(
      producer(() => say("lo, TR!", finish)),
      { goOn: true },
    );
    await engine.recover();
    expect((await mortal.log()).slice(1, -1)).toEqual([{ type: "text", text: "Hello, TR!" }]);
    expect(asked).toMatchObject([{ published: "Hel" }]);
  });

  test("what was published stands where asking again comes to nothing: nothing that was said is lost", async () => {
    await mortal.leave("Hel");
    const failure = { type: "failure", problem: new Problem("upstream_unreachable", "No."), model: "m" } as const;
    await mortal.restarted(producer(() => say(failure))).engine.recover();
    await mortal.log();
    expect(await mortal.read()).toMatchObject({
      status: "incomplete",
      answer: "Hel",
      error: { code: "upstream_unreachable" },
    });
  });

  test("what was published stands where the storage refuses the new text: nothing that was said is lost", async () => {
    await mortal.leave("Hel");
    const turns: TurnStore = {
      ...mortal.storage.turns,
      append: () => Promise.reject(new Problem("storage_full", "Full.")),
    };
    await engineOf(turns, { producers: { producerOf: () => answering } }).recover();
    await mortal.log();
    expect(await mortal.read()).toMatchObject({ status: "incomplete", answer: "Hel", end: { reason: "storage_full" } });
  });

  test("half a character is no new text: what was published stands where nothing comes of it", async () => {
    await mortal.leave("Hel");
    const failure = { type: "failure", problem: new Problem("upstream_stalled", "No."), model: "m" } as const;
    await mortal.restarted(producer(() => say("\ud83d", { type: "reset" }, failure))).engine.recover();
    await mortal.log();
    expect(await mortal.read()).toMatchObject({ status: "incomplete", answer: "Hel" });
  });

  test("a stop while they are asked again leaves what was published", async () => {
    await mortal.leave("Hel");
    await mortal.restarted(producer((signal) => sayAndHang(signal))).engine.recover();
    await mortal.storage.turns.requestStop(capability, mortal.sessionId, 1, unbegunStop(mortal.sessionId, 1));
    await mortal.log();
    expect(await mortal.read()).toMatchObject({ status: "stopped", answer: "Hel" });
  });

  test("end as interrupted, with their text, where the operator wants that", async () => {
    await mortal.leave("Hel");
    expect(await mortal.restarted(answering, { policy: "interrupt" }).engine.recover()).toEqual({
      ended: 1,
      resumed: 0,
    });
    expect(await mortal.read()).toMatchObject({ status: "interrupted", answer: "Hel", end: { model: "old" } });
  });

  test("H2: whose ends the storage refuses are waited for while draining, but not for ever", async () => {
    await mortal.leave("Hel");
    let refusals = 0;
    const settle = () => {
      refusals += 1;
      return Promise.reject(new Problem("storage_full", "Full."));
    };
    const engine = engineOf({ ...mortal.storage.turns, settle }, { policy: "interrupt" });
    const recovering = engine.recover();
    await expect.poll(() => refusals).toBeGreaterThan(0);
    expect(engine.running).toBe(1);
    await engine.drain(0);
    expect(engine.running).toBe(0);
    expect(await recovering).toEqual({ ended: 1, resumed: 0 });
    expect(await mortal.read()).toMatchObject({ status: "running", answer: "Hel" });
  });

  test("E12: end as stopped when somebody had asked for that", async () => {
    const { lease } = await beginTurn(mortal.storage, mortal.sessionId);
    await mortal.storage.turns.requestStop(capability, mortal.sessionId, lease.turn, unbegunStop(mortal.sessionId, 1));
    await mortal.die();
    expect(await mortal.restarted(answering).engine.recover()).toEqual({ ended: 1, resumed: 0 });
    expect(await mortal.read()).toMatchObject({ status: "stopped", error: null });
  });

  test("H10: are poisoned after three crashes with the same turn, and keep their text", async () => {
    await mortal.leave("Hel");
    const hanging = producer((signal) => sayAndHang(signal));
    for (let crash = 1; crash < mostCrashes; crash += 1) {
      expect(await mortal.restarted(hanging).engine.recover()).toEqual({ ended: 0, resumed: 1 });
      await mortal.die();
    }
    expect(await mortal.restarted(hanging).engine.recover()).toEqual({ ended: 1, resumed: 0 });
    expect(await mortal.read()).toMatchObject({
      status: "failed",
      answer: "Hel",
      error: { code: "poisoned", retryable: false },
    });
  });

  test("E12, H10: end as stopped when somebody had asked for that, however many crashes there were", async () => {
    await mortal.leave("Hel");
    for (let crash = 1; crash < mostCrashes; crash += 1) {
      await mortal.storage.turns.claim();
      if (crash === 1)
        await mortal.storage.turns.requestStop(capability, mortal.sessionId, 1, unbegunStop(mortal.sessionId, 1));
      await mortal.die();
    }
    await mortal.restarted(answering).engine.recover();
    expect(await mortal.read()).toMatchObject({ status: "stopped", answer: "Hel", error: null });
  });

  test("H10: a drain does not count as a crash, however often it happens", async () => {
    await mortal.leave("Hel");
    for (let drains = 0; drains < 5; drains += 1) {
      const { engine } = mortal.restarted(producer((signal) => sayAndHang(signal)));
      expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
      await engine.drain(0);
      await mortal.die();
    }
    await mortal.restarted(answering).engine.recover();
    await mortal.log();
    expect(await mortal.read()).toMatchObject({ status: "completed" });
  });

  test("do not keep the service from starting when the storage refuses for now", async () => {
    const turns = { ...mortal.storage.turns, claim: () => Promise.reject(new Problem("storage_full", "Full.")) };
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
      return { ...mortal.storage.turns, claim };
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
