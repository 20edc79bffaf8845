import { getEventListeners } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import type { ModelEvent, ModelMessage, OfferedTools } from "../model.ts";
import { openDemoModel, splitWords } from "./demo.ts";

const demo = openDemoModel({ wordDelayMs: 0 });

/** Asks one prompt after the other, as a session does. */
async function converse(...prompts: readonly string[]): Promise<string[]> {
  const messages: ModelMessage[] = [{ role: "system", content: "You are a friendly assistant." }];
  const answers: string[] = [];
  for (const prompt of prompts) {
    messages.push({ role: "user", content: prompt });
    const { text, error } = await collect(demo, messages);
    expect(error).toBeUndefined();
    messages.push({ role: "assistant", content: text });
    answers.push(text);
  }
  return answers;
}

describe("the demo model", () => {
  it("says in its first answer what it is and how to connect a real one, and not in every later one", async () => {
    const [first, second] = await converse("Tell me about trains", "And about ships");
    expect(first).toMatch(/built-in demo model/);
    expect(first).toMatch(/no language model is connected/);
    expect(first).toContain("`OPENAI_API_KEY` in the file `.env`");
    expect(second).not.toContain("OPENAI_API_KEY");
  });

  it("introduces itself when it is asked its name", async () => {
    const [answer] = await converse("Hello! What is your name?");
    expect(answer).toMatch(/^Hello TR! My name is Demo/);
    expect(answer).toMatch(/demo model/);
  });

  it.each(["What is my name?", "what's my name", "Do you know my name?", "Who am I?"])(
    "knows who is asking: %s",
    async (prompt) => {
      expect((await converse("Hi", prompt))[1]).toBe("Your name is TR.");
    },
  );

  it.each([
    "What did I say first?",
    "what was the first thing I said",
    "What was said first?",
    "Quote my first message",
  ])("remembers how the session began: %s", async (prompt) => {
    expect((await converse("My cat is called Ada.", "Fine.", prompt))[2]).toContain("“My cat is called Ada.”");
  });

  it.each(["What did I say before?", "what did I just say", "What was my last message?", "What did I say last?"])(
    "remembers what came before: %s",
    async (prompt) => {
      expect((await converse("My cat is called Ada.", "She is grey.", prompt))[2]).toContain("“She is grey.”");
    },
  );

  it("counts messages", async () => {
    const [one, three] = [
      await converse("How many messages?"),
      await converse("a", "b", "How many messages were there?"),
    ];
    expect(one[0]).toContain("1 message ");
    expect(three[2]).toContain("3 messages");
  });

  it("has nothing to remember in a session that begins", async () => {
    expect((await converse("What did I say before?"))[0]).toMatch(/^You have said nothing before/);
    expect((await converse("What did I say first?"))[0]).toMatch(/^This is the first thing/);
  });

  it("tells a story of several paragraphs", async () => {
    const [, story] = await converse("Hi", "Tell me a story");
    expect(story?.split("\n\n").length).toBeGreaterThan(3);
    expect(story?.length).toBeGreaterThan(1_000);
  });

  it("shows a table and a code block", async () => {
    const [, sample] = await converse("Hi", "show markdown");
    expect(sample).toMatch(/^\|.+\|\n\|[-:|]+\|$/m);
    expect(sample).toMatch(/```python\n[^`]+```/);
  });

  it("echoes what it does not understand, in different words, cut where it is long", async () => {
    const [first, second] = await converse("Blue trains", "Blue trains");
    expect(first).toContain("“Blue trains”");
    expect(second).toContain("“Blue trains”");
    expect(second).not.toBe(first?.split("\n\n")[0]);
    const [long] = await converse("😀".repeat(5_000));
    expect(long?.length).toBeLessThan(1_000);
    expect(long?.isWellFormed()).toBe(true);
  });

  it("says the same in the same session", async () => {
    const prompts = ["Hello", "Blue trains", "help", "What did I say first?"];
    expect(await converse(...prompts)).toEqual(await converse(...prompts));
  });

  it("has an answer to anything", async () => {
    const anything = fc.asyncProperty(
      fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 5 }),
      async (prompts) => {
        for (const answer of await converse(...prompts)) expect(answer.trim()).not.toBe("");
      },
    );
    await fc.assert(anything, { numRuns: 100 });
  });

  it("streams word by word, and estimates its tokens", async () => {
    const { pieces, finish } = await collect(demo, "Tell me a story");
    expect(pieces.length).toBeGreaterThan(100);
    for (const piece of pieces) expect(piece).toMatch(/^\S+\s*$/);
    expect(finish).toMatchObject({ finishReason: "stop", model: "demo", usage: { estimated: true } });
    expect(finish?.usage?.output_tokens).toBeGreaterThan(100);
  });

  it("splits any text into words that put together are the text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => splitWords(text).join("") === text));
    expect(splitWords("  two  words\n")).toEqual(["  ", "two  ", "words\n"]);
  });

  it("goes on with an answer of its own from wherever it broke off", async () => {
    const { text: whole } = await collect(demo, "Tell me a story");
    const anywhere = fc.asyncProperty(fc.nat({ max: whole.length }), async (at) => {
      const rest = await collect(demo, "Tell me a story", undefined, whole.slice(0, at));
      expect(rest.text).toBe(whole.slice(at));
      expect(rest.finish).toMatchObject({ finishReason: "stop" });
    });
    await fc.assert(anywhere, { numRuns: 50 });
    expect((await collect(demo, "Tell me a story", undefined, whole)).pieces).toEqual([]);
    expect(demo.continuesAnswers).toBe(true);
  });

  it("says its whole answer behind a beginning that is not its own", async () => {
    const { text: whole } = await collect(demo, "Hello");
    expect((await collect(demo, "Hello", undefined, "Ahoy!")).text).toBe(` ${whole}`);
  });

  it("stops at once, throws the signal's reason and leaves no listener", async () => {
    const slow = openDemoModel({ wordDelayMs: 20 });
    const controller = new AbortController();
    const reason = new Error("stopped");
    setTimeout(() => controller.abort(reason), 100);
    const started = performance.now();
    const { text, error, finish } = await collect(slow, "Tell me a story", controller.signal);
    expect(error).toBe(reason);
    expect(finish).toBeUndefined();
    expect(text.length).toBeLessThan(200);
    expect(performance.now() - started).toBeLessThan(1_000);
    const finished = new AbortController();
    await collect(openDemoModel({ wordDelayMs: 1 }), "Hello", finished.signal);
    expect(getEventListeners(finished.signal, "abort")).toHaveLength(0);
  });

  it("says nothing when the signal had fired before", async () => {
    const { pieces, error } = await collect(demo, "Hello", AbortSignal.abort("early"));
    expect(pieces).toEqual([]);
    expect(error).toBe("early");
  });
});

describe("the demo model with tools", () => {
  const tools: OfferedTools = {
    tools: [{ name: "look_up", description: "Looks a word up.", parameters: { type: "object" } }],
    rules: {
      callFor: (prompt) => (prompt.startsWith("look up ") ? { name: "look_up", arguments: '{"n":1}' } : undefined),
      sentencesFor: (results) => `It was found: ${results.join(", ")}.`,
    },
  };

  async function ask(messages: readonly ModelMessage[]): Promise<ModelEvent[]> {
    return Array.fromAsync(demo.generate({ messages, username: "TR", tools }, new AbortController().signal));
  }

  const asked: ModelMessage = { role: "user", content: "look up one" };

  it("calls what the rules say that a prompt asks for, and nothing else", async () => {
    expect(await ask([asked])).toMatchObject([
      { type: "tool_calls", calls: [{ name: "look_up", arguments: '{"n":1}' }] },
      { type: "finish", finishReason: "stop" },
    ]);
    const others = await ask([asked, { role: "assistant", content: "Done." }, { role: "user", content: "Hello" }]);
    expect(others.filter(({ type }) => type === "tool_calls")).toEqual([]);
  });

  it("says what the rules make of all results, and calls nothing again", async () => {
    const events = await ask([
      asked,
      { role: "assistant", content: "", calls: [{ id: "call00001", name: "look_up", arguments: "{}" }] },
      { role: "tool", callId: "call00001", content: "one" },
      { role: "tool", callId: "call00002", content: "two" },
    ]);
    const text = events.map((event) => (event.type === "text" ? event.text : "")).join("");
    expect(text).toBe("It was found: one, two.");
    expect(events.at(-1)).toMatchObject({ type: "finish" });
  });
});
