import { describe, expect, test } from "vitest";
import { factOf, knowledgeOf, showOf } from "../../test/helpers/trivia-facts.ts";
import { facts, knowledge, shows } from "../../test/helpers/trivia-shows.ts";
import type { Fact } from "../retrieval/facts.ts";
import { violationsOf } from "./checks.ts";
import { normalForm } from "./normal-form.ts";
import type { Question } from "./question.ts";
import { openQuestionMaker, type Wanted } from "./question-maker.ts";
import { scattered, seededRandom } from "./seeded-random.ts";

const maker = openQuestionMaker({ knowledge });

async function everything(from = maker, show?: string): Promise<readonly Question[]> {
  const questions: Question[] = [];
  for await (const question of from.all(show)) questions.push(question);
  return questions;
}

function wanted(wish: Partial<Wanted> = {}): Wanted {
  return { exclude: () => false, random: seededRandom("a test"), ...wish };
}

function factId(relation: string, object: string): string {
  return facts.find((fact) => fact.relation === relation && fact.object === object)?.id ?? "";
}

async function made(relation: string, object: string, form: string): Promise<Question | undefined> {
  return maker.question(`${factId(relation, object)}.${form}`);
}

function wrongOptions({ options, answer }: Question): readonly string[] {
  return options.map(({ text }) => text).filter((text) => text !== answer);
}

