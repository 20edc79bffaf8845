/** Facts that belong together, arranged for making questions: a show's own, or what is known about all shows as such. */
import type { Fact, ObjectType, Relation } from "../retrieval/facts.ts";
import { gendersOf } from "./genders.ts";
import type { Gender } from "./kin.ts";
import { normalForm, words } from "./normal-form.ts";

/** Which end of a fact a question asks for. */
export type Side = "subject" | "object";

/** A thing and all that it is called. */
export type Named = {
  readonly text: string;
  /** In normal form, `text` first. */
  readonly names: readonly string[];
};

export type Entry = {
  readonly fact: Fact;
  readonly subject: Named;
  readonly object: Named;
};

export class FactTable {
  readonly entries: readonly Entry[];
  readonly #byId: ReadonlyMap<string, Entry>;
  /** By relation and name, any name and the first one. */
  readonly #named: Readonly<Record<Side, { readonly any: Lookup; readonly first: Lookup }>>;
  readonly #pools: ReadonlyMap<string, readonly Entry[]>;
  readonly #mentions = new Map<string, number>();
  /** By pool and side: words, and the thing in whose name alone one stands; undefined for one of several. */
  readonly #owners = new Map<string, ReadonlyMap<string, string | undefined>>();
  readonly #genders: ReadonlyMap<string, Gender>;

  constructor(facts: readonly Fact[]) {
    // The same names come again and again.
    const forms = new Map<string, string>();
    const named = (text: string, aliases: readonly string[]) => {
      const names = [text, ...aliases].map((name) => {
        const form = forms.get(name) ?? normalForm(name);
        forms.set(name, form);
        return form;
      });
      return { text, names: [...new Set(names)].filter((name) => name !== "") };
    };
    this.entries = facts.map((fact) => ({
      fact,
      subject: named(fact.subject, fact.subject_aliases),
      object: named(fact.object, fact.aliases),
    }));
    this.#byId = new Map(this.entries.map((entry) => [entry.fact.id, entry]));
    this.#named = { subject: lookups(this.entries, "subject"), object: lookups(this.entries, "object") };
    this.#pools = Map.groupBy(this.entries, ({ fact }) => poolKey(fact.relation, fact.type));
    this.#genders = gendersOf(this.entries);
    for (const { subject } of this.entries) {
      this.#mentions.set(subject.names[0] ?? "", this.mentions(subject) + 1);
    }
  }

  entry(factId: string): Entry | undefined {
    return this.#byId.get(factId);
  }

  /** Facts of the same relation with the same thing at one end, whatever it is called there; itself included. */
  sharing(side: Side, entry: Entry): readonly Entry[] {
    const { relation } = entry.fact;
    const { any, first } = this.#named[side];
    const [own = "", ...others] = entry[side].names;
    const found = new Set(any.get(nameKey(relation, own)));
    for (const name of others) for (const other of first.get(nameKey(relation, name)) ?? []) found.add(other);
    return [...found];
  }

  /** Facts of the same relation whose objects are of the same type: where wrong answers come from. */
  alike({ fact }: Entry): readonly Entry[] {
    return this.#pools.get(poolKey(fact.relation, fact.type)) ?? [];
  }

  /** Whether no other thing at that end of alike facts has this word in its name. Normal form. */
  isOnlyIn(word: string, { names }: Named, entry: Entry, side: Side): boolean {
    const key = `${side} ${poolKey(entry.fact.relation, entry.fact.type)}`;
    const owners = this.#owners.get(key) ?? ownersOfWords(this.alike(entry).map((alike) => alike[side]));
    this.#owners.set(key, owners);
    return !owners.has(word) || owners.get(word) === names[0];
  }

  /** How often a thing is the subject of a fact: those who matter in a show are so often. */
  mentions({ names }: Named): number {
    return this.#mentions.get(names[0] ?? "") ?? 0;
  }

  genderOf({ names }: Named): Gender | undefined {
    return this.#genders.get(names[0] ?? "");
  }
}

/**
 * Whether two names may be of one thing: one's own name is among the other's. What both merely share does not count, as a
 * family's name among people; of anything else it does, as "New York" of a city and of a part of it.
 */
export function isSame(one: Named, other: Named, arePeople: boolean): boolean {
  if (!arePeople) return one.names.some((name) => other.names.includes(name));
  return one.names.includes(other.names[0] ?? "") || other.names.includes(one.names[0] ?? "");
}

function ownersOfWords(all: readonly Named[]): ReadonlyMap<string, string | undefined> {
  const owners = new Map<string, string | undefined>();
  for (const { text, names } of all) {
    const [own] = names;
    for (const word of words(text)) owners.set(word, !owners.has(word) || owners.get(word) === own ? own : undefined);
  }
  return owners;
}

type Lookup = ReadonlyMap<string, readonly Entry[]>;

function lookups(entries: readonly Entry[], side: Side): { any: Lookup; first: Lookup } {
  const any = new Map<string, Entry[]>();
  const first = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { names } = entry[side];
    for (const name of names) add(any, nameKey(entry.fact.relation, name), entry);
    add(first, nameKey(entry.fact.relation, names[0] ?? ""), entry);
  }
  return { any, first };
}

function add(lookup: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = lookup.get(key);
  if (list === undefined) lookup.set(key, [entry]);
  else list.push(entry);
}

function nameKey(relation: Relation, name: string): string {
  return `${relation} ${name}`;
}

function poolKey(relation: Relation, type: ObjectType): string {
  return `${relation} ${type}`;
}
