import fc from "fast-check";
import { expect, test } from "vitest";
import { splitsSurrogatePair } from "../../protocol/positions.ts";
import { sliceLength, slicesOf } from "./slices.ts";

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 2_000 }),
  fc.string({ unit: "binary", maxLength: 2_000 }),
  fc.tuple(fc.string({ maxLength: 3 }), fc.nat(1_500)).map(([start, count]) => start + "😀".repeat(count)),
);

test("slices put together are the text, none is longer than allowed, and none ends in half a character", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const slices = [...slicesOf(text)];
      expect(slices.join("")).toBe(text);
      let position = 0;
      for (const slice of slices) {
        expect(slice.length).toBeGreaterThan(0);
        expect(slice.length).toBeLessThanOrEqual(sliceLength);
        position += slice.length;
        expect(splitsSurrogatePair(text, position)).toBe(false);
      }
    }),
  );
});
