import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { promptOf } from "../../test/helpers/chat.ts";
import { calls, DiceAnswers, finish, sayDone, source, text, told, used } from "../../test/helpers/dice.ts";
import { capability } from "../../test/helpers/storage.ts";
import type { WantedCall } from "../models/model.ts";
import { Problem } from "../protocol/problems.ts";
import { mostRounds } from "./tool-rounds.ts";

describe("an answer with tools", () => {
  let dice: DiceAnswers;

  beforeEach(async () => {
    dice = await DiceAnswers.open();
  });

  afterEach(() => dice.close());

  test("goes on when the calls are made, and says what every round said", async () => {
    const turn = await dice.ask("Some dice!", () => [text("Let us see."), ...calls("sourced", "b")], sayDone);
    expect(turn).toMatchObject({
      status: "completed",
      answer: "Let us see.\n\nIt is four.",
      tools: [used(1, "sourced"), used(2, "b")],
      sources: [source],
      end: { usage: { input_tokens: 20, output_tokens: 4 }, finish_reason: "stop" },
    });
    expect((await dice.log(1)).map(({ type }) => type)).toEqual([
      "turn",
      "text",
      "tool",
      "sources",
      "tool",
      "text",
      "end",
    ]);
    const [first, second] = dice.requests;
    expect(first?.tools?.tools).toEqual([
      {
        name: "roll",
        description: "Rolls a die.",
        parameters: { type: "object", properties: { die: { type: "string", maxLength: 10 } }, required: ["die"] },
      },
    ]);
    expect(first?.messages[0]?.content).toBe("Be kind.\n\nDice may be rolled.");
    const called = (id: string, die: string) => ({ id, name: "roll", arguments: `{"die":"${die}"}` });
    expect(second?.messages.slice(2)).toEqual([
      { role: "assistant", content: "Let us see.", calls: [called("call00001", "sourced"), called("call00002", "b")] },
      { role: "tool", callId: "call00001", content: told("sourced") },
      { role: "tool", callId: "call00002", content: told("b") },
    ]);
    expect(dice.runs.map(({ facts }) => facts.once)).toEqual([`${dice.sessionId}:1:1`, `${dice.sessionId}:1:2`]);
    expect(dice.runs[1]?.facts.earlier).toEqual([used(1, "sourced")]);
  });

  test("costs what all of its rounds cost", async () => {
    await dice.ask("Some dice!", () => calls("a"), sayDone);
    const rows = await dice.storage.usage.read("guest:test", { from: 0, to: 100_000, limit: 10 });
    expect(rows).toMatchObject([{ turns: 1, inputTokens: 20, outputTokens: 4, estimated: false }]);
  });

  test("has its cost estimated where the server counts only some of the rounds", async () => {
    const turn = await dice.ask(
      "Some dice!",
      () => calls("a"),
      () => [text("It is four."), finish("stop", null)],
    );
    expect(turn.end?.usage).toMatchObject({ estimated: true });
    expect(turn.end?.usage?.input_tokens).toBeGreaterThan(20);
  });

  test("is told of a call only when that is in the log", async () => {
    let logged: readonly unknown[] = [];
    await dice.ask(
      "Some dice!",
      () => calls("a"),
      async function* () {
        logged = (await dice.storage.turns.read(capability, dice.sessionId, 1)).tools;
        yield* [text("It is four."), finish()];
      },
    );
    expect(logged).toEqual([used(1, "a")]);
  });

  test("of ordinary talk is asked for as ever: no tools, no word of them", async () => {
    expect(await dice.ask("Hello", sayDone)).toMatchObject({ answer: "It is four.", tools: [] });
    expect(dice.requests[0]?.tools).toBeUndefined();
    expect(dice.requests[0]?.messages[0]?.content).toBe("Be kind.");
  });

  test("tells the model of a call that it got wrong, and goes on", async () => {
    const wrong: WantedCall[] = [
      { name: "__proto__", arguments: "{}" },
      { name: "roll", arguments: '{"die":7}' },
      { name: "roll", arguments: "{" },
    ];
    const turn = await dice.ask("Some dice!", () => calls(...wrong), sayDone);
    expect(turn.status).toBe("completed");
    expect(turn.tools).toMatchObject([
      { name: "unknown", status: "failed", result: { code: "invalid_request", message: "There is no such tool." } },
      { name: "roll", status: "failed", result: { code: "invalid_request" } },
      { name: "roll", status: "failed", result: { code: "invalid_request", message: "The arguments are no JSON." } },
    ]);
    expect(dice.runs).toEqual([]);
    const [asked, ...results] = dice.requests[1]?.messages.slice(2) ?? [];
    expect(asked).toMatchObject({ calls: [{ name: "unknown" }, { arguments: '{"die":7}' }, { arguments: "{}" }] });
    expect(results.map(({ content }) => Object.keys(JSON.parse(content)))).toEqual([
      ["failed"],
      ["failed"],
      ["failed"],
    ]);
  });

  test("shows what a tool has to say about its failure, and nothing of a fault", async () => {
    dice.roll = async () => {
      throw dice.runs.length === 1 ? new Problem("no_hint", "There is none.") : new Error("CANARY");
    };
    const turn = await dice.ask("Some dice!", () => calls("a", "b"), sayDone);
    expect(turn.tools).toMatchObject([
      { status: "failed", result: { code: "no_hint", message: "There is none." } },
      { status: "failed", result: { code: "tool_failed" } },
    ]);
    expect(JSON.stringify([turn, dice.requests])).not.toContain("CANARY");
  });

  test("makes no more calls than four in a round, and in no more than five rounds", async () => {
    const turn = await dice.ask("Some dice!", () => [text("Again."), ...calls("a", "b", "c", "d", "e")]);
    expect(dice.requests).toHaveLength(mostRounds);
    expect(turn.tools).toHaveLength(4 * mostRounds);
    expect(turn).toMatchObject({ status: "completed", end: { usage: { input_tokens: 10 * mostRounds } } });
    expect(turn.answer.split("\n\n")).toHaveLength(mostRounds + 1);
    expect(turn.answer).toContain(`Plainly: ${told("a")}`);
  });

  test("has a call that is being made when it is stopped in its log, for it is done", async () => {
    const begun = Promise.withResolvers<void>();
    const made = Promise.withResolvers<void>();
    dice.roll = () => {
      begun.resolve();
      return made.promise;
    };
    const { chat } = dice.serve((_, signal) => {
      // The stop has come.
      signal.addEventListener("abort", () => made.resolve());
      return calls("a", "b");
    });
    await chat.send(capability, promptOf(dice.sessionId, "Some dice!"));
    await begun.promise;
    expect(await chat.stop(capability, dice.sessionId)).toMatchObject({ status: "stopped" });
    expect((await dice.end(1)).tools).toEqual([used(1, "a")]);
    expect(dice.runs).toHaveLength(1);
  });

  test("stops while a call is made, which is told so", async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    dice.roll = ({ signal }) => {
      begun.resolve(signal);
      return new Promise(() => undefined);
    };
    const { chat } = dice.serve(() => [text("Now: "), ...calls("a")]);
    await chat.send(capability, promptOf(dice.sessionId, "Some dice!"));
    const signal = await begun.promise;
    expect(await chat.stop(capability, dice.sessionId)).toMatchObject({ status: "stopped", answer: "Now: " });
    expect(signal.aborted).toBe(true);
    expect((await dice.end(1)).tools).toEqual([]);
    expect(dice.requests).toHaveLength(1);
  });

  test("keeps half a character that comes before a call", async () => {
    const turn = await dice.ask("Some dice!", () => [text("a\ud83d"), ...calls("a")], sayDone);
    expect(turn.answer).toBe("a\ufffd\n\nIt is four.");
  });
});
