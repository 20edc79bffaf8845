/**
 * What can be said of all questions together. Everything that is right is looked for in the facts once more, one by one and
 * without what the maker makes of them, so that a mistake there shows here.
 */
import type { Fact } from "../retrieval/facts.ts";
import { violationsOf } from "./checks.ts";
import { countsOf } from "./counts.ts";
import { isPartOf, normalForm } from "./normal-form.ts";
import type { Question } from "./question.ts";

export type Quality = {
  readonly questions: number;
  /** Different wordings, whatever kind they are asked in. */
  readonly wordings: number;
  /** By what they are counted by, as `show` or `relation`: how many of each. */
  readonly counts: Readonly<Record<"show" | "relation" | "difficulty" | "kind", ReadonlyMap<string, number>>>;
  /** Facts that no question can be made of. */
  readonly unused: readonly string[];
  readonly violations: readonly string[];
};

export function qualityOf(questions: readonly Question[], facts: readonly Fact[]): Quality {
  const used = new Set(questions.map(({ fact }) => fact.id));
  return {
    questions: questions.length,
    wordings: new Set(questions.map(({ text }) => text)).size,
    counts: {
      show: byCount(questions.map(({ show }) => show)),
      relation: byCount(questions.map(({ fact }) => fact.relation)),
      difficulty: byCount(questions.map(({ difficulty }) => difficulty)),
      kind: byCount(questions.map(({ kind }) => kind)),
    },
    unused: facts.map(({ id }) => id).filter((id) => !used.has(id)),
    violations: [
      ...questions.flatMap((question) =>
        [...violationsOf(question, rightAnswers(question, facts)), ...untruths(question, questions)].map(
          (violation) => `${question.id}: ${violation}`,
        ),
      ),
      ...doubles(questions),
    ],
  };
}

/** In normal form: what the facts say at the end that is asked for, by any of its names. */
function rightAnswers({ fact, answer }: Question, facts: readonly Fact[]): readonly string[] {
  const isObject = normalForm(answer) === normalForm(fact.object);
  const needsDetail = fact.relation === "relative" || fact.relation === "location" || fact.relation === "pet";
  return facts
    .filter(({ relation, detail }) => relation === fact.relation && (!needsDetail || detail === fact.detail))
    .filter((other) => other.show === fact.show || isOfShows(other, facts))
    .filter((other) =>
      isObject
        ? haveSameName(subjectNames(other), subjectNames(fact))
        : haveSameName(objectNames(other), objectNames(fact)),
    )
    .flatMap((other) => (isObject ? objectNames(other) : subjectNames(other)));
}

/** Of a show itself, so that it can be told apart from others by it. */
function isOfShows({ subject, relation }: Fact, facts: readonly Fact[]): boolean {
  return facts.some(
    (other) => other.subject === subject && (other.relation === "network" || relation === "spin_off_of"),
  );
}

function subjectNames({ subject, subject_aliases }: Fact): readonly string[] {
  return [subject, ...subject_aliases].map(normalForm);
}

function objectNames({ object, aliases }: Fact): readonly string[] {
  return [object, ...aliases].map(normalForm);
}

function haveSameName(one: readonly string[], other: readonly string[]): boolean {
  return one.includes(other[0] ?? "") || other.includes(one[0] ?? "");
}

/** A statement that is called wrong, and is what another fact says, or the other way round. */
function untruths(
  { kind, text, answer, explanation, fact }: Question,
  questions: readonly Question[],
): readonly string[] {
  if (kind !== "boolean") return [];
  if (answer === "True") return text === explanation ? [] : ["It is called true and is not what the fact says"];
  const isTrue = questions.some((other) => other.show === fact.show && other.explanation === text);
  return isTrue || isPartOf(normalForm(explanation), normalForm(text)) ? ["It is called false and is true"] : [];
}

function doubles(questions: readonly Question[]): readonly string[] {
  const seen = new Map<string, string>();
  return questions.flatMap(({ id, kind, text }) => {
    const key = `${kind} ${normalForm(text)}`;
    const first = seen.get(key);
    seen.set(key, first ?? id);
    return first === undefined ? [] : [`${id}: It has the words of ${first}`];
  });
}

/** The most first. */
function byCount(words: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...countsOf(words)].sort(([, one], [, other]) => other - one));
}
