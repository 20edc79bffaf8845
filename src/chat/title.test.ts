import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { titleOf } from "./title.ts";

describe("the title of a session that nobody named", () => {
  it.each([
    ["Hello! What is your name?", "Hello! What is your name?"],
    ["  How do I\n\n\tboil   an egg?\u2028 ", "How do I boil an egg?"],
    [
      "Please explain to me how a heat pump works, and why it gives more heat than it takes electricity",
      "Please explain to me how a heat pump works, and why it…",
    ],
    ["日本語の文章".repeat(20), `${"日本語の文章".repeat(9)}日本語の文…`],
    ["x".repeat(100), `${"x".repeat(59)}…`],
  ])("of %j is %j", (prompt, title) => {
    expect(titleOf(prompt)).toBe(title);
  });

  it.each(["123 + 456 = ?", "😀 👍🏽", "\u200b\u202e", "…"])("is none where there is no letter, as in %j", (prompt) => {
    expect(titleOf(prompt)).toBeUndefined();
  });

  test("I6: it holds nothing invisible: no control, zero-width, bidi or tag characters", () => {
    const tags = String.fromCodePoint(0xe0041, 0xe007f);
    expect(titleOf(`a\u0000b\u001b[31m \u202eevil\u202c \u2066x\u2069 zero\u200bwidth\ufeff ${tags}end\u3164`)).toBe(
      "ab[31m evil x zerowidth end",
    );
  });

  it("is never longer than 60 characters, ends in no half of a pair, and has no blanks around it, whatever the text", () => {
    const text = fc.array(
      fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(" ", "word ", "👨‍👩‍👧", "é", "\ud83d")),
    );
    fc.assert(
      fc.property(text, (pieces) => {
        const title = titleOf(pieces.join(""));
        if (title === undefined) return;
        expect(title.length).toBeLessThanOrEqual(60);
        expect(title.isWellFormed()).toBe(true);
        expect(title).toBe(title.trim());
        expect(title).not.toMatch(/[\p{Cc}\p{Cf}]|\s\s/u);
      }),
    );
  });
});
