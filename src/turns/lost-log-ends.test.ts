import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MortalStorage } from "../../test/helpers/mortal-storage.ts";
import { engineOf, finish, producer, say } from "../../test/helpers/producers.ts";
import { resetStride } from "../protocol/positions.ts";
import { Problem } from "../protocol/problems.ts";
import type { LapsedTurn, TurnStore } from "../storage/storage.ts";
import type { Producer } from "./producer.ts";

describe("the turns of a dead process whose log may have lost its end, as after a power failure", () => {
  let mortal: MortalStorage;

  beforeEach(async () => {
    mortal = await MortalStorage.open();
  });

  afterEach(() => mortal.close());

  const answering = producer(() => say("Hello, ", "TR!", finish));

  async function losing(text: string | undefined): Promise<TurnStore> {
    await mortal.leave(text);
    const claim = async () => {
      const { lapsed, begun } = await mortal.storage.turns.claim();
      return { lapsed: lapsed.map((turn): LapsedTurn => ({ ...turn, tailMayBeLost: true })), begun };
    };
    return { ...mortal.storage.turns, claim };
  }

  function recover(turns: TurnStore, play: Producer, goOn = false) {
    const producers = { producerOf: () => play, goOn };
    return engineOf(turns, { producers }).recover();
  }

  test("F2: begin anew at positions that were never used", async () => {
    await recover(await losing("Hel"), answering);
    await mortal.log();
    // What a client may have seen of the part that was lost.
    expect(await mortal.follow(1, 50)).toMatchObject([
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
    expect((await mortal.log()).slice(2, -1)).toMatchObject([
      { type: "reset", text: "Hel", reason: "takeover" },
      { type: "text", text: "lo!" },
    ]);
    expect((await mortal.read()).answer).toBe("Hello!");
  });

  test.each([undefined, "", "Hel"])(
    "F2: never use a position twice, also where nothing more is said (%j)",
    async (text) => {
      const broken: Producer = { model: "asked", begin: () => Promise.reject(new Problem("upstream_error", "No.")) };
      await recover(await losing(text), broken);
      const types = (await mortal.log()).map(({ type }) => type);
      expect(types.filter((type) => type !== "text")).toEqual(["turn", "reset", "error", "end"]);
      expect((await mortal.read()).head).toBe(resetStride + 2);
    },
  );
});
