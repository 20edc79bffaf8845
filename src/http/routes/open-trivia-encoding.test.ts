import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeTexts, triviaEncodings } from "./open-trivia-encoding.ts";

const text = `In “Café”, who’s <b>he</b> & 'she'? 100% (maybe!) ~ *`;

describe("texts for clients of Open Trivia DB", () => {
  test.each([
    ["default", "In &quot;Caf&#233;&quot;, who&#039;s &lt;b&gt;he&lt;/b&gt; &amp; &#039;she&#039;? 100% (maybe!) ~ *"],
    ["urlLegacy", "In+%22Caf%C3%A9%22%2C+who%27s+%3Cb%3Ehe%3C%2Fb%3E+%26+%27she%27%3F+100%25+%28maybe%21%29+%7E+%2A"],
    [
      "url3986",
      "In%20%22Caf%C3%A9%22%2C%20who%27s%20%3Cb%3Ehe%3C%2Fb%3E%20%26%20%27she%27%3F%20100%25%20%28maybe%21%29%20~%20%2A",
    ],
    ["base64", Buffer.from(`In "Café", who's <b>he</b> & 'she'? 100% (maybe!) ~ *`).toString("base64")],
  ] as const)("as %s", (encoding, encoded) => {
    expect(encodeTexts(text, encoding)).toBe(encoded);
  });

  test("in lists and objects are encoded, and nothing else of them changes", () => {
    const value = { a: ["<", 1, null, true], "<": { b: "&" } };
    expect(encodeTexts(value, "default")).toEqual({ a: ["&lt;", 1, null, true], "<": { b: "&amp;" } });
  });

  test("are ASCII, whatever they were, and can be read again", () => {
    const texts = fc.string({ unit: "grapheme", maxLength: 40 }).filter((said) => !/[‘’“”]/.test(said));
    fc.assert(
      fc.property(texts, fc.constantFrom(...triviaEncodings), (said, encoding) => {
        const encoded = String(encodeTexts(said, encoding));
        expect(encoded).toMatch(/^[\0-\x7f]*$/);
        if (encoding === "url3986") expect(decodeURIComponent(encoded)).toBe(said);
        if (encoding === "urlLegacy") expect(new URLSearchParams(`said=${encoded}`).get("said")).toBe(said);
        if (encoding === "base64") expect(Buffer.from(encoded, "base64").toString()).toBe(said);
        if (encoding === "default") expect(encoded).not.toMatch(/[<>"']/);
      }),
    );
  });
});
