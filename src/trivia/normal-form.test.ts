import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, isSlipOf } from "./edit-distance.ts";
import { isPartOf, normalForm } from "./normal-form.ts";

describe("the normal form of a text", () => {
  test.each([
    ["The Café Nervosa", "cafe nervosa"],
    ["“Yada, yada!”", "yada yada"],
    ["D'oh / d’oh", "doh doh"],
    ["Bel-Air", "bel air"],
    ["Salt & Pepper", "salt and pepper"],
    ["An apple a day", "apple a day"],
    ["the", "the"],
    ["The A", "a"],
    ["nineteen ninety-four", "1994"],
    ["Twenty-One", "21"],
    ["one hundred and eighty", "180"],
    ["two hundred", "200"],
    ["nineteen four", "19 4"],
    ["ten twenty", "1020"],
    ["zero", "0"],
    ["７", "7"],
    ["…", ""],
    ["Москва", "москва"],
  ])("of %s is %s", (text, form) => {
    expect(normalForm(text)).toBe(form);
  });

  test("has none itself that differs", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        expect(normalForm(normalForm(text))).toBe(normalForm(text));
      }),
    );
  });

  test("of 64 KiB is there in a moment", () => {
    const started = performance.now();
    for (const text of ["one ".repeat(16_384), "é".repeat(65_536), "the ".repeat(16_384), " a".repeat(32_768)]) {
      normalForm(text);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("words stand side by side in another text", () => {
    expect(isPartOf("new york", "new york city")).toBe(true);
    expect(isPartOf("york", "new yorker")).toBe(false);
    expect(isPartOf("", "new york")).toBe(false);
  });
});

describe("slips of the pen", () => {
  test("are letters that are missing, too many, others or swapped", () => {
    expect(editDistance("frasier", "fraiser")).toBe(1);
    expect(editDistance("frasier", "frasir")).toBe(1);
    expect(editDistance("frasier", "frasierr")).toBe(1);
    expect(editDistance("frasier", "frazier")).toBe(1);
    expect(editDistance("", "abc")).toBe(3);
    expect(editDistance("kitten", "sitting")).toBe(3);
  });

  test("are counted the same both ways, are none for the same word, and no more than it has letters", () => {
    const words = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(words, words, (left, right) => {
        const distance = editDistance(left, right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance === 0).toBe(left === right);
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
      }),
    );
  });

  test.each([
    ["micheal richards", "michael richards", true],
    ["kelsey gramer", "kelsey grammer", true],
    ["belair", "bel air", true],
    ["terry", "jerry", false],
    ["mark", "mary", false],
    ["1994", "1995", false],
    ["season 8", "season 9", false],
    ["", "jerry", false],
  ])("%s for %s: %s", (given, wanted, isSlip) => {
    expect(isSlipOf(given, wanted)).toBe(isSlip);
  });
});
