import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Session, Turn, TurnStore } from "../storage/storage.ts";
import type { TokenCounter } from "../tokens/token-counter.ts";
import { ContextBuilder, type ContextLimits, type CurrentPrompt, maxLengthPerToken } from "./context.ts";
import { tokensForReply, tokensPerMessage } from "./message-tokens.ts";

const access = { by: "capability" } as const;
const sessionId = "0123456789abcdef0123456789abcdef";

/** What the storage promises of `remember`, over a list. */
function remembering(history: readonly Turn[]): Pick<TurnStore, "remember"> {
  return {
    async remember(_, __, { maxLength }) {
      const older = history.toReversed();
      let length = 0;
      let read = 0;
      while (read < older.length && (read === 0 || length < maxLength)) {
        const turn = older[read] as Turn;
        length += turn.prompt.length + turn.answer.length;
        read += 1;
      }
      const session = { instructions: null } as Session;
      return { session, turns: older.slice(0, read), older: older.length - read };
    },
  };
}

function settled(turn: number, prompt: string, answer: string): Turn {
  return { turn, prompt, answer, continues: null } as Turn;
}

function asked(prompt: string): CurrentPrompt {
  return { sessionId, prompt, continues: null, published: "" };
}

function limits(budget: number): ContextLimits {
  return { goesOn: false, budget };
}

/** Tells what it was asked to count. */
function countingBy(tokensOf: (text: string) => number, estimated = false): TokenCounter & { counted: string[] } {
  const counted: string[] = [];
  return {
    counted,
    async count(texts) {
      counted.push(...texts);
      return { counts: texts.map(tokensOf), estimated };
    },
    async close() {},
  };
}

/** Histories of a few kinds of texts: short and long ones, of one byte and of several to a character. */
const texts = fc
  .tuple(fc.constantFrom("a", "é", "世", "😀", " "), fc.oneof(fc.nat(20), fc.nat(4_000)))
  .map(([unit, count]) => unit.repeat(count + 1));
const histories = fc.array(fc.tuple(texts, texts), { maxLength: 40 });
/** UTF-16 code units to a token, from the byte that it has at least up to runs that a vocabulary has one token for. */
const densities = fc.constantFrom(0.4, 1, 3, 4.5, 20);

describe("what is kept of a history", () => {
  test("are the newest turns without a gap, within the budget, and one more would not have fitted; whatever was counted before", async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        texts,
        fc.integer({ min: 1, max: 20_000 }),
        densities,
        fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 3 }),
        async (pairs, prompt, budget, density, earlierBudgets) => {
          const tokensOf = (text: string) => Math.min(Buffer.byteLength(text), Math.ceil(text.length / density));
          const history = pairs.map(([question, answer], index) => settled(index + 1, question, answer));
          const current = asked(prompt);
          const options = { systemPrompt: "Be kind.", counter: countingBy(tokensOf) };
          const cold = new ContextBuilder(remembering(history), options);
          const warm = new ContextBuilder(remembering(history), options);
          for (const each of earlierBudgets) await warm.build(access, current, limits(each));

          const context = await cold.build(access, current, limits(budget));
          expect({ ...(await warm.build(access, current, limits(budget))) }).toEqual(context);

          const kept = history.slice(history.length - context.keptTurns);
          expect(context.trimmedTurns).toBe(history.length - kept.length);
          expect(context.messages).toEqual([
            { role: "system", content: "Be kind." },
            ...kept.flatMap(({ prompt: question, answer }) => [
              { role: "user", content: question },
              { role: "assistant", content: answer },
            ]),
            { role: "user", content: prompt },
          ]);

          const size = (messages: readonly { content: string }[]) =>
            messages.reduce((sum, { content }) => sum + tokensPerMessage + tokensOf(content), tokensForReply);
          const tokens = size(context.messages);
          if (context.tokens !== undefined) expect(context.tokens).toBe(tokens);
          if (kept.length > 0) expect(tokens).toBeLessThanOrEqual(budget);
          const next = history.at(-kept.length - 1);
          if (next === undefined) return;
          const withNext = tokens + tokensOf(next.prompt) + tokensOf(next.answer) + 2 * tokensPerMessage;
          const length = [...kept, next].reduce((sum, turn) => sum + turn.prompt.length + turn.answer.length, 0);
          expect(withNext > budget || length > budget * maxLengthPerToken).toBe(true);
        },
      ),
    );
  });

  test("is not counted where all of its bytes fit", async () => {
    const counter = countingBy(() => Number.NaN);
    const history = [settled(1, "Hello!", "Hi."), settled(2, "世界", "😀".repeat(100))];
    const builder = new ContextBuilder(remembering(history), { systemPrompt: "Be kind.", counter });
    const context = await builder.build(access, asked("And?"), limits(470));
    expect(context).toMatchObject({ keptTurns: 2, trimmedTurns: 0, tokens: undefined });
    expect(counter.counted).toEqual([]);
  });

  test("is counted once a turn, newest first, and no further than it can matter", async () => {
    const counter = countingBy((text) => Math.ceil(text.length / 4));
    const history = Array.from({ length: 200 }, (_, index) => settled(index + 1, `${index + 1}`, "x".repeat(4_000)));
    const builder = new ContextBuilder(remembering(history), { systemPrompt: "", counter });
    const first = await builder.build(access, asked("one"), limits(4_100));
    expect(first).toMatchObject({ keptTurns: 4, trimmedTurns: 196 });
    // A batch of 32 Ki units is counted in vain at most.
    expect(counter.counted.filter((text) => text.startsWith("x")).length).toBeLessThanOrEqual(9);
    expect(counter.counted).toContain("200");
    counter.counted.length = 0;
    history.push(settled(201, "one", "y".repeat(4_000)));
    await builder.build(access, asked("two"), limits(4_100));
    expect(counter.counted).toEqual(["two", "one", "y".repeat(4_000)]);
  });

  test("is not remembered by its estimates", async () => {
    const history = [settled(1, "a".repeat(400), "b".repeat(400))];
    const estimating = countingBy((text) => text.length, true);
    const builder = new ContextBuilder(remembering(history), { systemPrompt: "", counter: estimating });
    await builder.build(access, asked("one"), limits(500));
    await builder.build(access, asked("one"), limits(500));
    expect(estimating.counted.filter((text) => text.startsWith("a"))).toHaveLength(2);
  });

  test("costs no more time than a turn may be held for, however much there is to count", async () => {
    const waits: number[] = [];
    const slow: TokenCounter = {
      async count(counted, withinMs) {
        waits.push(withinMs);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return { counts: counted.map(({ length }) => Math.ceil(length / 4)), estimated: false };
      },
      async close() {},
    };
    const history = Array.from({ length: 100 }, (_, index) => settled(index + 1, "x".repeat(40_000), "y"));
    const builder = new ContextBuilder(remembering(history), { systemPrompt: "", counter: slow });
    await builder.build(access, asked("one"), limits(1_000_000));
    expect(waits.length).toBeGreaterThan(50);
    expect(waits[0]).toBe(2_000);
    expect(waits.at(-1)).toBeLessThan(1_000);
  });
});
