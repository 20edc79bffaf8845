/** Facts of one show from the starter pack and from imported pages, each fact once. */
import type { Fact, Relation } from "./facts.ts";
import { folded } from "./folded.ts";

export type Together = {
  readonly facts: readonly Fact[];
  readonly byRelation: ReadonlyMap<Relation, readonly Fact[]>;
};

/** Where both know the same, the starter pack's fact stands: it was checked. */
export function together(starter: readonly Fact[], imported: readonly Fact[]): Together {
  const facts = new Map<string, Fact>();
  for (const fact of [...starter, ...imported]) {
    const key = keyOf(fact);
    if (!facts.has(key)) facts.set(key, fact);
  }
  const all = [...facts.values()];
  return { facts: all, byRelation: Map.groupBy(all, ({ relation }) => relation) };
}

function keyOf({ subject, relation, object }: Fact): string {
  return [relation, folded(subject), folded(object)].join("\n");
}
