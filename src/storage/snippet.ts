/** What a search shows of a message: the text around the first word that was found. */
import { splitsSurrogatePair } from "../protocol/positions.ts";
import { type WantedWord, wordsIn } from "./words.ts";

export type Snippet = {
  readonly text: string;
  /** Where what was looked for stands in the text: begin and end, in UTF-16 code units, in order and apart. */
  readonly matches: readonly (readonly [start: number, end: number])[];
};

/** UTF-16 code units. */
const longestSnippet = 240;

/** How much of it comes before the first match, at most. */
const leadIn = 60;

const cut = "…";

export function snippetOf(text: string, wanted: readonly WantedWord[]): Snippet {
  const matches = matchesIn(text, wanted);
  const from = beginning(text, matches[0]?.[0] ?? 0);
  const to = ending(text, from);
  const before = from > 0 ? cut : "";
  const after = to < text.length ? cut : "";
  // One character for one, so that what stands behind stays where it is.
  const shown = text.slice(from, to).replace(/[\s\p{Cc}]/gu, " ");
  // One that is longer than what is shown is cut with it.
  const moved = matches
    .filter(([start]) => start >= from && start < to)
    .map(([start, end]) => [start - from + before.length, Math.min(end, to) - from + before.length] as const);
  return { text: before + shown + after, matches: moved };
}

function matchesIn(text: string, wanted: readonly WantedWord[]): [start: number, end: number][] {
  const matches: [number, number][] = [];
  for (const { word, start, end } of wordsIn(text)) {
    const found = wanted.find((one) => (one.asBeginning ? word.startsWith(one.word) : word === one.word));
    if (found === undefined) continue;
    // Where folding has changed the length nobody can say which part it is.
    const wholeWord = word.length !== end - start;
    const to = wholeWord ? end : start + found.word.length;
    const last = matches.at(-1);
    if (last !== undefined && start <= last[1] && last[0] + longestSnippet > to) last[1] = Math.max(last[1], to);
    else matches.push([start, to]);
    // Nothing behind that is shown.
    const [first] = matches;
    if (first !== undefined && start > first[0] + longestSnippet) break;
  }
  return matches;
}

function beginning(text: string, match: number): number {
  const earliest = Math.max(0, match - leadIn);
  if (earliest === 0) return 0;
  const space = text.slice(earliest, match).search(/\s/);
  const from = space === -1 ? earliest : earliest + space + 1;
  return splitsSurrogatePair(text, from) ? from + 1 : from;
}

function ending(text: string, from: number): number {
  const latest = Math.min(text.length, from + longestSnippet);
  if (latest === text.length) return latest;
  const space = text.slice(from, latest).search(/\s\S*$/);
  const to = space > leadIn * 2 ? from + space : latest;
  return splitsSurrogatePair(text, to) ? to - 1 : to;
}
