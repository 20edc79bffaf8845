import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factSchema } from "../facts.ts";
import { longestPassage } from "./passages.ts";
import { type PageContent, readPage } from "./read-page.ts";

const show = { id: "lighthouse", title: "The Lighthouse", aliases: ["Lighthouse"] };

function read(title: string, wikitext: string): Promise<PageContent> {
  return readPage({ title, wikitext, show, date: "2026-11-28" });
}

function fixture(name: string, title: string): Promise<PageContent> {
  const file = path.join(import.meta.dirname, `../../../test/fixtures/wikitext/${name}.wikitext`);
  return read(title, readFileSync(file, "utf8"));
}

/** `subject relation object (detail)` */
function told({ facts }: PageContent): string[] {
  return facts.map(({ subject, relation, object, detail }) =>
    [subject, relation, object, ...(detail === undefined ? [] : [`(${detail})`])].join(" | "),
  );
}

describe("the page of a character", () => {
  it("says what stands in its infobox, in a tabber and with templates and references within", async () => {
    expect(told(await fixture("otto-brand", "Otto Brand"))).toEqual([
      "Otto Brand | full_name | Otto Ferdinand Brand",
      "Otto Brand | played_by | Mara Klee",
      "Otto Brand | occupation | Lighthouse keeper",
      "Otto Brand | occupation | Radio amateur",
      "Otto Brand | workplace | Norderoog Harbour Board",
      "Otto Brand | lives_in | The Tower, Norderoog",
      "Otto Brand | relative | Ilse Brand | (twin sister)",
      "Otto Brand | relative | Nele | (mother)",
      "Otto Brand | pet | Foam | (seal)",
      "Otto Brand | nickname | The Keeper",
      "Otto Brand | nickname | Otti",
      "Otto Brand | catchphrase | Mind the stairs!",
    ]);
  });

  it("gives each fact the words that say it, other names of its subject, and the same id each time", async () => {
    const page = await fixture("otto-brand", "Otto Brand");
    const fact = page.facts.find(({ relation }) => relation === "played_by");
    expect(fact).toEqual({
      id: expect.stringMatching(/^lighthouse:played-by:otto-brand-[0-9a-f]{12}$/),
      show: "lighthouse",
      subject: "Otto Brand",
      subject_aliases: ["Otto Ferdinand Brand", "Otto", "The Keeper"],
      relation: "played_by",
      object: "Mara Klee",
      type: "person",
      aliases: [],
      evidence: "Otto Brand. Portrayed by: Mara Klee",
      depth: 0,
      verified: { method: "parsed", date: "2026-11-28" },
    });
    expect((await fixture("otto-brand", "Otto Brand")).facts).toEqual(page.facts);
  });

  it("gives passages under their headings, with quotes and lists, without marks, references and tables of links", async () => {
    const { passages } = await fixture("otto-brand", "Otto Brand");
    const texts = passages.map(({ section, text }) => [section.join(" / "), text].join(": "));
    expect(texts[0]).toMatch(/^: Title1: Otto Brand\nFull name: Otto Ferdinand Brand\nPortrayed by: Mara Klee\n/);
    const all = texts.join("\n\n");
    expect(all).toContain("Otto had no beard then.");
    expect(all).toContain('"Mind the stairs!"');
    expect(all).toContain("He shares the tower with his sister Ilse, who came for a weekend in 1993.");
    expect(all).toContain(
      "Biography: Otto was born on the mainland. Dr. Ahlers, the island's only doctor, is his closest friend.",
    );
    expect(all).toContain("Biography / Radio: Every night Otto speaks with a ship called Gesine, which is 40 km");
    expect(all).toContain("Quotes: Ilse: Is it always this loud?\nOtto: That is the quiet one.");
    expect(all).not.toMatch(/\[\[|\{\{|<ref|''|tabber|press\.example|Category|\|-\|/);
  });
});

describe("the page of an episode", () => {
  it("says who made it, when it was shown, and who was in it", async () => {
    expect(told(await fixture("the-grinder", "The Grinder (The Lighthouse)"))).toEqual([
      "The Grinder | season_of | 2",
      "The Grinder | directed_by | Jon Petersen",
      "The Grinder | written_by | Ada Voss",
      "The Grinder | written_by | Tom Reimers",
      "The Grinder | first_aired | 1994",
      "The Grinder | guest_star | Lina Hartog",
      "The Grinder | guest_star | Sam Owusu",
      "The Grinder | guest_star | Rolf Behn, Jr.",
      "Otto Brand | played_by | Mara Klee",
      "Ilse Brand | played_by | Theo Lindt",
      "Frau Petersen | played_by | Lina Hartog",
    ]);
  });
});

describe("the list of a season's episodes", () => {
  it("says of each who made it, when it was shown and in which season, and is searched by what happens", async () => {
    const page = await fixture("season-2", "The Lighthouse season 2");
    expect(told(page)).toEqual([
      "The Return | directed_by | Jon Petersen",
      "The Return | written_by | Ada Voss",
      "The Return | written_by | Tom Reimers",
      "The Return | first_aired | 1994",
      "The Return | season_of | 2",
      "Two Boats | directed_by | Jon Petersen",
      "Two Boats | written_by | Greta Maas",
      "Two Boats | written_by | Tom Reimers",
      "Two Boats | first_aired | 1994",
      "Two Boats | season_of | 2",
    ]);
    expect(page.facts.map(({ evidence }) => evidence)).toContain(
      "The Lighthouse season 2. The Return. Directed by: Jon Petersen",
    );
    expect(page.passages.map(({ text }) => text).join("\n\n")).toContain(
      "Title: Two Boats\nDirected by: Jon Petersen\nWritten by: Story by: Greta Maas; Teleplay by: Tom Reimers\n" +
        "Original air date: September 29, 1994\nSummary: Two boats arrive, and only one leaves.",
    );
  });
});

describe("the page of the show", () => {
  it("says what the show is, under its own title", async () => {
    expect(told(await fixture("the-lighthouse", "The Lighthouse (TV series)"))).toEqual([
      "The Lighthouse | created_by | Ada Voss",
      "The Lighthouse | set_in | Norderoog",
      "The Lighthouse | theme_by | Greta Maas",
      "The Lighthouse | theme_song | Round and Round",
      "The Lighthouse | seasons | 6",
      "The Lighthouse | episodes | 131",
      "The Lighthouse | network | North Channel",
      "The Lighthouse | first_aired | 1993",
      "The Lighthouse | last_aired | 1999",
      "Otto Brand | played_by | Mara Klee",
      "Ilse Brand | played_by | Theo Lindt",
    ]);
  });

  it("of another show says nothing about this one", async () => {
    expect(told(await fixture("the-lighthouse", "The Harbour"))).toEqual([]);
  });
});

describe("other pages", () => {
  it("give passages and no facts where they are about a real person", async () => {
    const page = await fixture("mara-klee", "Mara Klee");
    expect(told(page)).toEqual([]);
    expect(page.passages.map(({ text }) => text).join()).toContain("played Otto Brand for six years");
  });

  it("that only lead elsewhere give nothing", async () => {
    expect(await read("Otto", "#REDIRECT [[Otto Brand]]")).toEqual({ passages: [], facts: [] });
    expect(await read("Empty", "")).toEqual({ passages: [], facts: [] });
  });
});

describe("occupations", () => {
  it("of former times are some, too", async () => {
    const box = "{{Character|portrayed by=[[Mara Klee]]|occupation=Keeper, formerly a cook; and later Postman}}";
    expect(told(await read("Otto", box)).slice(1)).toEqual([
      "Otto | occupation | Keeper",
      "Otto | occupation | cook",
      "Otto | occupation | Postman",
    ]);
  });
});

describe("rows that are no fact", () => {
  it.each([
    ["portrayed by", "Unknown"],
    ["portrayed by", "TBA"],
    ["portrayed by", "[[Season 3|various people]]"],
    ["portrayed by", "Mara"],
    ["portrayed by", "[[Mara Klee]], Theo"],
    ["portrayed by", "[[Mara Klee]]<br>Theo and others"],
    ["family", "[[Uncle Hark]] (uncle)"],
    ["occupation", "See below"],
    ["occupation", "https://jobs.example"],
    ["family", "[[Pastor Lorenz]]"],
    ["family", "[[Nele]] (deceased)"],
    ["residence", "somewhere"],
    ["catchphrase", "Well"],
  ])("%s: %s", async (key, value) => {
    expect(told(await read("Otto", `{{Character|portrayed by=|status=Alive|${key}=${value}}}`))).toEqual([]);
  });

  it("because the episode is another show's", async () => {
    const box = "{{Infobox television episode|series=[[The Harbour]]|season=2|writer=[[Ada Voss]]}}";
    expect(told(await read("Two Boats", box))).toEqual([]);
  });

  it("because a number or a year is not the only one", async () => {
    const box = "{{Infobox television episode|airdate=1993 and 1994|season=2<br>3|writer=[[Ada Voss]]}}";
    expect(told(await read("Two Boats", box))).toEqual(["Two Boats | written_by | Ada Voss"]);
  });
});

describe("passages", () => {
  it("are at most 1,000 characters long and end where sentences do", async () => {
    const sentence = (index: number) => `Sentence number ${index} tells of the sea, the lamp and the long way up.`;
    const { passages } = await read("Sea", Array.from({ length: 60 }, (_, index) => sentence(index)).join(" "));
    expect(passages.length).toBeGreaterThan(3);
    for (const { text } of passages) {
      expect(text.length).toBeLessThanOrEqual(longestPassage);
      expect(text).toMatch(/^Sentence.*up\.$/s);
    }
    expect(passages.map(({ text }) => text).join(" ")).toBe(
      Array.from({ length: 60 }, (_, index) => sentence(index)).join(" "),
    );
  });

  it("cut a sentence without an end between words, and never a character in two", async () => {
    const words = await read("Words", "lamp ".repeat(500));
    expect(words.passages.every(({ text }) => text.length <= longestPassage && /^(?:lamp ?)+$/.test(text))).toBe(true);
    const waves = await read("Waves", "🌊".repeat(1_200));
    expect(waves.passages.map(({ text }) => text).join("")).toBe("🌊".repeat(1_200));
    expect(waves.passages.every(({ text }) => text.isWellFormed() && text.length <= longestPassage)).toBe(true);
  });
});

describe("whatever stands in a page", () => {
  it.each([
    ["in a row", "Page", "{{Character|portrayed by=Mara Klee\ud800|occupation=keeper\udc00}}"],
    ["in a row, as a number", "Page", "{{Character|portrayed by=Mara Klee|occupation=keeper &#xD800; &#55357;}}"],
    ["in the title", "Page\ud800", "{{Character|portrayed by=Mara Klee|occupation=keeper}}"],
  ])("half a character %s comes into no text", async (_, title, wikitext) => {
    const { facts, passages } = await read(title, wikitext);
    expect(facts.length).toBeGreaterThan(0);
    for (const { subject, object, evidence } of facts) {
      expect([subject, object, evidence].every((text) => text.isWellFormed())).toBe(true);
    }
    for (const { text } of passages) expect(text.isWellFormed()).toBe(true);
  });

  it("facts keep to their schema and say what they are made from", async () => {
    const marks = fc.constantFrom(
      "{{Character|portrayed by=",
      "|occupation=",
      "[[",
      "]]",
      "}}",
      "<br>",
      "(",
      ")",
      "'''",
      "\n",
      "|",
      "=",
      "Mara Klee",
      "keeper",
      "\0",
      "\ud800",
      "== ",
      "* ",
      "<ref>",
      "</ref>",
      "<tabber>",
      "|-|",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(marks, { maxLength: 40 }), async (parts) => {
        const { facts, passages } = await read("Page", parts.join(""));
        for (const fact of facts) {
          expect(() => factSchema.omit({ source: true }).parse(fact)).not.toThrow();
          expect(fact.evidence).toContain(fact.object);
        }
        for (const { text } of passages) expect(text.isWellFormed()).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
