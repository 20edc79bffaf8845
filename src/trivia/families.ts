/**
 * Who may be whose relative. Facts name some relatives and leave out others: whoever is known to have a mother is rarely
 * listed as the brother of each of her children. So nobody of a family is a wrong answer about that family, unless a fact
 * says what else they are.
 */
import { type Entry, type FactTable, isSame, type Named, type Side } from "./fact-table.ts";
import { generationsUp, inverseOf, type KinClass, kinOf } from "./kin.ts";

/** Of these everybody has one, so that all others in the family are none. */
const single = /^(?:biological )?(?:father|mother|dad|mom|mum)$/;

type Between = {
  /** Undefined where its word is unknown. */
  readonly kin: KinClass | undefined;
  /** The fact's own word, where it is said in this direction. */
  readonly detail: string | undefined;
};

const order = /^(?:first|second|third|fourth|oldest|eldest|older|elder|middle|younger|youngest)\b/;

/** Whoever is the second wife is not the first. */
function isAnotherInOrder(wanted: string | undefined, known: string | undefined): boolean {
  const [one, other] = [order.exec(wanted ?? "")?.[0], order.exec(known ?? "")?.[0]];
  return one !== undefined && other !== undefined && one !== other;
}

export class Families {
  readonly #relatives: readonly Entry[];
  /** Of each person's name the family that it belongs to. */
  readonly #families = new Map<string, Set<string>>();
  /** Of each person, by name: relatives, and how many generations these are above. */
  readonly #steps = new Map<string, { readonly to: string; readonly up: number }[]>();

  constructor(table: FactTable) {
    this.#relatives = table.of("relative");
    for (const { fact, subject, object } of this.#relatives) {
      this.#join([...subject.names, ...object.names]);
      const up = generationsUp(kinOf(fact.detail)?.class);
      if (up === undefined) continue;
      this.#addStep(subject, object, up);
      this.#addStep(object, subject, -up);
    }
  }

  /** Whether somebody may be given as a wrong answer to the question for one end of a fact about relatives. */
  mayBeWrong(entry: Entry, side: Side, somebody: Named): boolean {
    const wanted = kinOf(entry.fact.detail)?.class;
    const fixed = side === "object" ? entry.subject : entry.object;
    const known = this.#between(side === "object" ? [fixed, somebody] : [somebody, fixed]);
    if (known.length > 0) {
      return known.every(({ kin, detail }) => {
        if (isAnotherInOrder(entry.fact.detail, detail)) return true;
        return wanted !== undefined && kin !== undefined && kin !== wanted;
      });
    }
    if (!this.#areOfOneFamily(fixed, somebody)) return true;
    return side === "object" && single.test(entry.fact.detail ?? "");
  }

  /** Whether a fact says what one is to the other, apart from those that tell such relatives apart: first and second wives. */
  areOtherRelatives({ detail: wanted }: Entry["fact"], one: Named, other: Named): boolean {
    const kinClass = kinOf(wanted)?.class;
    return this.#between([one, other]).some(({ kin, detail }) => kin !== kinClass || !order.test(detail ?? ""));
  }

  /** Whether facts together say that somebody is too old or too young to be it: a daughter's daughter as a mother. */
  isOfOtherGeneration(entry: Entry, side: Side, somebody: Named): boolean {
    const wanted = generationsUp(kinOf(entry.fact.detail)?.class);
    const fixed = side === "object" ? entry.subject : entry.object;
    const found = this.#generationsBetween(fixed, somebody);
    return wanted !== undefined && found !== undefined && found !== (side === "object" ? wanted : -wanted);
  }

  /** What the second is to the first, by every fact between them. */
  #between([first, second]: readonly [Named, Named]): readonly Between[] {
    return this.#relatives.flatMap(({ fact, subject, object }): Between[] => {
      const kin = kinOf(fact.detail)?.class;
      if (isSame(subject, first, true) && isSame(object, second, true)) return [{ kin, detail: fact.detail }];
      if (!isSame(subject, second, true) || !isSame(object, first, true)) return [];
      return [{ kin: kin && inverseOf(kin), detail: undefined }];
    });
  }

  /** How many generations the second is above the first, by the shortest way from relative to relative. */
  #generationsBetween({ names: [from = ""] }: Named, to: Named): number | undefined {
    const known = new Map([[from, 0]]);
    for (const [name, up] of known) {
      if (to.names.includes(name)) return up;
      for (const step of this.#steps.get(name) ?? []) if (!known.has(step.to)) known.set(step.to, up + step.up);
    }
    return undefined;
  }

  #addStep({ names: [from = ""] }: Named, { names: [to = ""] }: Named, up: number): void {
    this.#steps.set(from, [...(this.#steps.get(from) ?? []), { to, up }]);
  }

  #areOfOneFamily(one: Named, other: Named): boolean {
    const family = this.#families.get(one.names[0] ?? "");
    return family !== undefined && other.names.some((name) => family.has(name));
  }

  #join(names: readonly string[]): void {
    const joined = new Set(names);
    for (const name of names) for (const relative of this.#families.get(name) ?? []) joined.add(relative);
    for (const name of joined) this.#families.set(name, joined);
  }
}
