import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { eventLength, formatEventId, parseEventId, splitsSurrogatePair } from "./positions.ts";

describe("event ids", () => {
  test("every id that we write is read back as the same place", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), fc.nat({ max: 2 ** 48 }), (turn, position) => {
        expect(parseEventId(formatEventId({ turn, position }))).toEqual({ turn, position });
      }),
    );
  });

  test.each([undefined, "", "-1"])("%o means the beginning", (text) => {
    expect(parseEventId(text)).toBeUndefined();
  });

  test.each([
    "3",
    "3.",
    ".6",
    "3.-1",
    "0.1",
    "3.6.1",
    "3,6",
    " 3.6",
    "3.6\n",
    "1e3.4",
    "٣.٦",
    "9".repeat(50),
    "3.0x10",
  ])("C3: %o is refused as invalid_position", (text) => {
    expect(() => parseEventId(text)).toThrow(expect.objectContaining({ code: "invalid_position" }));
  });
});

test("text advances a position by its UTF-16 units, everything else by 1", () => {
  expect(eventLength({ type: "text", text: "a🦊" })).toBe(3);
  expect(eventLength({ type: "turn" })).toBe(1);
  expect(eventLength({ type: "reset", text: "long text" })).toBe(1);
});

test("a cut splits a pair exactly where one of the two sides stops being well-formed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 40 }), (text, at) => {
      const index = Math.min(at, text.length);
      const isClean = text.slice(0, index).isWellFormed() && text.slice(index).isWellFormed();
      expect(splitsSurrogatePair(text, index)).toBe(!isClean);
    }),
  );
});
