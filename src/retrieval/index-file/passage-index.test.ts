import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makePage } from "../../../test/helpers/knowledge.ts";
import { PassageIndex } from "./passage-index.ts";
import { PassageWriter } from "./passage-writer.ts";
import { SearchWords } from "./search-words.ts";
import { countWords, openInMemory } from "./tables.ts";

function indexOf(...texts: string[]): PassageIndex {
  const database = openInMemory();
  const writer = new PassageWriter(database);
  for (const [place, text] of texts.entries()) {
    const { passages, facts: _facts, ...page } = makePage({ page: `Page ${place}`, text });
    writer.addPassages(writer.addPage(page), page.show, page.source.title, passages);
  }
  countWords(database);
  return new PassageIndex(database, new SearchWords());
}

describe("a search by words", () => {
  it("is never an error, whatever somebody types", () => {
    const index = indexOf("The waves reach the lamp, and Otto loses his radio.", "Ilse buys an espresso machine.");
    const likely = fc.constantFrom(
      ...[
        '"',
        "*",
        "NEAR(",
        ")",
        "AND",
        "OR",
        "NOT",
        "-",
        "^",
        ":",
        "heading:",
        "{",
        "}",
        "'",
        "\0",
        "\ud800",
        "radio",
        " ",
      ],
    );
    const query = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(likely).map((parts) => parts.join("")),
      fc.array(likely).map((parts) => parts.join(" ")),
    );
    fc.assert(
      fc.property(query, (text) => {
        expect(index.byWords(text, undefined, 5).length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 1_000 },
    );
  });

  it("has what has more and rarer of the words first, and a title counts more than the text", () => {
    const index = indexOf("the lamp is lit", "the lamp and the radio", "the stairs");
    const texts = (query: string) => index.byWords(query, undefined, 5).map(({ text }) => text);
    expect(texts("lamp radio")).toEqual(["the lamp and the radio", "the lamp is lit"]);
    expect(texts("Page 2")[0]).toBe("the stairs");
  });
});
