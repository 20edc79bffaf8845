import fc from "fast-check";
import { expect, test } from "vitest";
import { WholeCharacters } from "./whole-characters.ts";

function passThrough(pieces: readonly string[]): string[] {
  const characters = new WholeCharacters();
  return [...pieces.map((piece) => characters.push(piece)), characters.flush()];
}

test("text cut anywhere, also inside a character, comes out the same and only in whole characters", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.array(fc.nat({ max: 60 })), (text, cuts) => {
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
      const given = passThrough(places.slice(1).map((end, index) => text.slice(places[index], end)));
      expect(given.join("")).toBe(text);
      for (const piece of given) expect(piece.isWellFormed()).toBe(true);
    }),
  );
});

test("a half that never meets its other half becomes U+FFFD and keeps its length", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("\ud83e", "\udd8a", "x", "🦊"), { maxLength: 12 }), (pieces) => {
      const text = pieces.join("");
      expect(passThrough(pieces).join("")).toBe(text.toWellFormed());
      expect(passThrough(pieces).join("")).toHaveLength(text.length);
    }),
  );
});

test("the first half of a character is held back until the other one comes", () => {
  const characters = new WholeCharacters();
  expect(characters.push("a\ud83e")).toBe("a");
  expect(characters.push("\udd8ab")).toBe("🦊b");
  expect(characters.flush()).toBe("");
});
