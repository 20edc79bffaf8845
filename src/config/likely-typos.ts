/** Unknown variables are none of our business, unless one looks like a slip in the name of one of ours. */

/** Names that other programs use for the same thing, too far from ours to be found by their letters. */
const namesElsewhere: ReadonlyMap<string, string> = new Map([
  ["OPENAI_API_BASE", "OPENAI_BASE_URL"],
  ["OPENAI_API_URL", "OPENAI_BASE_URL"],
  ["OPENAI_MODEL_NAME", "OPENAI_MODEL"],
]);

/** Below this, half of every environment is two letters away: `HOST` from `HOME`. */
const shortestName = 8;

/** The name that was probably meant by `name`, which is none of `known`. */
export function likelyMeant(name: string, known: readonly string[]): string | undefined {
  const upper = name.toUpperCase();
  const near = known
    // The length alone rules out nearly all, at every start.
    .filter(({ length }) => length >= shortestName && Math.abs(length - upper.length) <= 2)
    .map((candidate) => ({ candidate, distance: editDistance(upper, candidate) }))
    .filter(({ distance }) => distance <= 2)
    .sort((one, other) => one.distance - other.distance);
  return namesElsewhere.get(upper) ?? near[0]?.candidate;
}

/** How many letters must be inserted, deleted or replaced to make one text of the other (Levenshtein). */
export function editDistance(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (const [column, otherLetter] of [...other].entries()) {
      const deleted = (previous[column + 1] ?? 0) + 1;
      const inserted = (current[column] ?? 0) + 1;
      const replaced = (previous[column] ?? 0) + (letter === otherLetter ? 0 : 1);
      current.push(Math.min(deleted, inserted, replaced));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
