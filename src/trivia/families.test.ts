import { describe, expect, test } from "vitest";
import { factOf } from "../../test/helpers/trivia-facts.ts";
import { FactTable, type Side } from "./fact-table.ts";
import { Families } from "./families.ts";
import { inverseOf, kinOf } from "./kin.ts";

const relatives = [
  ["Owen", "Iris", "sister"],
  ["Owen", "Vera", "mother"],
  ["Owen", "Nora", "first wife"],
  ["Owen", "Bea", "second wife"],
  ["Owen", "Pip", "child"],
  ["Iris", "Max", "acquaintance"],
  ["Gus", "Helena", "wife"],
] as const;

const table = new FactTable(
  relatives.map(([subject, object, detail]) =>
    factOf({ subject, relation: "relative", object, type: "character", detail }),
  ),
);
const families = new Families(table);

function mayBeWrong(
  side: Side,
  [subject, detail, object]: readonly [string, string, string],
  somebody: string,
): boolean {
  const asked = new FactTable([factOf({ subject, relation: "relative", object, type: "character", detail })])
    .entries[0];
  if (asked === undefined) throw new Error("A table of one fact has an entry");
  return families.mayBeWrong(asked, side, { text: somebody, names: [somebody.toLowerCase()] });
}

describe("whoever may be given as a wrong answer about a family", () => {
  test.each([
    ["Who is Owen’s sister?", "is not his sister", "Iris", false],
    ["Who is Owen’s sister?", "may be his mother", "Vera", true],
    ["Who is Owen’s sister?", "may be his child, as a fact says so", "Pip", true],
    ["Who is Owen’s sister?", "is nobody of whom only a relative knows what they are to him", "Max", false],
    ["Who is Owen’s sister?", "may be of another family", "Helena", true],
    ["Who is Owen’s sister?", "may be somebody without a family", "Zed", true],
  ])("%s: %s (%s)", (_, __, somebody, expected) => {
    expect(mayBeWrong("object", ["Owen", "sister", "Iris"], somebody)).toBe(expected);
  });

  test("may be the second wife where the first is asked for, but not where any is", () => {
    expect(mayBeWrong("object", ["Owen", "first wife", "Nora"], "Bea")).toBe(true);
    expect(mayBeWrong("object", ["Owen", "wife", "Nora"], "Bea")).toBe(false);
  });

  test("may be anybody else of the family where a mother is asked for, as there is one", () => {
    expect(mayBeWrong("object", ["Iris", "mother", "Vera"], "Nora")).toBe(true);
    expect(mayBeWrong("object", ["Iris", "aunt", "Vera"], "Nora")).toBe(false);
  });

  test("is nobody else of her family where it is asked whose mother somebody is", () => {
    expect(mayBeWrong("subject", ["Owen", "mother", "Vera"], "Iris")).toBe(false);
    expect(mayBeWrong("subject", ["Owen", "mother", "Vera"], "Gus")).toBe(true);
  });

  test("is nobody who is a relative by a word that says nothing", () => {
    expect(mayBeWrong("object", ["Iris", "brother", "Owen"], "Max")).toBe(false);
  });
});

describe("what nobody believes of somebody in a family", () => {
  const generations = new Families(
    new FactTable(
      (
        [
          ["Owen", "Nora", "wife"],
          ["Owen", "Pip", "younger daughter"],
          ["Owen", "Una", "older daughter"],
          ["Nora", "Gerda", "mother"],
          ["Owen", "Lars", "grandfather"],
          ["Owen", "Kai", "nephew"],
        ] as const
      ).map(([subject, object, detail]) =>
        factOf({ subject, relation: "relative", object, type: "character", detail }),
      ),
    ),
  );
  const named = (text: string) => ({ text, names: [text.toLowerCase()] });
  const fact = (detail: string, object = "Nobody", subject = "Nora") =>
    factOf({ subject, relation: "relative", object, type: "character", detail });

  test.each([
    ["a daughter as a mother", "mother", "Pip", true],
    ["a husband's grandfather as a father", "father", "Lars", true],
    ["a husband's nephew as a brother", "brother", "Kai", true],
    ["a mother as an aunt, who is as old", "aunt", "Gerda", false],
    ["a stranger as a mother", "mother", "Zed", false],
    ["anybody as a neighbour", "neighbour", "Pip", false],
  ])("is %s, by the generations between them: %s (%s)", (_, detail, somebody, expected) => {
    const [entry] = new FactTable([fact(detail)]).entries;
    if (entry === undefined) throw new Error("A table of one fact has an entry");
    expect(generations.isOfOtherGeneration(entry, "object", named(somebody))).toBe(expected);
  });

  test("is whoever is too old to have somebody as a daughter", () => {
    const [entry] = new FactTable([fact("daughter", "Gerda", "Nobody")]).entries;
    if (entry === undefined) throw new Error("A table of one fact has an entry");
    expect(generations.isOfOtherGeneration(entry, "subject", named("Pip"))).toBe(true);
  });

  test("is a relative of another kind, a younger daughter as a wife too, but not the other daughter", () => {
    expect(generations.areOtherRelatives(fact("wife"), named("Owen"), named("Pip"))).toBe(true);
    expect(generations.areOtherRelatives(fact("older daughter"), named("Owen"), named("Pip"))).toBe(false);
  });
});

describe("who is a woman and who a man", () => {
  test("is known of a name by whoever plays or is played, in both directions", () => {
    const played = new FactTable([
      factOf({ subject: "Robin Marsh", relation: "played_by", object: "Roger Klee", type: "person" }),
      factOf({ subject: "Martha Low", relation: "played_by", object: "Shay Klee", type: "person" }),
      factOf({ subject: "Robin Klee", relation: "played_by", object: "Shay Low", type: "person" }),
    ]);
    const genderOf = (text: string) => played.genderOf({ text, names: [text.toLowerCase()] });
    expect([genderOf("Robin Marsh"), genderOf("Shay Klee"), genderOf("Robin Klee")]).toEqual([
      "male",
      "female",
      undefined,
    ]);
  });
});

describe("words for relatives", () => {
  test.each([
    ["mother", "parent", "female"],
    ["half-brother", "sibling", "male"],
    ["Twin Sister", "sibling", "female"],
    ["ex-wife", "spouse", "female"],
    ["fiancée", "spouse", "female"],
    ["stepfather", "parent", "male"],
    ["brother-in-law", "in-law", "male"],
    ["great-aunt", "elder", "female"],
    ["cousin", "cousin", undefined],
  ] as const)("%s is a %s", (detail, kinClass, gender) => {
    expect(kinOf(detail)).toEqual({ class: kinClass, gender });
  });

  test.each([undefined, "", "neighbour", "…"])("%j is none", (detail) => {
    expect(kinOf(detail)).toBeUndefined();
  });

  test("have another one in the other direction, and that has the first", () => {
    for (const detail of ["mother", "son", "sister", "wife", "grandson", "uncle", "niece", "cousin", "sister-in-law"]) {
      const kinClass = kinOf(detail)?.class;
      expect(kinClass && inverseOf(inverseOf(kinClass))).toBe(kinClass);
    }
  });
});
