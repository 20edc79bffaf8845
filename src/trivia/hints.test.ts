import { describe, expect, test } from "vitest";
import { facts, knowledge } from "../../test/helpers/trivia-shows.ts";
import type { ObjectType } from "../retrieval/facts.ts";
import { hintFor } from "./hints.ts";
import { openQuestionMaker } from "./question-maker.ts";
import { seededRandom } from "./seeded-random.ts";

/** Whether an option is what a hint speaks of, as a player would understand it. */
function fits(hint: string, option: string): boolean {
  const said = hint.replace(/^(?:It|What belongs there) /, "").replace(/\.$/, "");
  const words = option.split(" ").filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = words.filter((word, index) => index > 0 || !/^(?:the|an?)$/i.test(word))[0] ?? "";
  const letter = (word: string) => /[\p{L}\p{N}]/u.exec(word)?.[0].toUpperCase();
  const { not, count, begins, ends, low, high, letters } =
    /^(?:is not “(?<not>.+)”|(?:is|has) (?<count>\w+) words?|begins with (?<begins>.)|ends with a word that begins with (?<ends>.)|is between (?<low>\d+) and (?<high>\d+)|has more than (?<letters>\d+) letters)$/u.exec(
      said,
    )?.groups ?? {};
  if (not !== undefined) return option !== not;
  if (count !== undefined) return words.length === (count === "one" ? 1 : Number(count));
  if (begins !== undefined) return letter(first) === begins;
  if (ends !== undefined) return letter(words.at(-1) ?? "") === ends;
  if (low !== undefined) return Number(low) < Number(option) && Number(option) < Number(high);
  if (letters !== undefined) return option.replace(/[^\p{L}\p{N}]/gu, "").length > Number(letters);
  throw new Error(`Nobody understands “${hint}”`);
}

function hintsOf(kind: "multiple" | "boolean", answer: string, type: ObjectType, others: readonly string[]): string[] {
  const all = Array.from({ length: 40 }, (_, seed) =>
    hintFor({ kind, answer, type, others }, seededRandom(`seed ${seed}`)),
  );
  return [...new Set(all)];
}

const people = ["Dana Whitfield", "David Okafor", "Clara Benn", "Ruth Calloway"] as const;

describe("a hint for a question with options", () => {
  test.each([
    ["people", "person", people],
    ["people of whom nothing is alike", "person", ["Al", "Bo Carr", "Cy De Frey", "Gus Hay Ivy Jay"]],
    ["people of whom all is alike", "person", ["Ann Aaron", "Abe Adams", "Ada Alder", "Amy Akins"]],
    ["years", "year", ["1982", "1987", "1989", "1990"]],
    ["seasons", "number", ["9", "2", "7", "4"]],
    ["titles with an article", "episode", ["The Bell", "The Anchor", "Low Tide", "A Storm at Sea"]],
  ] as const)("fits the answer and another option, and not all: %s", (_, type, [answer, ...others]) => {
    for (const hint of hintsOf("multiple", answer, type, others)) {
      expect(fits(hint, answer), hint).toBe(true);
      const left = others.filter((other) => fits(hint, other)).length;
      expect(left, hint).toBeGreaterThan(0);
      expect(left, hint).toBeLessThan(others.length);
    }
  });

  test("says something of the name where that fits several, and else names what it is not", () => {
    expect(hintsOf("multiple", people[0], "person", people.slice(1))).toEqual(["It begins with D."]);
    expect(hintsOf("multiple", "Al", "person", ["Bo Carr", "Cy De Frey"]).sort()).toEqual([
      "It is not “Bo Carr”.",
      "It is not “Cy De Frey”.",
    ]);
  });
});

describe("a hint for a statement", () => {
  test.each([
    ["people", "person", people[0], people[1]],
    ["a word and several", "occupation", "Dentist", "Head of minority affairs"],
    ["years", "year", "1982", "1987"],
    ["seasons", "number", "9", "2"],
  ] as const)("fits what it says and what is right: %s", (_, type, right, said) => {
    for (const hint of hintsOf("boolean", right, type, [said])) {
      expect([fits(hint, right), fits(hint, said)], hint).toEqual([true, true]);
    }
  });

  test("is there where nothing else could be said", () => {
    expect(hintsOf("boolean", "Dentist", "occupation", [])).toEqual(["What belongs there has more than 6 letters."]);
  });
});

describe("a hint for a question without options", () => {
  const typed = (answer: string, type: ObjectType) =>
    hintFor({ kind: "text", answer, type, others: [] }, seededRandom("a test"));

  test.each([
    ["the initials of a name", "Dana Whitfield", "person", "The initials are D. W."],
    ["how many words, and the first letter", "low tide", "episode", "It has 2 words, and the first begins with L."],
    ["how many letters, and the first", "Baltimore", "place", "It is a word of 9 letters that begins with B."],
    ["no letter of a name of three", "NBC", "organisation", "It is a word of 3 letters."],
  ] as const)("says %s", (_, answer, type, hint) => {
    expect(typed(answer, type)).toBe(hint);
  });

  test.each([
    ["year", "1994", /^It was between (\d+) and (\d+)\.$/],
    ["number", "9", /^It is more than (\d+) and less than (\d+)\.$/],
  ] as const)("says between which two a %s is", (type, answer, pattern) => {
    const [, below, above] = pattern.exec(typed(answer, type)) ?? [];
    expect(Number(below)).toBeLessThan(Number(answer));
    expect(Number(above)).toBeGreaterThan(Number(answer));
  });
});

test("no hint of any question leaves one option alone, or tells a true statement from a wrong one", async () => {
  const said = new Map(facts.map(({ id, object }) => [id, object]));
  for await (const { id, kind, options, hint, fact } of openQuestionMaker({ knowledge }).all()) {
    if (kind === "multiple") {
      expect(options.filter(({ text }) => fits(hint, text)).length, `${id}: ${hint}`).toBeGreaterThan(1);
    }
    if (kind === "boolean") {
      const object = said.get(fact.id) ?? "";
      expect(fits(hint, object.charAt(0).toUpperCase() + object.slice(1)), `${id}: ${hint}`).toBe(true);
    }
  }
});
