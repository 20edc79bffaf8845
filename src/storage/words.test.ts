import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { snippetOf } from "./snippet.ts";
import { searchedLength, wantedWords, wordsIn } from "./words.ts";

const words = (text: string) => [...wordsIn(text)].map(({ word }) => word);
const wanted = (query: string) => wantedWords(query).map(({ word }) => word);

describe("the words of a text", () => {
  it.each([
    ["Hello, wörld! It's 3.14", ["hello", "world", "it", "s", "3", "14"]],
    ["STRASSE Ångström ﬁnd １２", ["strasse", "angstrom", "find", "12"]],
    ["ΟΔΟΣ Москва́ İstanbul", ["οδοσ", "москва", "istanbul"]],
    ["שָׁלוֹם مَرْحَبًا", ["שלום", "مرحبا"]],
    ["日本語", ["日本", "本語", "語"]],
    ["東京tower", ["東京", "京", "tower"]],
    ["한국어 텍스트", ["한국어", "텍스트"]],
    ["😀 … -- \u0000", []],
  ])("of %j are %j", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it("are looked for in the first 64 Ki code units, and no longer than 64 each", () => {
    expect(words("x".repeat(1_000))).toEqual(["x".repeat(64)]);
    expect(words(`${" ".repeat(searchedLength)}late`)).toEqual([]);
  });

  it("stand where they say, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const { word, start, end } of wordsIn(text)) {
          expect(word).not.toBe("");
          expect(words(text.slice(start, end))).toContain(word);
        }
      }),
    );
  });
});

describe("a search", () => {
  it("wants each word once, letters of one alone as they are, and pairs of what is written without spaces", () => {
    expect(wantedWords("Cats cats a 日本語 日")).toEqual([
      { word: "cats", asBeginning: true },
      { word: "a", asBeginning: false },
      { word: "日本", asBeginning: true },
      { word: "本語", asBeginning: true },
      { word: "日", asBeginning: true },
    ]);
  });

  it.each(['"', "*", "NEAR(", "-", "\0", '"a" OR "b', "{a}: ^b", "a NOT b", "(((", "'); DROP TABLE turns; --"])(
    "F13: takes %j for words",
    (query) => {
      for (const word of wanted(query)) expect(word).toMatch(/^[a-z]+$/);
    },
  );

  test("F13: whatever it is, its quoted words are a query that the index takes, and 10 KB are no more than 32 of them", () => {
    const database = new DatabaseSync(":memory:");
    database.exec(
      "CREATE VIRTUAL TABLE found USING fts5(words, content='', columnsize=0, detail=none, tokenize='ascii')",
    );
    const find = database.prepare("SELECT rowid FROM found WHERE found MATCH ?");
    const query = (text: string) => wantedWords(text).map(({ word }) => `"${word}"*`);
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const terms = query(text);
        if (terms.length > 0) expect(find.all(terms.join(" "))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
    // Letters that stand for a whole phrase, with spaces in it.
    expect(() => find.all(query("\ufdfa \ufdfb").join(" "))).not.toThrow();
    expect(wantedWords(Array.from({ length: 2_000 }, (_, index) => `w${index}`).join(" "))).toHaveLength(32);
    database.close();
  });
});

describe("a snippet", () => {
  const marked = (text: string, query: string) => {
    const { text: shown, matches } = snippetOf(text, wantedWords(query));
    return { shown, marked: matches.map(([start, end]) => shown.slice(start, end)) };
  };

  it("shows what was found, and where", () => {
    expect(marked("The Café is\nopen: café, cafés.", "cafe")).toEqual({
      shown: "The Café is open: café, cafés.",
      marked: ["Café", "café", "café"],
    });
    expect(marked("これは日本語です", "日本語")).toEqual({ shown: "これは日本語です", marked: ["日本語"] });
  });

  it("is cut out of a long text between words, and says so", () => {
    const { shown, marked: found } = marked(`${"before ".repeat(50)}needle ${"after ".repeat(100)}`, "needle");
    expect(shown).toMatch(/^…before (before )+needle (after )+after…$/);
    expect(shown.length).toBeLessThanOrEqual(242);
    expect(found).toEqual(["needle"]);
  });

  it("marks of a word that is longer than itself what is shown of it", () => {
    const { shown, marked: found } = marked("a".repeat(300), "aa");
    expect(found).toEqual([shown.replace("…", "")]);
  });

  it("has no half of a character and no overlapping matches, whatever the text", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom("needle ", "😀", "日本", "\n"),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join("").toWellFormed();
        const { text: shown, matches } = snippetOf(text, wantedWords("needle 日本 n"));
        expect(shown.isWellFormed()).toBe(true);
        expect(shown.length).toBeLessThanOrEqual(242);
        let last = 0;
        for (const [start, end] of matches) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(shown.length);
          last = end;
        }
      }),
    );
  });
});
