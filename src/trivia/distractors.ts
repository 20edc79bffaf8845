/**
 * Wrong answers: what facts of the same relation say of others, never anything invented, and nothing that may be right
 * all the same.
 */
import { type Entry, type FactTable, isSame, type Named, type Side } from "./fact-table.ts";
import type { Families } from "./families.ts";
import { askedGender, genderOfJob } from "./genders.ts";
import { type Gender, kinOf } from "./kin.ts";
import { isPartOf, normalForm } from "./normal-form.ts";
import { type Random, scattered } from "./seeded-random.ts";

/** So many are looked at: enough to choose well among, however many facts a show has. */
const mostLookedAt = 80;

/** The longest option has at most so many times the letters of the shortest, and these in addition. */
export const likeLength = { times: 2, more: 8 } as const;

export type Asked = {
  readonly entry: Entry;
  readonly side: Side;
  /** The question or statement that they are for. */
  readonly text: string;
  /** Everything that is right: the answer, and what else the facts say. */
  readonly right: readonly Named[];
};

export type Places = { readonly table: FactTable; readonly families: Families };

/** Wrong answers, best first, so many at most. */
export function wrongAnswers(
  { table, families }: Places,
  asked: Asked,
  most: number,
  random: Random,
): readonly Named[] {
  const { entry, side } = asked;
  /** What stands in either of them is no wrong answer. */
  const said = [normalForm(asked.text), normalForm(entry.fact.evidence)] as const;
  const answer = entry[side];
  const candidates = new Map<string, Named>();
  const alike = table.alike(entry);
  let looks = 0;
  for (const index of scattered(alike.length, random)) {
    const other = alike[index];
    if (other === undefined || looks >= mostLookedAt) break;
    looks += 1;
    const named = other[side];
    const key = named.names[0];
    if (key === undefined || candidates.has(key)) continue;
    if (mayBeRight(asked, named, said)) continue;
    if (entry.fact.relation === "relative" && !isPossibleRelative(families, asked, named, most)) continue;
    if (cannotBe(table, asked, other)) continue;
    candidates.set(key, named);
  }
  const ranked = [...candidates.values()]
    .map((named) => ({ named, distance: distance({ table, families }, asked, named, most) + random() }))
    .sort((one, other) => one.distance - other.distance);
  const chosen: Named[] = [];
  for (const { named } of ranked) {
    if (chosen.length === most) break;
    if (fits(named, [answer, ...chosen])) chosen.push(named);
  }
  return chosen;
}

/** What the facts say, what the evidence names too, and what the question speaks of. */
function mayBeRight(
  { entry, side, right }: Asked,
  named: Named,
  [question, evidence]: readonly [string, string],
): boolean {
  const arePeople = side === "subject" || entry.fact.type === "person" || entry.fact.type === "character";
  if (right.some((answer) => isSame(answer, named, arePeople))) return true;
  const fixed = side === "object" ? entry.subject : entry.object;
  if (isSame(fixed, named, arePeople)) return true;
  return named.names.some((name) => isPartOf(name, question)) || isPartOf(named.names[0] ?? "", evidence);
}

/** What anybody sees to be wrong: a brother as a wife, a waitress who is a man, a school as a coffee house. */
function cannotBe(table: FactTable, { entry, side }: Asked, other: Entry): boolean {
  const { fact } = entry;
  const [one, another] = [kindOfPlace(fact), kindOfPlace(other.fact)];
  if (fact.relation === "location" && one !== another) return true;
  if (fact.relation === "occupation") {
    const [job, somebody] = side === "object" ? [other.object, entry.subject] : [entry.object, other.subject];
    return differ(genderOfJob(job.text), table.genderOf(somebody));
  }
  return side === "object" && differ(askedGender(fact), table.genderOf(other.object));
}

/** Nobody takes a daughter for a wife, nor believes that she is called one. */
function isPossibleRelative(families: Families, { entry, side }: Asked, named: Named, most: number): boolean {
  if (!families.mayBeWrong(entry, side, named)) return false;
  const fixed = side === "object" ? entry.subject : entry.object;
  // A statement has nothing beside it that is more likely.
  if (most === 1 && families.isOfOtherGeneration(entry, side, named)) return false;
  const isKnown = most === 1 || kinOf(entry.fact.detail)?.class === "spouse";
  return !isKnown || !families.areOtherRelatives(entry.fact, fixed, named);
}

function differ(one: Gender | undefined, other: Gender | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** By what it is said to be; wherever people eat and drink together is one kind. */
function kindOfPlace({ detail = "" }: Entry["fact"]): string {
  const said = detail.toLowerCase().replace(/ (?:where|that|which|within|above|below|of|in|near|to) .*$/, "");
  if (/restaurant|coffee|caf[eé]|\bbar|pub|tavern|diner|club/.test(said)) return "to eat and drink at";
  return said.split(" ").at(-1) ?? "";
}

/** No option is a part of another, nor tells by its length which one it is. */
function fits({ text, names }: Named, others: readonly Named[]): boolean {
  const own = names[0] ?? "";
  return others.every(({ text: other, names: [otherName = ""] }) => {
    if (isPartOf(own, otherName) || isPartOf(otherName, own)) return false;
    const [shorter, longer] = text.length < other.length ? [text.length, other.length] : [other.length, text.length];
    return longer <= shorter * likeLength.times + likeLength.more;
  });
}

/** How far a wrong answer is from the right one: numbers by their difference, all else by what tells them apart at once. */
function distance({ table, families }: Places, { entry, side }: Asked, wrong: Named, most: number): number {
  const { fact } = entry;
  const answer = entry[side];
  if (side === "object" && (fact.type === "year" || fact.type === "number")) {
    // Near ones, but not always the nearest.
    return Math.abs(Number(answer.text) - Number(wrong.text)) / 2;
  }
  const fixed = side === "object" ? entry.subject : entry.object;
  const isGivenAway = sharesWord(answer, fixed);
  // Where the answer has the family name that is asked for, another option has it too; a statement needs no such thing.
  const shares = most > 1 && sharesWord(answer, wrong) ? (isGivenAway ? -3 : -1) : 0;
  const tells = differ(table.genderOf(answer), table.genderOf(wrong)) ? 4 : 0;
  // Nobody takes a mother for a wife, nor a child for a father.
  const isRelative = fact.relation === "relative";
  const isKin = isRelative && families.areOtherRelatives(fact, fixed, wrong) ? 2 : 0;
  const isYounger = isRelative && families.isOfOtherGeneration(entry, side, wrong) ? 3 : 0;
  return tells + shares + isKin + isYounger + Math.abs(answer.text.length - wrong.text.length) / 20;
}

/** Of one family, or of one kind of place. */
function sharesWord({ names: [one = ""] }: Named, { names: [other = ""] }: Named): boolean {
  const others = new Set(other.split(" "));
  return one.split(" ").some((word) => word.length > 3 && others.has(word));
}
