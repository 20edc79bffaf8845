import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { chatOf, promptOf } from "../../test/helpers/chat.ts";
import { capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import { type Model, ModelError, type ModelEvent, type ModelRequest, type WantedCall } from "../models/model.ts";
import type { TurnEvent, Usage } from "../protocol/events.ts";
import { Problem } from "../protocol/problems.ts";
import type { NewTurn, Storage, Turn } from "../storage/storage.ts";
import { mostRounds } from "./tool-rounds.ts";
import { type CallFacts, type ToolPrompt, type ToolSet, toolOf } from "./tools.ts";

type Script = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent> | Iterable<ModelEvent>;

const usage: Usage = { input_tokens: 10, output_tokens: 2 };

function text(words: string): ModelEvent {
  return { type: "text", text: words };
}

function finish(finishReason = "stop", counted: Usage | null = usage): ModelEvent {
  return { type: "finish", finishReason, usage: counted, model: "m" };
}

function calls(...wanted: (string | WantedCall)[]): ModelEvent[] {
  const named = wanted.map((call) =>
    typeof call === "string" ? { name: "roll", arguments: `{"die":"${call}"}` } : call,
  );
  return [{ type: "tool_calls", calls: named }, finish("tool_calls")];
}

const source = {
  title: "Dice",
  url: "https://example.org/wiki/Dice",
  revision: 7,
  licence: "CC BY-SA 4.0",
  retrieved: "2026-11-28",
};

describe("an answer with tools", () => {
  let storage: Storage;
  let sessionId: string;
  let requests: ModelRequest[];
  let prompts: ToolPrompt[];
  let runs: { readonly die: string; readonly facts: CallFacts }[];
  /** What the tool does beside giving its card. */
  let roll: (facts: CallFacts) => Promise<void>;

  beforeEach(async () => {
    storage = await openTestStorage();
    sessionId = await openTestSession(storage);
    requests = [];
    prompts = [];
    runs = [];
    roll = async () => undefined;
  });

  afterEach(() => storage.close());

  const rollTool = toolOf({
    name: "roll",
    description: "Rolls a die.",
    arguments: z.object({ die: z.string().max(10) }),
    async run({ die }, facts) {
      runs.push({ die, facts });
      await roll(facts);
      return { card: { die, pips: 4 }, sources: die === "sourced" ? [source] : [] };
    },
    tell: ({ die, pips }) => ({ rolled: die, pips, rule: "Say it." }),
  });

  /** Offered for prompts about dice. */
  const tools: ToolSet = {
    async offer(prompt) {
      prompts.push(prompt);
      if (!prompt.prompt.includes("dice") && prompt.done.length === 0) return undefined;
      return {
        tools: [rollTool],
        instructions: "Dice may be rolled.",
        rules: {
          callFor: (asked) => (asked.startsWith("roll") ? { name: "roll", arguments: '{"die":"plain"}' } : undefined),
          sentencesFor: (results) => `Plainly: ${results.join(" ")}`,
        },
      };
    },
  };

  /** A service whose model plays one script a request, the last one again and again. */
  function serve(...scripts: Script[]) {
    return serveWith({ continuesAnswers: false }, ...scripts);
  }

  function serveWith({ continuesAnswers }: Pick<Model, "continuesAnswers">, ...scripts: Script[]) {
    const model: Model = {
      name: "m",
      condition: "configured",
      contextWindow: undefined,
      continuesAnswers,
      ready: async () => {},
      admit: () => ({ name: "m", release() {} }),
      async *generate(request, signal) {
        requests.push(request);
        const play = scripts[Math.min(requests.length, scripts.length) - 1];
        yield* play?.(request, signal) ?? [];
      },
      close: async () => {},
    };
    return chatOf(storage, model, { tools, context: { systemPrompt: "Be kind." } });
  }

  async function end(turn: number): Promise<Turn> {
    const following = await storage.turns.follow(capability, sessionId, turn, -1, AbortSignal.timeout(10_000));
    for await (const _ of following.events);
    return storage.turns.read(capability, sessionId, turn);
  }

  async function log(turn: number): Promise<TurnEvent[]> {
    const { events } = await storage.turns.follow(capability, sessionId, turn, -1, AbortSignal.timeout(10_000));
    return (await Array.fromAsync(events)).flat().map(({ event }) => event);
  }

  async function ask(prompt: string | NewTurn, ...scripts: Script[]): Promise<Turn> {
    const { chat } = serve(...scripts);
    const { turn } = await chat.send(capability, typeof prompt === "string" ? promptOf(sessionId, prompt) : prompt);
    return end(turn);
  }

  function used(number: number, die: string, result: Record<string, unknown> = { die, pips: 4 }) {
    return { type: "tool", call_id: `call0000${number}`, name: "roll", status: "done", result } as const;
  }

  const told = (die: string) => JSON.stringify({ rolled: die, pips: 4, rule: "Say it." });
  const sayDone: Script = () => [text("It is four."), finish()];

  test("goes on when the calls are made, and says what every round said", async () => {
    const turn = await ask("Some dice!", () => [text("Let us see."), ...calls("sourced", "b")], sayDone);
    expect(turn).toMatchObject({
      status: "completed",
      answer: "Let us see.\n\nIt is four.",
      tools: [used(1, "sourced"), used(2, "b")],
      sources: [source],
      end: { usage: { input_tokens: 20, output_tokens: 4 }, finish_reason: "stop" },
    });
    expect((await log(1)).map(({ type }) => type)).toEqual(["turn", "text", "tool", "sources", "tool", "text", "end"]);
    const [first, second] = requests;
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
    expect(runs.map(({ facts }) => facts.once)).toEqual([`${sessionId}:1:1`, `${sessionId}:1:2`]);
    expect(runs[1]?.facts.earlier).toEqual([used(1, "sourced")]);
  });

  test("costs what all of its rounds cost", async () => {
    await ask("Some dice!", () => calls("a"), sayDone);
    const rows = await storage.usage.read("guest:test", { from: 0, to: 100_000, limit: 10 });
    expect(rows).toMatchObject([{ turns: 1, inputTokens: 20, outputTokens: 4, estimated: false }]);
  });

  test("has its cost estimated where the server counts only some of the rounds", async () => {
    const turn = await ask(
      "Some dice!",
      () => calls("a"),
      () => [text("It is four."), finish("stop", null)],
    );
    expect(turn.end?.usage).toMatchObject({ estimated: true });
    expect(turn.end?.usage?.input_tokens).toBeGreaterThan(20);
  });

  test("is told of a call only when that is in the log", async () => {
    let logged: readonly unknown[] = [];
    await ask(
      "Some dice!",
      () => calls("a"),
      async function* () {
        logged = (await storage.turns.read(capability, sessionId, 1)).tools;
        yield* [text("It is four."), finish()];
      },
    );
    expect(logged).toEqual([used(1, "a")]);
  });

  test("of ordinary talk is asked for as ever: no tools, no word of them", async () => {
    expect(await ask("Hello", sayDone)).toMatchObject({ answer: "It is four.", tools: [] });
    expect(requests[0]?.tools).toBeUndefined();
    expect(requests[0]?.messages[0]?.content).toBe("Be kind.");
  });

  test("tells the model of a call that it got wrong, and goes on", async () => {
    const wrong: WantedCall[] = [
      { name: "__proto__", arguments: "{}" },
      { name: "roll", arguments: '{"die":7}' },
      { name: "roll", arguments: "{" },
    ];
    const turn = await ask("Some dice!", () => calls(...wrong), sayDone);
    expect(turn.status).toBe("completed");
    expect(turn.tools).toMatchObject([
      { name: "unknown", status: "failed", result: { code: "invalid_request", message: "There is no such tool." } },
      { name: "roll", status: "failed", result: { code: "invalid_request" } },
      { name: "roll", status: "failed", result: { code: "invalid_request", message: "The arguments are no JSON." } },
    ]);
    expect(runs).toEqual([]);
    const [asked, ...results] = requests[1]?.messages.slice(2) ?? [];
    expect(asked).toMatchObject({ calls: [{ name: "unknown" }, { arguments: '{"die":7}' }, { arguments: "{}" }] });
    expect(results.map(({ content }) => Object.keys(JSON.parse(content)))).toEqual([
      ["failed"],
      ["failed"],
      ["failed"],
    ]);
  });

  test("shows what a tool has to say about its failure, and nothing of a fault", async () => {
    roll = async () => {
      throw runs.length === 1 ? new Problem("no_hint", "There is none.") : new Error("CANARY");
    };
    const turn = await ask("Some dice!", () => calls("a", "b"), sayDone);
    expect(turn.tools).toMatchObject([
      { status: "failed", result: { code: "no_hint", message: "There is none." } },
      { status: "failed", result: { code: "tool_failed" } },
    ]);
    expect(JSON.stringify([turn, requests])).not.toContain("CANARY");
  });

  test("makes no more calls than four in a round, and in no more than five rounds", async () => {
    const turn = await ask("Some dice!", () => [text("Again."), ...calls("a", "b", "c", "d", "e")]);
    expect(requests).toHaveLength(mostRounds);
    expect(turn.tools).toHaveLength(4 * mostRounds);
    expect(turn).toMatchObject({ status: "completed", end: { usage: { input_tokens: 10 * mostRounds } } });
    expect(turn.answer.split("\n\n")).toHaveLength(mostRounds + 1);
    expect(turn.answer).toContain(`Plainly: ${told("a")}`);
  });

  test("has a call that is being made when it is stopped in its log, for it is done", async () => {
    const begun = Promise.withResolvers<void>();
    const made = Promise.withResolvers<void>();
    roll = () => {
      begun.resolve();
      return made.promise;
    };
    const { chat } = serve((_, signal) => {
      // The stop has come.
      signal.addEventListener("abort", () => made.resolve());
      return calls("a", "b");
    });
    await chat.send(capability, promptOf(sessionId, "Some dice!"));
    await begun.promise;
    expect(await chat.stop(capability, sessionId)).toMatchObject({ status: "stopped" });
    expect((await end(1)).tools).toEqual([used(1, "a")]);
    expect(runs).toHaveLength(1);
  });

  test("stops while a call is made, which is told so", async () => {
    const begun = Promise.withResolvers<AbortSignal>();
    roll = ({ signal }) => {
      begun.resolve(signal);
      return new Promise(() => undefined);
    };
    const { chat } = serve(() => [text("Now: "), ...calls("a")]);
    await chat.send(capability, promptOf(sessionId, "Some dice!"));
    const signal = await begun.promise;
    expect(await chat.stop(capability, sessionId)).toMatchObject({ status: "stopped", answer: "Now: " });
    expect(signal.aborted).toBe(true);
    expect((await end(1)).tools).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test("keeps half a character that comes before a call", async () => {
    const turn = await ask("Some dice!", () => [text("a\ud83d"), ...calls("a")], sayDone);
    expect(turn.answer).toBe("a\ufffd\n\nIt is four.");
  });

  describe("whose model takes no tools", () => {
    const refuses: Script = ({ tools: offered }) => {
      if (offered !== undefined) {
        throw new ModelError("upstream_rejected", "No.", { model: "m", refusesTools: true });
      }
      return [text("Hello."), finish()];
    };

    test("does and says by plain rules what the prompt asks for", async () => {
      const turn = await ask("roll the dice", refuses);
      expect(turn).toMatchObject({
        status: "completed",
        answer: `Plainly: ${told("plain")}`,
        tools: [used(1, "plain")],
        end: { usage: null, model: "m" },
      });
      expect(requests).toHaveLength(1);
      expect(await storage.usage.read("guest:test", { from: 0, to: 100_000, limit: 10 })).toEqual([]);
    });

    test("talks where the rules find nothing to do, without a word about tools", async () => {
      expect(await ask("What are dice?", refuses)).toMatchObject({ answer: "Hello.", tools: [] });
      expect(requests.map(({ messages }) => messages[0]?.content)).toEqual([
        "Be kind.\n\nDice may be rolled.",
        "Be kind.",
      ]);
    });
  });

  test.each(["upstream_rejected", "upstream_timeout", "empty_answer"] as const)(
    "tells plainly what was done when the model then fails with %s",
    async (code) => {
      const turn = await ask(
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
    const turn = await ask(
      "Some dice!",
      () => calls("a"),
      function* () {
        yield text("It is");
        throw new ModelError("upstream_stalled", "No.", { model: "m" });
      },
    );
    expect(turn).toMatchObject({ status: "incomplete", answer: "It is", tools: [used(1, "a")] });
  });

  describe("that was done already", () => {
    /** Has the process die in the next round, after the calls of the first. */
    async function die(...scripts: Script[]): Promise<void> {
      const dead = Promise.withResolvers<void>();
      const { chat, engine } = serve(...scripts, async function* (_, signal) {
        yield text("It ");
        dead.resolve();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      });
      await chat.send(capability, promptOf(sessionId, "Some dice!"));
      await dead.promise;
      await engine.drain(0);
      requests.length = 0;
    }

    test("E18: is told to the model from the log by whoever takes the turn over, and not done again", async () => {
      await die(() => calls("a", "b"));
      expect(runs).toHaveLength(2);
      await serve(sayDone).engine.recover();
      const turn = await end(1);
      expect(runs).toHaveLength(2);
      expect(turn).toMatchObject({ status: "completed", answer: "It is four.", tools: [used(1, "a"), used(2, "b")] });
      expect(requests[0]?.messages.slice(2)).toEqual([
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
      expect((await log(1)).map(({ type }) => type)).toEqual(["turn", "tool", "tool", "text", "reset", "text", "end"]);
    });

    test("E18: has the text begin anew, also with a model that could go on from it", async () => {
      await die(() => calls("a"));
      await serveWith({ continuesAnswers: true }, sayDone).engine.recover();
      expect(await end(1)).toMatchObject({ answer: "It is four.", tools: [used(1, "a")] });
      expect(requests).toMatchObject([{ answerSoFar: "" }]);
    });

    test("E18: stands for the same call where a process died before it could log it", async () => {
      const running = Promise.withResolvers<void>();
      roll = () => {
        running.resolve();
        return new Promise(() => undefined);
      };
      const { chat, engine } = serve(() => calls("a"));
      await chat.send(capability, promptOf(sessionId, "Some dice!"));
      await running.promise;
      await engine.drain(0);
      roll = async () => undefined;
      requests.length = 0;
      await serve(
        () => calls("a"),
        () => calls("b"),
        sayDone,
      ).engine.recover();
      expect((await end(1)).status).toBe("completed");
      const once = `${sessionId}:1:`;
      expect(runs.map(({ facts }) => facts.once)).toEqual([`${once}1`, `${once}1`, `${once}2`]);
    });

    test("goes on with calls behind those in the log", async () => {
      await die(() => calls("a"));
      requests.length = 0;
      await serve(() => calls("b"), sayDone).engine.recover();
      expect(await end(1)).toMatchObject({ answer: "It is four.", tools: [used(1, "a"), used(2, "b")] });
      expect(runs[1]?.facts.earlier).toEqual([used(1, "a")]);
    });

    test("is not done again for the same prompt in another turn, whose log has it, too", async () => {
      await ask("Some dice!", () => calls("sourced"), sayDone);
      requests.length = 0;
      const again: Script = () => [text("Four, I said."), finish()];
      const turn = await ask({ sessionId, ask: { kind: "regenerate" } }, again);
      expect(turn).toMatchObject({ answer: "Four, I said.", tools: [used(1, "sourced")], sources: [source] });
      expect(runs).toHaveLength(1);
      expect(requests[0]?.messages.at(-1)).toEqual({ role: "tool", callId: "call00001", content: told("sourced") });
      expect(prompts.at(-1)).toMatchObject({ done: [used(1, "sourced")], replaced: [] });
    });

    test("is told to the tools where another prompt takes its place", async () => {
      await ask("Some dice!", () => calls("a"), sayDone);
      const ask2 = { kind: "prompt", prompt: "Other dice!", replaces: 1 } as const;
      await ask({ sessionId, ask: ask2 }, sayDone);
      expect(prompts.at(-1)).toMatchObject({ done: [], replaced: [used(1, "a")] });
    });

    test("leaves nothing to do for an answer that is only gone on with", async () => {
      await ask("Some dice!", () => [text("It"), finish("length")]);
      prompts.length = 0;
      await ask({ sessionId, ask: { kind: "continue" } }, () => [text("It is four."), finish()], sayDone);
      expect(prompts).toEqual([]);
    });
  });
});
