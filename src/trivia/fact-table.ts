/**
 * Facts that belong together, arranged for making questions: a show's own, or what is known about all shows as such. Made
 * as it is needed, relation by relation, as a wiki may give a show ten thousand facts of which a round asks ten.
 */
import type { Fact, Relation } from "../retrieval/facts.ts";
import { Genders } from "./genders.ts";
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

export class Entry {
  readonly fact: Fact;
  #subject: Named | undefined;
  #object: Named | undefined;

  constructor(fact: Fact) {
    this.fact = fact;
  }

  get subject(): Named {
    this.#subject ??= named(this.fact.subject, this.fact.subject_aliases);
    return this.#subject;
  }

  get object(): Named {
    this.#object ??= named(this.fact.object, this.fact.aliases);
    return this.#object;
  }
}

export class FactTable {
  readonly entries: readonly Entry[];
  readonly #byId: ReadonlyMap<string, Entry>;
  readonly #byRelation: ReadonlyMap<Relation, readonly Entry[]>;
  readonly #lookups = new Map<string, Lookup>();
  readonly #pools = new Map<string, readonly Entry[]>();
  readonly #mentions = new Map<string, number>();
  /** By pool and side: words, and the thing in whose name alone one stands; undefined for one of several. */
  readonly #owners = new Map<string, ReadonlyMap<string, string | undefined>>();
  readonly #genders: Genders;

  constructor(facts: readonly Fact[]) {
    this.entries = facts.map((fact) => new Entry(fact));
    this.#byId = new Map(this.entries.map((entry) => [entry.fact.id, entry]));
    this.#byRelation = Map.groupBy(this.entries, ({ fact }) => fact.relation);
    for (const { subject } of facts) this.#mentions.set(subject, (this.#mentions.get(subject) ?? 0) + 1);
    this.#genders = new Genders((relation) => this.of(relation));
  }

  entry(factId: string): Entry | undefined {
    return this.#byId.get(factId);
  }

  of(relation: Relation): readonly Entry[] {
    return this.#byRelation.get(relation) ?? [];
  }

  /** Facts of the same relation with the same thing at one end, whatever it is called there; itself included. */
  sharing(side: Side, entry: Entry): readonly Entry[] {
    const { any, first } = this.#lookup(entry.fact.relation, side);
    const [own = "", ...others] = entry[side].names;
    const found = new Set(any.get(own));
    for (const name of others) for (const other of first.get(name) ?? []) found.add(other);
    return [...found];
  }

  /** Facts of the same relation whose objects are of the same type: where wrong answers come from. */
  alike({ fact: { relation, type } }: Entry): readonly Entry[] {
    const key = `${relation} ${type}`;
    const pool = this.#pools.get(key) ?? this.of(relation).filter(({ fact }) => fact.type === type);
    this.#pools.set(key, pool);
    return pool;
  }

  /** Whether no other thing at that end of alike facts has this word in its name. Normal form. */
  isOnlyIn(word: string, { names }: Named, entry: Entry, side: Side): boolean {
    const key = `${entry.fact.relation} ${entry.fact.type} ${side}`;
    const owners = this.#owners.get(key) ?? ownersOfWords(this.alike(entry).map((alike) => alike[side]));
    this.#owners.set(key, owners);
    return !owners.has(word) || owners.get(word) === names[0];
  }

  /** How often a thing is the subject of a fact: those who matter in a show are so often. */
  mentions({ text }: Named): number {
    return this.#mentions.get(text) ?? 0;
  }

  genderOf({ names: [name = ""] }: Named): Gender | undefined {
    return this.#genders.of(name);
  }

  #lookup(relation: Relation, side: Side): Lookup {
    const key = `${relation} ${side}`;
    const lookup = this.#lookups.get(key) ?? lookupOf(this.of(relation), side);
    this.#lookups.set(key, lookup);
    return lookup;
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

function named(text: string, aliases: readonly string[]): Named {
  const names = [text, ...aliases].map(normalForm);
  return { text, names: names.filter((name, index) => name !== "" && names.indexOf(name) === index) };
}

/** By any of a thing's names, and by its first one. */
type Lookup = {
  readonly any: ReadonlyMap<string, readonly Entry[]>;
  readonly first: ReadonlyMap<string, readonly Entry[]>;
};

function lookupOf(entries: readonly Entry[], side: Side): Lookup {
  const any = new Map<string, Entry[]>();
  const first = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { names } = entry[side];
    for (const name of names) add(any, name, entry);
    add(first, names[0] ?? "", entry);
  }
  return { any, first };
}

function add(lookup: Map<string, Entry[]>, name: string, entry: Entry): void {
  const list = lookup.get(name);
  if (list === undefined) lookup.set(name, [entry]);
  else list.push(entry);
}
