/** What the starter pack promises to whoever makes questions of it, and to whoever asks where a fact is from. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Fact, type Relation, relations } from "../src/retrieval/facts.ts";
import { readStarterPack, starterPackFolder } from "../src/retrieval/starter-pack.ts";

const packs = await readStarterPack();
const facts = packs.flatMap((pack) => pack.facts);
const titles = new Map(packs.map(({ show }) => [show.id, show.title]));

/** Of these a subject has one: two would be a contradiction. */
const singleValued: readonly Relation[] = [
  "full_name",
  "set_in",
  "theme_song",
  "spin_off_of",
  "first_aired",
  "last_aired",
  "seasons",
  "episodes",
  "season_of",
  "directed_by",
  "about",
];

/** Their subject is the show itself, so that other shows give the wrong options. */
const ofShows: readonly Relation[] = [
  "set_in",
  "location",
  "created_by",
  "network",
  "theme_song",
  "theme_by",
  "spin_off_of",
  "last_aired",
  "seasons",
  "episodes",
];

const years = { from: 1980, to: 2010 };

function contradictions(all: readonly Fact[]): string[] {
  const single = all.filter(({ relation }) => singleValued.includes(relation));
  const bySubject = Map.groupBy(single, ({ show, subject, relation }) => `${show}, ${subject}, ${relation}`);
  return [...bySubject].filter(([, same]) => same.length > 1).map(([key]) => key);
}

/** Evidence that does not hold the object word for word, or names the subject by none of its names. */
function unfounded(all: readonly Fact[]): string[] {
  const says = (evidence: string, name: string) => evidence.toLowerCase().includes(name.toLowerCase());
  return all
    .filter(
      ({ evidence, object, subject, subject_aliases }) =>
        !evidence.includes(object) || ![subject, ...subject_aliases].some((name) => says(evidence, name)),
    )
    .map(({ id }) => id);
}

/** Facts with fewer than three wrong options: such as are asked for without options alone, or by saying something of them. */
function withoutOptions(all: readonly Fact[]): Fact[] {
  const poolOf = ({ show, relation, type, subject }: Fact) =>
    `${ofShows.includes(relation) || subject === titles.get(show) ? "all" : show} ${relation} ${type}`;
  const pools = Map.groupBy(all, poolOf);
  return all.filter((fact) => new Set(pools.get(poolOf(fact))?.map(({ object }) => object)).size < 4);
}

/** A name that says two different things about one subject would let one answer be both right and wrong. */
function ambiguous(all: readonly Fact[]): string[] {
  return all.filter(({ object, aliases }) => aliases.includes(object)).map(({ id }) => id);
}

function changed(fact: Partial<Fact>): Fact {
  const [first] = facts;
  if (first === undefined) throw new Error("The pack is empty");
  return { ...first, ...fact };
}

describe("the starter pack", () => {
  it("knows at least ten shows that ran in the 1990s, and 450 facts", () => {
    const ofTheNineties = packs.filter(({ show }) => {
      const { first, last } = show.years ?? { first: 0, last: 0 };
      return first <= 1999 && (last ?? first) >= 1990;
    });
    expect(ofTheNineties).toHaveLength(packs.length);
    expect(packs.length).toBeGreaterThanOrEqual(10);
    expect(facts.length).toBeGreaterThanOrEqual(450);
  });

  it("knows enough of each show for a round of ten questions", () => {
    expect(packs.filter(({ facts: own }) => own.length < 25).map(({ show }) => show.id)).toEqual([]);
  });

  it("holds nothing in its files that the schema passes over, as a field that is spelt wrong", () => {
    for (const pack of packs) {
      const raw = JSON.parse(readFileSync(path.join(starterPackFolder, `${pack.show.id}.json`), "utf8"));
      expect(raw).toEqual(pack);
    }
  });

  it("has ids that say show and relation, so that no change of words changes them", () => {
    const strange = facts.filter(
      ({ id, show, relation }) => !id.startsWith(`${show}:${relation.replaceAll("_", "-")}`),
    );
    expect(strange.map(({ id }) => id)).toEqual([]);
  });

  it("has evidence that holds the object word for word and names the subject", () => {
    expect(unfounded(facts)).toEqual([]);
    expect(unfounded([changed({ evidence: "Somebody else does it." })])).toHaveLength(1);
    expect(unfounded([changed({ subject: "Nobody", subject_aliases: [] })])).toHaveLength(1);
  });

  it("does not contradict itself", () => {
    expect(contradictions(facts)).toEqual([]);
    expect(
      contradictions([changed({ relation: "seasons" }), changed({ relation: "seasons", object: "99" })]),
    ).toHaveLength(1);
  });

  it("names everything that an object is called beside it, and not twice", () => {
    expect(ambiguous(facts)).toEqual([]);
    expect(ambiguous([changed({ aliases: [changed({}).object] })])).toHaveLength(1);
  });

  it("has wrong options for seven facts of eight", () => {
    const bare = withoutOptions(facts);
    expect(bare.length / facts.length, bare.map(({ id }) => id).join("\n")).toBeLessThan(1 / 8);
    expect(withoutOptions([changed({})])).toHaveLength(1);
  });

  it("uses relations as they are meant: about shows, with details, numbers and years where they belong", () => {
    const about = facts.filter(({ relation }) => ofShows.includes(relation));
    expect(about.filter(({ show, subject }) => subject !== titles.get(show)).map(({ id }) => id)).toEqual([]);
    const detailed = facts.filter(({ relation }) => relation === "relative" || relation === "location");
    expect(detailed.filter(({ detail }) => detail === undefined).map(({ id }) => id)).toEqual([]);
    for (const { id, type, object } of facts) {
      if (type === "number") expect(object, id).toMatch(/^[1-9]\d{0,2}$/);
      if (type !== "year") continue;
      expect(Number(object), id).toBeGreaterThanOrEqual(years.from);
      expect(Number(object), id).toBeLessThanOrEqual(years.to);
    }
    const used = new Set(facts.map(({ relation }) => relation));
    expect(relations.filter((relation) => !used.has(relation))).toEqual([]);
  });

  it("has no episode in a season that its show does not have", () => {
    const seasons = new Map(
      facts.filter(({ relation }) => relation === "seasons").map(({ show, object }) => [show, Number(object)]),
    );
    const late = facts.filter(
      ({ show, relation, object }) => relation === "season_of" && Number(object) > (seasons.get(show) ?? Infinity),
    );
    expect(late.map(({ id }) => id)).toEqual([]);
  });

  it("says of each fact how it was checked, and that is more than memory for seven of eight", () => {
    const known = facts.filter(({ verified }) => verified.method === "known");
    expect(known.length / facts.length).toBeLessThan(1 / 8);
    expect(facts.filter(({ verified }) => verified.method === "parsed")).toEqual([]);
  });
});
