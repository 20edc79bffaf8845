/** Words for relatives: what follows from one about others. */

export type Gender = "female" | "male";

/** What a relative is, without gender. */
export type KinClass =
  | "parent"
  | "child"
  | "sibling"
  | "spouse"
  | "grandparent"
  | "grandchild"
  | "elder"
  | "younger"
  | "cousin"
  | "in-law";

export type Kin = { readonly class: KinClass; readonly gender: Gender | undefined };

const kinds: readonly (readonly [words: string, KinClass, Gender | undefined])[] = [
  ["mother mom mum", "parent", "female"],
  ["father dad", "parent", "male"],
  ["parent", "parent", undefined],
  ["daughter", "child", "female"],
  ["son", "child", "male"],
  ["child baby", "child", undefined],
  ["sister", "sibling", "female"],
  ["brother", "sibling", "male"],
  ["sibling twin", "sibling", undefined],
  ["wife girlfriend bride fiancee", "spouse", "female"],
  ["husband boyfriend fiance", "spouse", "male"],
  ["spouse partner", "spouse", undefined],
  ["grandmother grandma", "grandparent", "female"],
  ["grandfather grandpa", "grandparent", "male"],
  ["grandparent", "grandparent", undefined],
  ["granddaughter", "grandchild", "female"],
  ["grandson", "grandchild", "male"],
  ["grandchild", "grandchild", undefined],
  ["aunt", "elder", "female"],
  ["uncle", "elder", "male"],
  ["niece", "younger", "female"],
  ["nephew", "younger", "male"],
  ["cousin", "cousin", undefined],
];

const words: ReadonlyMap<string, Kin> = new Map(
  kinds.flatMap(([all, kinClass, gender]) => all.split(" ").map((word) => [word, { class: kinClass, gender }])),
);

/** What a relation such as "half-brother" or "second wife" is, by its last word; undefined where that is unknown. */
export function kinOf(detail: string | undefined): Kin | undefined {
  const said = (detail ?? "").normalize("NFKD").toLowerCase().replace(/\p{M}/gu, "");
  const [first = "", ...rest] = said.split(/[^a-z]+/).filter((word) => word !== "");
  if (said.endsWith("in-law")) return { class: "in-law", gender: words.get(first)?.gender };
  const last = rest.at(-1) ?? first;
  // A stepmother is no mother, but whoever is asked for a mother may well mean her.
  return words.get(last) ?? words.get(last.replace(/^(?:step|half|grand|great|god)/, ""));
}

const inverses: Readonly<Record<KinClass, KinClass>> = {
  parent: "child",
  child: "parent",
  sibling: "sibling",
  spouse: "spouse",
  grandparent: "grandchild",
  grandchild: "grandparent",
  elder: "younger",
  younger: "elder",
  cousin: "cousin",
  "in-law": "in-law",
};

/** What the first is to the second, where the second is this to the first. */
export function inverseOf(kinClass: KinClass): KinClass {
  return inverses[kinClass];
}

/** How many generations above somebody such a relative is; undefined where that is not known. */
const generations: Readonly<Record<KinClass, number | undefined>> = {
  parent: 1,
  child: -1,
  sibling: 0,
  spouse: 0,
  grandparent: 2,
  grandchild: -2,
  elder: 1,
  younger: -1,
  cousin: 0,
  "in-law": undefined,
};

export function generationsUp(kinClass: KinClass | undefined): number | undefined {
  return kinClass && generations[kinClass];
}
