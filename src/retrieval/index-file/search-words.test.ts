import { describe, expect, it } from "vitest";
import { SearchWords } from "./search-words.ts";

const words = new SearchWords();

function expression(query: string, counts: Readonly<Record<string, number>>) {
  return words.expressionFor(query, (word) => counts[word] ?? 0);
}

describe("the expression for a query", () => {
  it("has the words that stand somewhere, rarest first", () => {
    expect(expression("the Café brothers zebra", { the: 500, cafe: 3, brother: 20 })).toEqual({
      match: '"café" OR "brothers" OR "the"',
      isCommon: false,
    });
    expect(expression("zebra", {})).toBeUndefined();
  });

  it("leaves out the most common words where looking for them would cost too much", () => {
    expect(expression("what is the name", { name: 5_000, what: 40_000, is: 90_000, the: 99_000 })?.match).toBe(
      '"name"',
    );
    expect(expression("a b c", { a: 4_000, b: 4_000, c: 4_000 })?.match).toBe('"a" OR "b"');
  });

  it("with common words alone has the rarest of them, for passages that nobody ranks", () => {
    expect(expression("is the", { is: 90_000, the: 99_000 })).toEqual({ match: '"is"', isCommon: true });
  });

  it("has letters and digits alone, and each word once", () => {
    const one = { a: 1, b: 1, near: 1 };
    expect(expression('a" OR b* NEAR(a b)', { ...one, or: 0 })?.match).toBe('"a" OR "b" OR "near"');
    expect(expression("\ud800", { "\ud800": 1 })).toBeUndefined();
  });

  it("looks at 24 words of the first thousand characters", () => {
    const many = Array.from({ length: 100 }, (_, index) => `w${index}`).join(" ");
    expect(words.expressionFor(many, () => 1)?.match.split(" OR ")).toHaveLength(24);
    expect(words.expressionFor(`${" ".repeat(1_000)}late`, () => 1)).toBeUndefined();
  });
});