describe("questions of facts", () => {
  test("ask for the object, for the subject, in statements and without options", async () => {
    const texts = async (object: string, ...forms: string[]) =>
      Promise.all(forms.map(async (form) => (await made("played_by", object, form))?.text));
    expect(await texts("Dana Whitfield", "object", "subject", "typed", "typed-subject", "true")).toEqual([
      "Who plays Owen Marsh in Harbour Street?",
      "Which character of Harbour Street is played by Dana Whitfield?",
      "Who plays Owen Marsh in Harbour Street?",
      "Which character of Harbour Street is played by Dana Whitfield?",
      "In Harbour Street, Owen Marsh is played by Dana Whitfield.",
    ]);
    expect((await made("played_by", "Dana Whitfield", "false"))?.text).toMatch(
      /^In Harbour Street, Owen Marsh is played by (?!Dana Whitfield)/,
    );
  });

  test("each keep every rule, and no two are the same", async () => {
    const questions = await everything();
    expect(questions.length).toBeGreaterThan(120);
    for (const question of questions) expect(violationsOf(question, []), question.id).toEqual([]);
    expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
    expect(new Set(questions.map(({ kind, text }) => `${kind} ${text}`)).size).toBe(questions.length);
  });

  test("have wrong options that facts of the same relation say of others, and nothing else", async () => {
    for (const question of await everything()) {
      if (question.kind !== "multiple") continue;
      const alike = facts.filter(
        ({ relation, type }) => relation === question.fact.relation && type === question.fact.type,
      );
      const said = alike.flatMap(({ subject, object }) => [normalForm(subject), normalForm(object)]);
      for (const option of question.options) expect(said, question.id).toContain(normalForm(option.text));
    }
  });

  test("never have an option that is right as well", async () => {
    const jobs = await made("occupation", "ferry captain", "object");
    expect(jobs?.text).toBe("Which occupation has Owen Marsh had in Harbour Street?");
    expect(jobs && wrongOptions(jobs)).not.toContain("Poet");
    expect(jobs?.options).toHaveLength(4);
    const creators = await made("created_by", "Ruth Calloway", "object");
    expect(creators && wrongOptions(creators)).not.toContain("Henry Okafor");
  });

  test("have no option that is another name, a part, or a sort of the answer", async () => {
    const more = [
      factOf({
        id: "harbour-street:90",
        subject: "Zed",
        relation: "occupation",
        object: "captain",
        type: "occupation",
      }),
      factOf({ id: "harbour-street:91", subject: "Yan", relation: "occupation", object: "ferry", type: "occupation" }),
    ];
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, ...more]) });
    const question = await other.question(`${factId("occupation", "ferry captain")}.object`);
    expect(question?.options).toHaveLength(4);
    expect(question && wrongOptions(question)).not.toContain("Captain");
    expect(question && wrongOptions(question)).not.toContain("Ferry");
  });

  test("have no option that the evidence names too", async () => {
    const fact = factOf({
      id: "harbour-street:92",
      subject: "Ada Stone",
      relation: "occupation",
      object: "surgeon",
      type: "occupation",
      evidence: "Ada Stone is a surgeon who was once a judge and a baker.",
    });
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, fact]) });
    const question = await other.question("harbour-street:92.object");
    expect(question?.options).toHaveLength(4);
    for (const named of ["Judge", "Baker"]) expect(question && wrongOptions(question)).not.toContain(named);
  });

  test("ask for a subject only where one alone is known", async () => {
    const second = factOf({
      id: "harbour-street:93",
      subject: "Iris Marsh",
      relation: "occupation",
      object: "baker",
      type: "occupation",
    });
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, second]) });
    expect(await made("occupation", "baker", "subject")).toBeDefined();
    expect(await other.question(`${factId("occupation", "baker")}.subject`)).toBeUndefined();
  });

  test("take wrong options from other shows only where the show itself is asked about", async () => {
    const place = await made("set_in", "Portland", "object");
    expect(place?.options.map(({ text }) => text).sort()).toEqual(["Baltimore", "Chicago", "Denver", "Portland"]);
    const elsewhere = factOf({
      id: "night-school:90",
      show: "night-school",
      subject: "Ann Ohr",
      relation: "played_by",
      object: "Zara Klein",
      type: "person",
    });
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, elsewhere]) });
    for (const question of await everything(other, "harbour-street")) {
      expect(
        question.options.map(({ text }) => text),
        question.id,
      ).not.toContain("Zara Klein");
    }
  });

  test("put no man among sisters and no waiter's job on a man", async () => {
    for (const question of await everything()) {
      if (question.fact.relation === "relative" && question.id.endsWith(".object")) {
        for (const man of ["Owen Marsh", "Gus Pappas", "Theo Lindqvist"]) {
          expect(wrongOptions(question), question.id).not.toContain(man);
        }
      }
      expect(question.text).not.toBe("In Harbour Street, Gus Pappas works as a waitress.");
    }
  });

  test("accept first names and other names where they are typed, and what else is right", async () => {
    expect((await made("played_by", "Clara Benn", "typed-subject"))?.aliases).toContain("iris");
    expect((await made("played_by", "Clara Benn", "typed"))?.aliases).toEqual(["benn"]);
    expect((await made("created_by", "Ruth Calloway", "typed"))?.aliases).toContain("henry okafor");
    // Both are called so.
    expect((await made("occupation", "judge", "typed-subject"))?.aliases).not.toContain("marsh");
  });

  test("accept names without initials, middle names and “Jr.”, and family names of two words", async () => {
    const played = (id: number, subject: string, object: string, subject_aliases: readonly string[] = []) =>
      factOf({
        id: `harbour-street:${id}`,
        subject,
        relation: "played_by",
        object,
        type: "person",
        subject_aliases: [...subject_aliases],
      });
    const more = [
      played(95, "Cal Brook III", "Michael J. O'Dell", ["Tripp"]),
      played(96, "Sister Maud", "Queen Lavinia"),
      played(97, "Ed Vane", "Anna Gordon-Levy"),
    ];
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, ...more]) });
    const aliasesOf = async (id: string) => (await other.question(`harbour-street:${id}`))?.aliases;
    expect(await aliasesOf("95.typed")).toEqual(expect.arrayContaining(["odell", "michael odell"]));
    expect(await aliasesOf("95.typed-subject")).toEqual(
      expect.arrayContaining(["tripp", "tripp brook", "cal brook", "brook", "cal"]),
    );
    expect(await aliasesOf("95.typed-subject")).not.toContain("iii");
    expect(await aliasesOf("96.typed")).toContain("lavinia");
    expect(await aliasesOf("97.typed")).toEqual(expect.arrayContaining(["gordon levy", "levy"]));
    expect(await aliasesOf("97.typed")).not.toContain("anna");
  });

  test("are not to be typed where more may be right than any fact says", async () => {
    const texts = (await everything()).filter(({ kind }) => kind === "text");
    const asked = texts.filter(({ id, fact }) => id.endsWith(".typed") && fact.relation === "theme_by");
    expect(asked).toEqual([]);
    for (const relation of ["workplace", "lives_in", "guest_star"] as const) {
      const fact = factOf({
        id: "harbour-street:98",
        subject: "Ed Vane",
        relation,
        object: "Elm House",
        type: "place",
      });
      const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, fact]) });
      expect(await other.question("harbour-street:98.typed"), relation).toBeUndefined();
      expect(await other.question("harbour-street:98.true"), relation).toBeDefined();
    }
  });

  test("say of nobody that they work as what is no work any more", async () => {
    const retired = factOf({
      id: "harbour-street:99",
      subject: "Ed Vane",
      relation: "occupation",
      object: "retired pilot",
      type: "occupation",
    });
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, retired]) });
    expect((await other.question("harbour-street:99.true"))?.text).toBe(
      "In Harbour Street, Ed Vane is a retired pilot.",
    );
  });

  test("accept no word of what is called “the …” as a name", async () => {
    const more = [
      factOf({
        id: "harbour-street:94",
        subject: "the Old Lighthouse Keeper",
        relation: "played_by",
        object: "Ed Stone",
        type: "person",
      }),
    ];
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, [...facts, ...more]) });
    expect((await other.question("harbour-street:94.typed-subject"))?.aliases).toEqual([]);
    const options = (await other.question("harbour-street:94.subject"))?.options.map(({ text }) => text);
    expect(options).toContain("The Old Lighthouse Keeper");
  });

  test("say afterwards what is true, whatever they said before", async () => {
    const question = await made("set_in", "Portland", "false");
    expect(question?.text).not.toContain("Portland");
    expect(question).toMatchObject({ answer: "False", explanation: "Harbour Street is set in Portland." });
  });

  test("are none where the pack has too few to choose from", async () => {
    const alone = [showOf("alone", "Alone")];
    const few = [
      factOf({
        id: "alone:1",
        show: "alone",
        subject: "Al One",
        relation: "played_by",
        object: "Sue Loh",
        type: "person",
      }),
    ];
    const questions = await everything(openQuestionMaker({ knowledge: knowledgeOf(alone, few) }));
    expect(questions.map(({ id }) => id)).toEqual(["alone:1.true", "alone:1.typed", "alone:1.typed-subject"]);
  });
});

