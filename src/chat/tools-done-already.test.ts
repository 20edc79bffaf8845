import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { promptOf } from "../../test/helpers/chat.ts";
import { calls, DiceAnswers, finish, type Script, sayDone, source, text, told, used } from "../../test/helpers/dice.ts";
import { capability } from "../../test/helpers/storage.ts";

describe("what was done already for an answer", () => {
  let dice: DiceAnswers;

  beforeEach(async () => {
    dice = await DiceAnswers.open();
  });

  afterEach(() => dice.close());

  /** Has the process die in the next round, after the calls of the first. */
  async function die(...scripts: Script[]): Promise<void> {
    const dead = Promise.withResolvers<void>();
    const { chat, engine } = dice.serve(...scripts, async function* (_, signal) {
      yield text("It ");
      dead.resolve();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    await chat.send(capability, promptOf(dice.sessionId, "Some dice!"));
    await dead.promise;
    await engine.drain(0);
    dice.requests.length = 0;
  }

  test("E18: is told to the model from the log by whoever takes the turn over, and not done again", async () => {
    await die(() => calls("a", "b"));
    expect(dice.runs).toHaveLength(2);
    await dice.serve(sayDone).engine.recover();
    const turn = await dice.end(1);
    expect(dice.runs).toHaveLength(2);
    expect(turn).toMatchObject({ status: "completed", answer: "It is four.", tools: [used(1, "a"), used(2, "b")] });
    expect(dice.requests[0]?.messages.slice(2)).toEqual([
      {
        role: "assistant",
        content: "",
        calls: [
          { id: "call00001", name: "roll", arguments: "{}" },
          { id: "call00002", name: "roll", arguments: "{}" },
        ],
      },
      { role: "tool", callId: "call00001", content: told("a") },
      { role: "tool", callId: "call00002", content: told("b") },
    ]);
    expect((await dice.log(1)).map(({ type }) => type)).toEqual([
      "turn",
      "tool",
      "tool",
      "text",
      "reset",
      "text",
      "end",
    ]);
  });

  test("E18: has the text begin anew, also with a model that could go on from it", async () => {
    await die(() => calls("a"));
    await dice.serveWith({ continuesAnswers: true }, sayDone).engine.recover();
    expect(await dice.end(1)).toMatchObject({ answer: "It is four.", tools: [used(1, "a")] });
    expect(dice.requests).toMatchObject([{ answerSoFar: "" }]);
  });

  test("E18: stands for the same call where a process died before it could log it", async () => {
    const running = Promise.withResolvers<void>();
    dice.roll = () => {
      running.resolve();
      return new Promise(() => undefined);
    };
    const { chat, engine } = dice.serve(() => calls("a"));
    await chat.send(capability, promptOf(dice.sessionId, "Some dice!"));
    await running.promise;
    await engine.drain(0);
    dice.roll = async () => undefined;
    dice.requests.length = 0;
    await dice
      .serve(
        () => calls("a"),
        () => calls("b"),
        sayDone,
      )
      .engine.recover();
    expect((await dice.end(1)).status).toBe("completed");
    const once = `${dice.sessionId}:1:`;
    expect(dice.runs.map(({ facts }) => facts.once)).toEqual([`${once}1`, `${once}1`, `${once}2`]);
  });

  test("goes on with calls behind those in the log", async () => {
    await die(() => calls("a"));
    dice.requests.length = 0;
    await dice.serve(() => calls("b"), sayDone).engine.recover();
    expect(await dice.end(1)).toMatchObject({ answer: "It is four.", tools: [used(1, "a"), used(2, "b")] });
    expect(dice.runs[1]?.facts.earlier).toEqual([used(1, "a")]);
  });

  test("is not done again for the same prompt in another turn, whose log has it, too", async () => {
    await dice.ask("Some dice!", () => calls("sourced"), sayDone);
    dice.requests.length = 0;
    const again: Script = () => [text("Four, I said."), finish()];
    const turn = await dice.ask({ sessionId: dice.sessionId, ask: { kind: "regenerate" } }, again);
    expect(turn).toMatchObject({ answer: "Four, I said.", tools: [used(1, "sourced")], sources: [source] });
    expect(dice.runs).toHaveLength(1);
    expect(dice.requests[0]?.messages.at(-1)).toEqual({ role: "tool", callId: "call00001", content: told("sourced") });
    expect(dice.prompts.at(-1)).toMatchObject({ done: [used(1, "sourced")], replaced: [] });
  });

  test("is told to the tools where another prompt takes its place", async () => {
    await dice.ask("Some dice!", () => calls("a"), sayDone);
    const ask2 = { kind: "prompt", prompt: "Other dice!", replaces: 1 } as const;
    await dice.ask({ sessionId: dice.sessionId, ask: ask2 }, sayDone);
    expect(dice.prompts.at(-1)).toMatchObject({ done: [], replaced: [used(1, "a")] });
  });

  test("leaves nothing to do for an answer that is only gone on with", async () => {
    await dice.ask("Some dice!", () => [text("It"), finish("length")]);
    dice.prompts.length = 0;
    await dice.ask(
      { sessionId: dice.sessionId, ask: { kind: "continue" } },
      () => [text("It is four."), finish()],
      sayDone,
    );
    expect(dice.prompts).toEqual([]);
  });
});
