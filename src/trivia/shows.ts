/** Which show somebody means. */
import { Problem } from "../protocol/problems.ts";
import type { Show } from "../retrieval/facts.ts";

/** So many are named to whoever asked for one that is not there. */
const mostNamed = 40;

/**
 * By its id, its title or another name of it, however that is written.
 *
 * @throws Problem `show_not_found`, naming those there are
 */
export function findShow<Known extends Show>(shows: readonly Known[], wanted: string): Known {
  const name = plain(wanted);
  const found =
    shows.find(({ id }) => id === wanted) ??
    shows.find(({ id, title, aliases }) => [id, title, ...aliases].some((known) => plain(known) === name));
  if (found !== undefined && name !== "") return found;
  const titles = shows.slice(0, mostNamed).map(({ title }) => title);
  const named = titles.length === 0 ? "None is known." : `Known are: ${titles.join(", ")}.`;
  throw new Problem("show_not_found", `Nothing is known about a show of that name. ${named}`);
}

/** Letters and digits alone, without accents and without an article. */
function plain(name: string): string {
  const words = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/&/g, " and ")
    .replace(/['’]/g, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
  return words.replace(/^the /, "");
}
