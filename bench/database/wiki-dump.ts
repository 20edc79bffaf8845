/** A MediaWiki export of a show that never was, as large as wanted. Every section is one passage. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";

const sectionsOfPage = 50;

/** Each page is about a character: a fact or two, and passages that have words in common and words of their own. */
export async function writeDump(file: string, passages: number): Promise<{ pages: number }> {
  const pages = Math.ceil(passages / sectionsOfPage);
  const out = createWriteStream(file);
  out.write(
    '<mediawiki version="0.11"><siteinfo><sitename>Bench</sitename><base>https://bench.example/wiki/Main_Page</base></siteinfo>\n',
  );
  for (let page = 1; page <= pages; page += 1) {
    if (!out.write(pageElement(page))) await once(out, "drain");
  }
  out.end("</mediawiki>\n");
  await once(out, "close");
  return { pages };
}

function pageElement(page: number): string {
  const name = nameOf(page);
  const sections = Array.from({ length: sectionsOfPage }, (_, section) => sectionText(page, section));
  const text = `{{Infobox character|name=${name}|portrayer=${nameOf(page + 100_000)}|occupation=Maker of ${wordOf(page)}s}}\n'''${name}''' is a character of the show.\n${sections.join("")}`;
  return `<page><title>${name}</title><ns>0</ns><id>${page}</id><revision><id>${page}</id><model>wikitext</model><format>text/x-wiki</format><text>${text}</text></revision></page>\n`;
}

function sectionText(page: number, section: number): string {
  const seed = page * sectionsOfPage + section;
  const words = Array.from({ length: 60 }, (_, place) => wordOf((seed * 31 + place * place * 7) % 20_000));
  return `== Part ${section + 1} ==\n${nameOf(page)} ${words.join(" ")}.\n`;
}

function nameOf(number: number): string {
  return `${capitalised(wordOf(number))} ${capitalised(wordOf(number * 7 + 3))}`;
}

const syllables = ["ba", "ne", "ki", "lo", "mu", "ra", "se", "ti", "vo", "zu", "da", "fe", "gi", "ho", "ju", "pa"];

/** A word that stands for a number: always the same one. */
function wordOf(number: number): string {
  let word = "";
  for (let rest = number + 256; rest > 0; rest = Math.floor(rest / syllables.length)) {
    word += syllables[rest % syllables.length];
  }
  return word;
}

function capitalised(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}