describe("the maker", () => {
  test("makes the same question of the same id, also in another process", async () => {
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, facts) });
    for (const question of await everything()) expect(await other.question(question.id)).toEqual(question);
  });

  test.each([
    "",
    ".",
    "harbour-street:1",
    "harbour-street:1.",
    "harbour-street:1.nothing",
    "nobody:1.object",
    ".object",
  ])("knows no question %j", async (id) => {
    expect(await maker.question(id)).toBeUndefined();
  });

  test("asks about the wanted show, in the wanted kind and difficulty", async () => {
    const random = seededRandom("wishes");
    for (let round = 0; round < 40; round += 1) {
      const question = await maker.next(
        wanted({ show: "harbour-street", kinds: ["boolean"], difficulty: "medium", random }),
      );
      expect(question).toMatchObject({ show: "harbour-street", kind: "boolean", difficulty: "medium" });
    }
  });

  test("asks no fact that is excluded, and ends when all are", async () => {
    const asked = new Set<string>();
    for (;;) {
      const question = await maker.next(
        wanted({ exclude: (id) => asked.has(id), random: seededRandom(`${asked.size}`) }),
      );
      if (question === undefined) break;
      expect(asked).not.toContain(question.fact.id);
      asked.add(question.fact.id);
    }
    expect([...asked].sort()).toEqual(facts.map(({ id }) => id).sort());
  });

  test("asks the nearest difficulty where none of the wanted one is left", async () => {
    const question = await maker.next(wanted({ show: "second-helping", kinds: ["multiple"], difficulty: "hard" }));
    expect(question?.difficulty).toBe("medium");
  });

  test("knows no show that is not there", async () => {
    expect(await maker.next(wanted({ show: "nowhere" }))).toBeUndefined();
  });

  test("asks better players harder questions", async () => {
    const mean = async (rating: number) => {
      const random = seededRandom(`${rating}`);
      let sum = 0;
      for (let round = 0; round < 60; round += 1) sum += (await maker.next(wanted({ rating, random })))?.rating ?? 0;
      return sum / 60;
    };
    expect((await mean(1_700)) - (await mean(900))).toBeGreaterThan(100);
  });

  test("counts what answers have shown of a fact", async () => {
    const shiftOf = () => 600;
    const question = await maker.next(wanted({ difficulty: "hard", kinds: ["boolean"], shiftOf }));
    expect(question?.difficulty).toBe("hard");
    expect(question?.rating).toBeLessThan(1_330);
  });

  test("mostly asks with options, and now and then without", async () => {
    const random = seededRandom("kinds");
    const counts = { multiple: 0, boolean: 0, text: 0 };
    for (let round = 0; round < 300; round += 1) {
      const question = await maker.next(wanted({ random }));
      if (question !== undefined) counts[question.kind] += 1;
    }
    expect(counts.multiple).toBeGreaterThan(150);
    expect(counts.boolean).toBeGreaterThan(15);
    expect(counts.text).toBeGreaterThan(15);
  });

  describe("of a show of which it knows mostly who plays whom", () => {
    const first = ["Ann", "Bea", "Cal", "Dov", "Eve", "Fay", "Gus", "Hal"];
    const last = ["Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Oak"];
    const names = first.flatMap((one) => last.map((other) => `${one} ${other}`));
    const jobs = ["baker", "judge", "diver", "pilot", "tailor", "welder"];
    const crowded = [
      ...names.map((subject, index) =>
        factOf({
          show: "crowd",
          subject,
          relation: "played_by",
          object: names.toReversed()[index] ?? "",
          type: "person",
        }),
      ),
      ...jobs.map((object, index) =>
        factOf({ show: "crowd", subject: names[index] ?? "", relation: "occupation", object, type: "occupation" }),
      ),
    ];
    const crowd = openQuestionMaker({ knowledge: knowledgeOf([showOf("crowd", "Crowd")], crowded) });

    test("asks for other things as often, with a player's rating and without", async () => {
      for (const rating of [undefined, 1_200]) {
        const random = seededRandom("a crowd");
        let others = 0;
        for (let round = 0; round < 200; round += 1) {
          const question = await crowd.next(wanted({ random, ...(rating !== undefined && { rating }) }));
          if (question?.fact.relation === "occupation") others += 1;
        }
        expect(others, `${rating}`).toBeGreaterThan(60);
      }
    });

    test("asks them all in the end", async () => {
      const asked = new Set<string>();
      for (;;) {
        const question = await crowd.next(
          wanted({ exclude: (id) => asked.has(id), random: seededRandom(`${asked.size}`) }),
        );
        if (question === undefined) break;
        asked.add(question.fact.id);
      }
      expect(asked.size).toBe(crowded.length);
    });
  });

  test("sees at once what knowledge has become", async () => {
    const lists = new Map<string, readonly Fact[]>([["alone", []]]);
    const changing = openQuestionMaker({
      knowledge: {
        shows: async () => [{ ...showOf("alone", "Alone"), facts: 0 }],
        facts: async (show) => lists.get(show) ?? [],
        fact: async (id) => lists.get("alone")?.find((fact) => fact.id === id),
      },
    });
    expect(await changing.next(wanted())).toBeUndefined();
    lists.set("alone", [
      factOf({ show: "alone", subject: "Al One", relation: "played_by", object: "Sue Loh", type: "person" }),
    ]);
    expect(await changing.next(wanted())).toBeDefined();
  });
});

