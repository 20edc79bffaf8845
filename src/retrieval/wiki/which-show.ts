/** Which show the pages are about: one that is known by its id, title or another name, or a new one with both. */
import { type Show, showSchema } from "../facts.ts";

type Named = { readonly id: string | undefined; readonly title: string | undefined };

/**
 * @param host of the wiki: `seinfeld.fandom.com` is about Seinfeld where nobody says otherwise
 * @throws Error with a sentence for the operator
 */
export function whichShow(known: readonly Show[], { id, title }: Named, host: string | undefined): Show {
  const found = findShow(known, id ?? title ?? host?.split(".")[0] ?? "");
  if (found !== undefined) return found;
  if (id === undefined || title === undefined) {
    const shows = known.map((show) => `${show.id} (${show.title})`).join(", ");
    throw new Error(
      id === undefined
        ? `Say which show the pages are about: --show with one of ${shows}; or --show and --title for another one.`
        : `There is no show ${id}. Known are ${shows}. For a new one say its title, too: --title.`,
    );
  }
  const show = showSchema.safeParse({ id, title: title.trim() });
  if (show.success) return show.data;
  throw new Error("--show must be lower-case words joined by -, such as spin-city, and --title 1 to 100 characters.");
}

function findShow(known: readonly Show[], name: string): Show | undefined {
  const wanted = folded(name);
  return known.find(({ id, title, aliases }) => [id, title, ...aliases].some((each) => folded(each) === wanted));
}

/** Letters and digits alone, as people leave out the rest. */
function folded(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}
