import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beginTurn, capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import type { TurnEnded } from "../protocol/events.ts";
import type { Storage } from "../storage/storage.ts";
import { estimatingCounter } from "../tokens/estimate.ts";
import { ContextBuilder, type ContextLimits, type CurrentPrompt } from "./context.ts";

describe("the context of a turn", () => {
  let storage: Storage;
  let sessionId: string;

  beforeEach(async () => {
    storage = await openTestStorage();
    sessionId = await openTestSession(storage);
  });

  afterEach(() => storage.close());

  async function turn(prompt: string, answer: string, status: TurnEnded["status"] = "completed"): Promise<void> {
    const { lease } = await beginTurn(storage, sessionId, prompt);
    const text = answer === "" ? [] : [{ type: "text", text: answer } as const];
    const end: TurnEnded = { type: "end", status, finish_reason: null, usage: null, model: "m" };
    await storage.turns.settle(lease, lease.head, [...text, end], { beginNext: true });
  }

  type Wishes = Partial<CurrentPrompt & ContextLimits> & { readonly systemPrompt?: string };

  async function context(prompt: string, wishes: Wishes = {}) {
    const { systemPrompt = "Be kind.", budget = 16_000, goesOn = false, continues = null, published = "" } = wishes;
    const builder = new ContextBuilder(storage.turns, { systemPrompt, counter: estimatingCounter });
    return builder.build(capability, { sessionId, prompt, continues, published }, { goesOn, budget });
  }

  test("is the system prompt, the dialogue in order, and the prompt", async () => {
    await turn("Hello!", "Hi.");
    await turn("How are you?", "Well.");
    expect(await context("Good.")).toMatchObject({
      trimmedTurns: 0,
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "Hello!" },
        { role: "assistant", content: "Hi." },
        { role: "user", content: "How are you?" },
        { role: "assistant", content: "Well." },
        { role: "user", content: "Good." },
      ],
    });
  });

  test("leaves out prompts that got no answer and keeps answers that were cut", async () => {
    await turn("Lost?", "", "failed");
    await turn("Cut?", "Half an ans", "stopped");
    expect((await context("Next")).messages.map(({ content }) => content)).toEqual([
      "Be kind.",
      "Cut?",
      "Half an ans",
      "Next",
    ]);
  });

  test("puts the session's own instructions behind the operator's prompt", async () => {
    sessionId = await openTestSession(storage, { instructions: "Answer in rhyme." });
    expect((await context("Hello")).messages[0]).toEqual({ role: "system", content: "Be kind.\n\nAnswer in rhyme." });
    expect((await context("Hello", { systemPrompt: "" })).messages[0]?.content).toBe("Answer in rhyme.");
  });

  test("drops the oldest turns, each whole, when the budget is spent, and tells how many", async () => {
    for (let index = 1; index <= 10; index += 1) await turn(`prompt ${index}`, "x".repeat(400));
    const { messages, trimmedTurns } = await context("last", { budget: 350 });
    expect(messages[0]?.role).toBe("system");
    expect(messages.at(-1)).toEqual({ role: "user", content: "last" });
    expect(messages[1]?.content).toBe(`prompt ${trimmedTurns + 1}`);
    expect(messages).toHaveLength(2 + 2 * (10 - trimmedTurns));
    expect(trimmedTurns).toBeGreaterThan(5);
    expect(trimmedTurns).toBeLessThan(10);
  });

  describe("that goes on with an answer", () => {
    /** A first turn, and an answer in two pieces. */
    async function pieces(): Promise<void> {
      await turn("Hello!", "Hi.");
      await turn("Count.", "one, ", "stopped");
      const accepted = await storage.turns.accept(capability, { sessionId, ask: { kind: "continue" } });
      if (accepted.kind !== "begun") throw new Error("It did not begin");
      const end: TurnEnded = { type: "end", status: "stopped", finish_reason: null, usage: null, model: "m" };
      const events = [{ type: "text", text: "two, " }, end] as const;
      await storage.turns.settle(accepted.begun.lease, -1, events, { beginNext: true });
    }

    test("gives it and asks for the rest, where the model cannot simply go on", async () => {
      await pieces();
      const { messages, answerSoFar, trimmedTurns } = await context("Count.", { continues: 3 });
      expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user", "assistant", "user"]);
      expect(messages.slice(1, -1).map(({ content }) => content)).toEqual(["Hello!", "Hi.", "Count.", "one, two, "]);
      expect(messages.at(-1)?.content).toMatch(/^Continue /);
      expect([answerSoFar, trimmedTurns]).toEqual(["", 0]);
    });

    test("hands it over apart from the messages where the model goes on by itself", async () => {
      await pieces();
      const { messages, answerSoFar } = await context("Count.", { continues: 3, published: "thr", goesOn: true });
      expect(messages.slice(1).map(({ content }) => content)).toEqual(["Hello!", "Hi.", "Count."]);
      expect(answerSoFar).toBe("one, two, thr");
    });

    test("shows it as one answer to later turns", async () => {
      await pieces();
      const { messages, keptTurns } = await context("And now?");
      expect(messages.slice(1).map(({ content }) => content)).toEqual([
        "Hello!",
        "Hi.",
        "Count.",
        "one, two, ",
        "And now?",
      ]);
      expect(keptTurns).toBe(2);
    });

    test("keeps it whatever it costs, and drops older turns instead", async () => {
      await pieces();
      const { messages, trimmedTurns } = await context("Count.", { continues: 3, budget: 20 });
      expect(messages.slice(1, -1).map(({ content }) => content)).toEqual(["Count.", "one, two, "]);
      expect(trimmedTurns).toBe(1);
    });
  });

  test("keeps the system prompt and the prompt even when they alone are over the budget", async () => {
    await turn("old", "answer");
    const { messages, trimmedTurns } = await context("y".repeat(4_000), { budget: 256 });
    expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(trimmedTurns).toBe(1);
  });
});