describe("the questions of a day", () => {
  test("are the same for everybody, of one fact each, with options, from several shows", async () => {
    const questions = await maker.daily("2026-11-28", 10);
    expect(await openQuestionMaker({ knowledge: knowledgeOf(shows, facts) }).daily("2026-11-28", 10)).toEqual(
      questions,
    );
    expect(questions).toHaveLength(10);
    expect(new Set(questions.map(({ fact }) => fact.id)).size).toBe(10);
    expect(new Set(questions.map(({ show }) => show)).size).toBe(4);
    expect(questions.every(({ kind }) => kind === "multiple")).toBe(true);
  });

  test("are others the next day, and a shorter day has the first of them", async () => {
    const today = await maker.daily("2026-11-28", 10);
    expect(await maker.daily("2026-11-29", 10)).not.toEqual(today);
    expect(await maker.daily("2026-11-28", 4)).toEqual(today.slice(0, 4));
  });

  test("are of what every replica knows, nothing imported", async () => {
    const imported = facts.map((fact) =>
      fact.relation === "played_by" ? { ...fact, verified: { method: "parsed" as const, date: "2026-11-28" } } : fact,
    );
    const other = openQuestionMaker({ knowledge: knowledgeOf(shows, imported) });
    for (let day = 10; day < 30; day += 1) {
      for (const { fact } of await other.daily(`2026-11-${day}`, 10)) expect(fact.relation).not.toBe("played_by");
    }
  });

  test("are fewer where there are not so many facts", async () => {
    const alone = knowledgeOf([showOf("alone", "Alone")], []);
    expect(await openQuestionMaker({ knowledge: alone }).daily("2026-11-28", 10)).toEqual([]);
  });
});

describe("numbers in a scattered order", () => {
  test("are each there once, and other seeds give other orders", () => {
    for (const count of [0, 1, 2, 7, 12, 360]) {
      const numbers = [...scattered(count, seededRandom(`${count}`))];
      expect(numbers.toSorted((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, index) => index));
    }
    expect([...scattered(12, seededRandom("one"))]).not.toEqual([...scattered(12, seededRandom("two"))]);
  });
});
