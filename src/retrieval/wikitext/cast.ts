/** Lists of a cast: "Michael Richards as Cosmo Kramer". */
import type { SectionText } from "./passages.ts";
import { tidied } from "./passages.ts";
import { people } from "./values.ts";

export type CastLine = {
  readonly person: string;
  readonly character: string;
  /** The whole line. */
  readonly text: string;
  /** Stands under a heading of guests. */
  readonly isGuest: boolean;
  /** How deep below the page's first headings. */
  readonly depth: number;
};

const castHeading =
  /^(?:(?:main|regular|recurring|guest|supporting|other|also|co)[- ]*)*(?:cast(?: and characters)?|starring|stars|characters|appearances)$/i;

const castLine = /^(?<person>[^:–—(),]{3,60}?) as (?<character>\p{Lu}[^–—(),;:]{1,59})(?:\s*[–—(,;:].*)?$/u;

/** Somebody who plays nobody. */
const oneself = /^(?:himself|herself|themselves|self|various|narrator|additional)/i;

export function castOf(sections: readonly SectionText[]): CastLine[] {
  return sections.flatMap(({ path, section }) => {
    const heading = path.findLast((title) => castHeading.test(title));
    if (heading === undefined) return [];
    const lines = section.lists().flatMap((list) => list.lines().map((line) => tidied(line.text())));
    return lines.flatMap((text) => {
      const { person = "", character = "" } = castLine.exec(text)?.groups ?? {};
      const [known, ...more] = people(person, "");
      if (known === undefined || more.length > 0) return [];
      const isGuest = path.some((title) => /guest/i.test(title));
      const name = character.replace(/^["“]|["”.]$/g, "").trim();
      return [
        { person: known.object, character: oneself.test(name) ? "" : name, text, isGuest, depth: section.depth() },
      ];
    });
  });
}
