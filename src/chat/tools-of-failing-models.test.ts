import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { calls, DiceAnswers, finish, type Script, text, told, used } from "../../test/helpers/dice.ts";
import { ModelError } from "../models/model.ts";

describe("an answer with tools", () => {
  let dice: DiceAnswers;

  beforeEach(async () => {
    dice = await DiceAnswers.open();
  });

  afterEach(() => dice.close());

  describe("whose model takes no tools", () => {
    const refuses: Script = ({ tools: offered }) => {
      if (offered !== undefined) {
        throw new ModelError("upstream_rejected", "No.", { model: "m", refusesTools: true });
      }
      return [text("Hello."), finish()];
    };

    test("does and says by plain rules what the prompt asks for", async () => {
      const turn = await dice.ask("roll the dice", refuses);
      expect(turn).toMatchObject({
        status: "completed",
        answer: `Plainly: ${told("plain")}`,
        tools: [used(1, "plain")],
        end: { usage: null, model: "m" },
      });
      expect(dice.requests).toHaveLength(1);
      expect(await dice.storage.usage.read("guest:test", { from: 0, to: 100_000, limit: 10 })).toEqual([]);
    });

    test("talks where the rules find nothing to do, without a word about tools", async () => {
      expect(await dice.ask("What are dice?", refuses)).toMatchObject({ answer: "Hello.", tools: [] });
      expect(dice.requests.map(({ messages }) => messages[0]?.content)).toEqual([
        "Be kind.\n\nDice may be rolled.",
        "Be kind.",
      ]);
    });
  });

  test.each(["upstream_rejected", "upstream_timeout", "empty_answer"] as const)(
    "tells plainly what was done when the model then fails with %s",
    async (code) => {
      const turn = await dice.ask(
        "Some dice!",
        () => calls("a"),
        () => {
          throw new ModelError(code, "No.", { model: "m" });
        },
      );
      expect(turn).toMatchObject({ status: "completed", answer: `Plainly: ${told("a")}`, error: null });
    },
  );

  test("that was said in part when the model fails is incomplete, as ever", async () => {
    const turn = await dice.ask(
      "Some dice!",
      () => calls("a"),
      function* () {
        yield text("It is");
        throw new ModelError("upstream_stalled", "No.", { model: "m" });
      },
    );
    expect(turn).toMatchObject({ status: "incomplete", answer: "It is", tools: [used(1, "a")] });
  });
});
