/** Who is a woman and who a man, as far as facts and names tell: what cannot be right for that alone is no wrong answer. */
import type { Fact, Relation } from "../retrieval/facts.ts";
import type { Entry } from "./fact-table.ts";
import { genderOfName } from "./first-names.ts";
import { type Gender, kinOf } from "./kin.ts";

type FactsOf = (relation: Relation) => readonly Entry[];

/** What facts say of somebody counts more than what they are called. By name, in normal form. */
export class Genders {
  readonly #factsOf: FactsOf;
  #said: ReadonlyMap<string, Gender> | undefined;
  /** Of whoever plays, whom; and of whoever is played, by whom. */
  #others: ReadonlyMap<string, string> | undefined;

  constructor(factsOf: FactsOf) {
    this.#factsOf = factsOf;
  }

  of(name: string): Gender | undefined {
    this.#said ??= saidOf(this.#factsOf);
    const gender = this.#said.get(name) ?? genderOfName(name);
    if (gender !== undefined) return gender;
    // Mostly whoever plays somebody is as they are.
    this.#others ??= new Map(
      this.#factsOf("played_by").flatMap(({ subject, object }) => [
        [first(object), first(subject)],
        [first(subject), first(object)],
      ]),
    );
    const other = this.#others.get(name);
    return other === undefined || other === name ? undefined : (this.#said.get(other) ?? genderOfName(other));
  }
}

function saidOf(factsOf: FactsOf): ReadonlyMap<string, Gender> {
  const genders = new Map<string, Gender>();
  const learn = (name: string, gender: Gender | undefined) => gender && genders.set(name, gender);
  for (const relation of ["nickname", "lives_in", "workplace", "played_by", "occupation"] as const) {
    for (const { fact, subject } of factsOf(relation)) learn(first(subject), spokenOf(fact.evidence));
  }
  for (const { fact, subject } of factsOf("occupation")) learn(first(subject), genderOfJob(fact.object));
  for (const { fact, object } of factsOf("relative")) learn(first(object), askedGender(fact));
  return genders;
}

function first({ names }: Entry["subject"]): string {
  return names[0] ?? "";
}

/** What whoever is asked for must be, as somebody's brother or wife. */
export function askedGender({ relation, detail }: Pick<Fact, "relation" | "detail">): Gender | undefined {
  return relation === "relative" ? kinOf(detail)?.gender : undefined;
}

/** Of a job that only one of both has by this name. */
export function genderOfJob(job: string): Gender | undefined {
  if (/(?:wife|woman|girl|maid|lady|[tr]ress|masseuse|nun)$/i.test(job)) return "female";
  return /(?:man|waiter|actor|masseur|priest|monk)$/i.test(job) ? "male" : undefined;
}

function spokenOf(evidence: string): Gender | undefined {
  const [isHe, isShe] = [/\b(?:he|his|him)\b/i.test(evidence), /\b(?:she|her|hers)\b/i.test(evidence)];
  if (isHe === isShe) return undefined;
  return isHe ? "male" : "female";
}
