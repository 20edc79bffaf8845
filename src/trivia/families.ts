/**
 * Who may be whose relative. Facts name some relatives and leave out others: whoever is known to have a mother is rarely
 * listed as the brother of each of her children. So nobody of a family is a wrong answer about that family, unless a fact
 * says what else they are.
 */
import { type Entry, type FactTable, isSame, type Named, type Side } from "./fact-table.ts";
import { inverseOf, type KinClass, kinOf } from "./kin.ts";

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

  constructor(table: FactTable) {
    this.#relatives = table.of("relative");
    for (const { subject, object } of this.#relatives) this.#join([...subject.names, ...object.names]);
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

  /** Whether a fact says what one is to the other, apart from those that tell brothers or wives apart. */
  areRelatives(one: Named, other: Named): boolean {
    return this.#between([one, other]).some(({ detail }) => !order.test(detail ?? ""));
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
