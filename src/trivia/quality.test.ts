import { beforeAll, describe, expect, test } from "vitest";
import { optionsOf } from "../../test/helpers/trivia-facts.ts";
import { facts, knowledge } from "../../test/helpers/trivia-shows.ts";
import { qualityOf } from "./quality.ts";
import type { Question } from "./question.ts";
import { openQuestionMaker } from "./question-maker.ts";

let questions: readonly Question[];

beforeAll(async () => {
  questions = await Array.fromAsync(openQuestionMaker({ knowledge }).all());
});

/** One of the questions, as somebody has changed it. */
function changed(id: string, change: (question: Question) => Partial<Question>): readonly Question[] {
  return questions.map((question) => (question.id === id ? { ...question, ...change(question) } : question));
}

function idOf(relation: string, object: string, form: string): string {
  return `${facts.find((fact) => fact.relation === relation && fact.object === object)?.id}.${form}`;
}

function violationsWith(id: string, change: (question: Question) => Partial<Question>): string {
  expect(questions.map((question) => question.id)).toContain(id);
  return qualityOf(changed(id, change), facts).violations.join("\n");
}

describe("the quality of all questions", () => {
  test("is counted, and none breaks a rule", () => {
    const { counts, wordings, ...quality } = qualityOf(questions, facts);
    expect(quality).toEqual({ questions: questions.length, unused: [], violations: [] });
    expect(wordings).toBeLessThan(questions.length);
    expect(counts.kind.get("boolean")).toBe(questions.filter(({ kind }) => kind === "boolean").length);
    for (const ofEach of Object.values(counts)) {
      expect([...ofEach.values()].reduce((sum, count) => sum + count, 0)).toBe(questions.length);
    }
  });

  test("shows an option that another fact makes right", () => {
    const id = idOf("occupation", "ferry captain", "object");
    expect(violationsWith(id, ({ answer }) => ({ options: optionsOf(answer, "Poet", "Judge", "Baker") }))).toBe(
      `${id}: “Poet” is right as well`,
    );
  });

  test("shows a subject of which it is true as well", () => {
    const id = idOf("created_by", "Ruth Calloway", "subject");
    const also = facts.map((fact) => (fact.object === "Paul Wexler" ? { ...fact, object: "Ruth Calloway" } : fact));
    const options = optionsOf("Harbour Street", "Second Helping", "Night School", "The Lodgers");
    const { violations } = qualityOf(
      changed(id, () => ({ options })),
      also,
    );
    expect(violations).toContain(`${id}: “Second Helping” is right as well`);
  });

  test("shows a statement that is called false and is true", () => {
    const id = idOf("set_in", "Portland", "false");
    expect(violationsWith(id, ({ explanation }) => ({ text: explanation }))).toContain("called false and is true");
  });

  test("shows a statement that is called true and is not", () => {
    const id = idOf("set_in", "Portland", "true");
    expect(violationsWith(id, () => ({ text: "Harbour Street is set in Denver." }))).toContain("called true");
  });

  test("shows two questions of the same words, and a fact without any", () => {
    const [first, second] = questions.filter(({ kind }) => kind === "text");
    expect(violationsWith(second?.id ?? "", () => ({ text: first?.text ?? "" }))).toContain(
      `It has the words of ${first?.id}`,
    );
    const rest = questions.filter(({ fact }) => fact.id !== facts[0]?.id);
    expect(qualityOf(rest, facts).unused).toEqual([facts[0]?.id]);
  });
});
