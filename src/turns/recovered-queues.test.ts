import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MortalStorage } from "../../test/helpers/mortal-storage.ts";
import { finish, producer, say } from "../../test/helpers/producers.ts";
import { beginTurn, capability, unbegunStop } from "../../test/helpers/storage.ts";

describe("the turns of a dead process", () => {
  let mortal: MortalStorage;

  beforeEach(async () => {
    mortal = await MortalStorage.open();
  });

  afterEach(() => mortal.close());

  const answering = producer(() => say("Hello, ", "TR!", finish));

  test("those that waited begin when the one before them has ended, in order", async () => {
    await mortal.leave("Hel");
    for (const prompt of ["second", "third"]) {
      await mortal.storage.turns.accept(capability, {
        sessionId: mortal.sessionId,
        ask: { kind: "prompt", prompt },
        ifBusy: "queue",
      });
    }
    const { asked, engine } = mortal.restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
    await mortal.log(3);
    expect(asked.map(({ begun }) => begun.prompt)).toEqual(["Hello!", "second", "third"]);
  });

  test("those that waited are answered also where the one before them only ends", async () => {
    await mortal.leave("Hel");
    await mortal.storage.turns.accept(capability, {
      sessionId: mortal.sessionId,
      ask: { kind: "prompt", prompt: "second" },
      ifBusy: "queue",
    });
    const { asked, engine } = mortal.restarted(answering, { policy: "interrupt" });
    await engine.recover();
    await mortal.log(2);
    expect(asked.map(({ begun }) => begun.prompt)).toEqual(["second"]);
    expect(await mortal.read(2)).toMatchObject({ status: "completed" });
  });

  test("those that waited alone begin", async () => {
    const { lease } = await beginTurn(mortal.storage, mortal.sessionId);
    const ask = { kind: "prompt", prompt: "second" } as const;
    await mortal.storage.turns.accept(capability, { sessionId: mortal.sessionId, ask, ifBusy: "queue" });
    await mortal.storage.turns.settle(lease, -1, unbegunStop(mortal.sessionId, 1), { beginNext: false });
    await mortal.die();
    const { asked, engine } = mortal.restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 0, resumed: 1 });
    await mortal.log(2);
    expect(asked).toMatchObject([{ begun: { prompt: "second" }, published: "" }]);
    expect(await mortal.read(2)).toMatchObject({ status: "completed" });
  });

  test("one that was replaced while it ran ends with its text, and the other is answered", async () => {
    await mortal.leave("Hel");
    const ask = { kind: "prompt", prompt: "edited", replaces: 1 } as const;
    await mortal.storage.turns.accept(capability, { sessionId: mortal.sessionId, ask, ifBusy: "queue" });
    const { asked, engine } = mortal.restarted(answering);
    expect(await engine.recover()).toEqual({ ended: 1, resumed: 0 });
    await mortal.log(2);
    expect(asked.map(({ begun }) => begun.prompt)).toEqual(["edited"]);
    expect(await mortal.read()).toMatchObject({ status: "stopped", answer: "Hel" });
  });

  test("one that was replaced while it waited ends without anybody being asked", async () => {
    await mortal.leave("Hel");
    for (const replaces of [undefined, 2]) {
      const ask = { kind: "prompt", prompt: `replaces ${replaces}`, replaces } as const;
      await mortal.storage.turns.accept(capability, { sessionId: mortal.sessionId, ask, ifBusy: "queue" });
    }
    const played: string[] = [];
    const { engine, asked } = mortal.restarted(
      producer(async function* () {
        played.push("once");
        yield* say("Hi.", finish);
      }),
    );
    await engine.recover();
    await mortal.log(3);
    expect(asked).toHaveLength(3);
    expect(played).toHaveLength(2);
    expect(await mortal.read(2)).toMatchObject({ status: "stopped", answer: "" });
  });
});
