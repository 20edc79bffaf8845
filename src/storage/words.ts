/**
 * The words of a text, as it is searched for them: folded, so that upper and lower case, accents, and the width of
 * characters make no difference. What is written without spaces (Chinese, Japanese, Thai …) is taken apart into pairs of
 * neighbouring characters.
 */

export type Word = {
  readonly word: string;
  /** Where it stands in the text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
};

/** A word that is looked for. */
export type WantedWord = {
  readonly word: string;
  /** Whether words that only begin with it are meant, too. */
  readonly asBeginning: boolean;
};

/** Of each message, as much is searched: 64 Ki code units. */
export const searchedLength = 64 * 1024;

/** How many words of a search count. */
export const mostWanted = 32;

/** Longer ones are no words that anybody looks for to their end. */
const longestWord = 64;

const written = String.raw`[\p{L}\p{N}\p{M}]`;
const withoutSpaces = String.raw`\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}`;

const runs = new RegExp(`(?<dense>[[${withoutSpaces}]&&${written}]+)|[${written}--[${withoutSpaces}]]+`, "gv");

/** Accents of Latin, Greek and Cyrillic, and the vowel points of Hebrew and Arabic. */
const accents = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/g;

/** Every ASCII character that is no letter and no digit, and would end a word in the index. */
const asciiBetweenWords = /[^0-9a-z\u0080-\uffff]+/g;

export function* wordsIn(text: string): Generator<Word> {
  for (const match of text.slice(0, searchedLength).toWellFormed().matchAll(runs)) {
    const [run] = match;
    if (match.groups?.["dense"] === undefined) yield* kept(folded(run), match.index, match.index + run.length);
    else yield* pairsIn(run, match.index);
  }
}

/** What a search asks for, each word once. Nothing in it means anything but words. */
export function wantedWords(query: string): readonly WantedWord[] {
  const wanted = new Map<string, WantedWord>();
  const isDense = new Map<string, boolean>();
  const words = [...wordsIn(query)];
  for (const [index, { word, start, end }] of words.entries()) {
    const [first = ""] = word;
    const dense = isDense.get(first) ?? isWrittenWithoutSpaces(first);
    isDense.set(first, dense);
    const before = words[index - 1];
    // The last character of a run is in the pair before it already.
    if (dense && before !== undefined && before.end === end && before.start < start) continue;
    wanted.set(word, { word, asBeginning: dense || word.length > 1 });
    if (wanted.size === mostWanted) break;
  }
  return [...wanted.values()];
}

/** Of each character with the next one; the last one stands alone, so that it can be found by itself, too. */
function* pairsIn(run: string, index: number): Generator<Word> {
  const characters = [...run];
  let start = index;
  for (const [place, character] of characters.entries()) {
    const next = characters[place + 1] ?? "";
    yield* kept(folded(character + next), start, start + character.length + next.length);
    start += character.length;
  }
}

function* kept(word: string, start: number, end: number): Generator<Word> {
  if (word !== "") yield { word: word.slice(0, longestWord), start, end };
}

const onlyAscii = /^[0-9A-Za-z]*$/;

/** Kana and ideographs that are folded to themselves: most of what is written without spaces. */
const foldedAlready = /^[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]*$/;

function folded(run: string): string {
  if (onlyAscii.test(run)) return run.toLowerCase();
  if (foldedAlready.test(run)) return run;
  const bare = run.normalize("NFKD").replace(accents, "").toLowerCase().replaceAll("ς", "σ");
  return bare.replace(asciiBetweenWords, "").normalize("NFC");
}

const dense = new RegExp(`[${withoutSpaces}]`, "v");

function isWrittenWithoutSpaces(character: string): boolean {
  return dense.test(character);
}
