import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beginTurn, capability, openTestSession, openTestStorage } from "../../test/helpers/storage.ts";
import type { TurnEnded } from "../protocol/events.ts";
import type { Storage } from "../storage/storage.ts";
import { estimatingCounter } from "../tokens/estimate.ts";
import { ContextBuilder } from "./context.ts";

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

  async function context(prompt: string, { systemPrompt = "Be kind.", budget = 16_000 } = {}) {
    const builder = new ContextBuilder(storage.turns, { systemPrompt, counter: estimatingCounter });
    const current = { sessionId, prompt, continues: null, published: "" };
    return builder.build(capability, current, { goesOn: false, budget });
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

  test("keeps the system prompt and the prompt even when they alone are over the budget", async () => {
    await turn("old", "answer");
    const { messages, trimmedTurns } = await context("y".repeat(4_000), { budget: 256 });
    expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(trimmedTurns).toBe(1);
  });
});
