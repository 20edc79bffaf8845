/** Several rankings as one, without their scores, which say nothing to each other. */

/** How little the first places count more than the next; 60 is what the method's authors found to suit (Cormack 2009). */
const damping = 60;

/**
 * Reciprocal rank fusion: what stands near the top of many lists stands at the top.
 *
 * @param rankings each best first, without repeats
 */
export function fuse<Item>(rankings: readonly (readonly Item[])[], keyOf: (item: Item) => string): Item[] {
  const items = new Map<string, { readonly item: Item; score: number }>();
  for (const ranking of rankings) {
    for (const [index, item] of ranking.entries()) {
      const key = keyOf(item);
      const entry = items.get(key) ?? { item, score: 0 };
      entry.score += 1 / (damping + index + 1);
      items.set(key, entry);
    }
  }
  return [...items.values()].sort((one, other) => other.score - one.score).map(({ item }) => item);
}
