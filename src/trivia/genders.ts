/** Who is a woman and who a man, as far as facts and names tell: what cannot be right for that alone is no wrong answer. */
import type { Fact } from "../retrieval/facts.ts";
import type { Entry } from "./fact-table.ts";
import { genderOfName } from "./first-names.ts";
import { type Gender, kinOf } from "./kin.ts";

/** By name, in normal form. What a fact says of somebody counts more than what they are called. */
export function gendersOf(entries: readonly Entry[]): ReadonlyMap<string, Gender> {
  const genders = new Map<string, Gender>();
  const learn = (name: string | undefined, gender: Gender | undefined) => {
    if (name !== undefined && gender !== undefined) genders.set(name, gender);
  };
  for (const { fact, subject, object } of entries) {
    if (fact.type === "person" || fact.type === "character")
      learn(object.names[0], genderOfName(object.names[0] ?? ""));
    learn(subject.names[0], genderOfName(subject.names[0] ?? ""));
  }
  for (const { fact, subject } of entries)
    if (fact.relation !== "relative") learn(subject.names[0], spokenOf(fact.evidence));
  for (const { fact, subject, object } of entries) {
    learn(object.names[0], askedGender(fact));
    if (fact.relation === "occupation") learn(subject.names[0], genderOfJob(fact.object));
  }
  for (const { fact, subject, object } of entries) {
    // Mostly they are alike; where the name says otherwise, that stands.
    const actor = object.names[0] ?? "";
    if (fact.relation === "played_by" && !genders.has(actor)) learn(actor, genders.get(subject.names[0] ?? ""));
  }
  return genders;
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
