/** What else counts when an answer is typed. */
import type { ObjectType } from "../retrieval/facts.ts";
import type { Entry, FactTable, Named, Side } from "./fact-table.ts";
import { formsOfQuestion, isPartOf, normalForm, words } from "./normal-form.ts";

/** Nobody is meant by these alone. */
const titles: ReadonlySet<string> = new Set(
  "mr mrs ms miss dr sir lady uncle aunt aunty cousin grandma grandpa king queen jr sr ii iii iv".split(" "),
);

type Asked = {
  readonly entry: Entry;
  readonly side: Side;
  /** What is asked for. */
  readonly type: ObjectType;
  readonly right: readonly Named[];
  /** The question. */
  readonly text: string;
};

/**
 * Other names of the answer and of everything else that is right; of people also a first name or a family name, where
 * only one has it. In normal form, without what stands in the question.
 */
export function typedAliases(table: FactTable, { entry, side, type, right, text }: Asked): readonly string[] {
  const isPerson = type === "person" || type === "character";
  const short = isPerson ? right.flatMap((named) => shortNames(table, named, entry, side)) : [];
  const question = formsOfQuestion(text);
  const aliases = new Set([...right.flatMap(({ names }) => names), ...short]);
  aliases.delete(normalForm(entry[side].text));
  return [...aliases].filter((alias) => !question.some((form) => isPartOf(alias, form)));
}

/** Characters go by either name, actors by their family's; nobody need know an initial, what is in the middle, or "Jr." */
function shortNames(table: FactTable, named: Named, entry: Entry, side: Side): readonly string[] {
  // "The Big Giant Head" is no name of somebody, whose first and last words would be.
  if (/^the /i.test(named.text)) return [];
  const all = words(named.text);
  const own = all.filter((word) => !titles.has(word) && word.length > 1);
  const [first, ...others] = own;
  const last = own.at(-1);
  if (first === undefined || last === undefined || all.length < 2) return [];
  const isOnly = (word: string) => table.isOnlyIn(word, named, entry, side);
  const isActor = side === "object" && entry.fact.type === "person";
  const calledNames = isActor ? [first] : [first, ...named.names.filter((name) => isFirstName(name, last))];
  return [
    ...calledNames.filter((name) => name !== last).map((name) => `${name} ${last}`),
    ...(own.length > 1 ? [own.join(" ")] : []),
    // "Hyde Pierce" as well as "Pierce", and "Gordon-Levitt".
    ...(isOnly(last) ? [last, ...(others.length > 1 ? [others.join(" ")] : [])] : []),
    ...(!isActor && isOnly(first) ? [first] : []),
  ];
}

function isFirstName(name: string, last: string): boolean {
  return !name.includes(" ") && name !== last && !titles.has(name);
}
