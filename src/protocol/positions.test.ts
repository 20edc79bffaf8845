import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatEventId,
  parseEventId,
  positionAfter,
  resetStride,
  splitsSurrogatePair,
  takeoverReason,
} from "./positions.ts";

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
  expect(positionAfter(5, { type: "text", text: "a🦊" })).toBe(8);
  expect(positionAfter(-1, { type: "turn" })).toBe(0);
  expect(positionAfter(5, { type: "reset", text: "long text", reason: "position_not_in_log" })).toBe(6);
});

test("a reset after a takeover jumps to a position that was never used, for any head", () => {
  fc.assert(
    fc.property(fc.integer({ min: -1, max: 2 ** 40 }), fc.nat({ max: 2 ** 20 }), (head, lost) => {
      const after = positionAfter(head, { type: "reset", text: "", reason: takeoverReason });
      expect(after % resetStride).toBe(0);
      expect(after).toBeGreaterThan(head);
      // What was lost is at most an answer long, and answers are shorter than the stride.
      if ((head % resetStride) + lost < resetStride) expect(after).toBeGreaterThan(head + lost);
    }),
  );
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
