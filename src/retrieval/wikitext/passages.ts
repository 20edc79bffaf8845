/** A page's text → passages: short enough to be read by a model, cut where sentences end, under their headings. */
import type { NewPassage } from "../index-file/passage-writer.ts";
import type { WikiDocument, WikiSection } from "./document.ts";
import type { Infobox } from "./infoboxes.ts";

export const longestPassage = 1_000;

/** Shorter ones say nothing by themselves. */
const shortestPassage = 20;

/** Under these stands nothing about the show. */
const unwanted =
  /^(?:references?|notes?|notes and references|footnotes|citations|sources|external links?|links|see also|further reading|bibliography|gallery|images|navigation)$/i;

export type SectionText = {
  /** The headings above it, outermost first. */
  readonly path: readonly string[];
  readonly section: WikiSection;
};

/** The sections that say something, with the headings above them. */
export function sectionsOf(document: WikiDocument): SectionText[] {
  const path: { readonly title: string; readonly depth: number }[] = [];
  return document.sections().flatMap((section) => {
    const depth = section.depth();
    const title = section.title().trim();
    while ((path.at(-1)?.depth ?? -1) >= depth) path.pop();
    // What comes before the first heading is above none of them.
    if (title !== "") path.push({ title, depth });
    const titles = path.map((heading) => heading.title);
    return titles.some((heading) => unwanted.test(heading)) ? [] : [{ path: titles, section }];
  });
}

export function passagesOf(sections: readonly SectionText[], infoboxes: readonly Infobox[]): NewPassage[] {
  const boxes = infoboxes.flatMap(({ rows }) => packed(rows.map(({ label, text }) => [`${label}: ${text}`])));
  const texts = sections.flatMap(({ path, section }) =>
    packed(blocksOf(section)).map((text) => ({ section: path, text })),
  );
  return [...boxes.map((text) => ({ section: [], text })), ...texts];
}

/** Paragraphs and lines of lists, each as its sentences. */
function blocksOf(section: WikiSection): string[][] {
  return section.paragraphs().flatMap((paragraph) => {
    const sentences = paragraph.sentences().map((sentence) => tidied(sentence.text()));
    const lines = paragraph.lists().flatMap((list) => list.lines().map((line) => [tidied(line.text())]));
    return [sentences, ...lines];
  });
}

/** Blocks one below the other, as many as fit; one that does not fit by itself is cut where its sentences end. */
function packed(blocks: readonly (readonly string[])[]): string[] {
  const passages: string[] = [];
  let passage = "";
  const put = (piece: string, separator: string) => {
    const joined = passage === "" ? piece : `${passage}${separator}${piece}`;
    if (joined.length <= longestPassage) {
      passage = joined;
      return;
    }
    if (passage !== "") passages.push(passage);
    passage = piece;
  };
  for (const block of blocks) {
    const sentences = block.filter((sentence) => sentence !== "").flatMap(bounded);
    for (const [index, sentence] of sentences.entries()) put(sentence, index === 0 ? "\n" : " ");
  }
  if (passage !== "") passages.push(passage);
  return passages.filter((text) => text.length >= shortestPassage);
}

/** A sentence that is longer than a passage, cut between words. */
function bounded(sentence: string): string[] {
  const pieces: string[] = [];
  let rest = sentence;
  while (rest.length > longestPassage) {
    const space = rest.lastIndexOf(" ", longestPassage);
    const cut = space > 0 ? space : wholeCharacters(rest, longestPassage);
    pieces.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  return [...pieces, rest];
}

/** So that no surrogate pair is cut in two. */
function wholeCharacters(text: string, length: number): number {
  return /[\ud800-\udbff]/.test(text[length - 1] ?? "") ? length - 1 : length;
}

export function tidied(text: string): string {
  return (
    text
      .toWellFormed()
      // Marks of bold that the parser left, where they have no end.
      .replace(/'{2,}/g, "")
      .replace(/\p{Cc}+|\s+/gu, " ")
      .trim()
  );
}
