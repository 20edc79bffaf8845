/** Texts as far as they say the same thing: what is left of case, accents, punctuation, articles and written-out numbers. */
import { numbersAsDigits } from "./number-words.ts";

/** Of letters and digits, with single spaces; empty where a text has none. Doing it twice changes nothing. */
export function normalForm(text: string): string {
  return words(text).join(" ");
}

/** The words of a text in normal form. */
export function words(text: string): readonly string[] {
  const plain = (isAscii.test(text) ? asciiLetters(text) : letters(text)).trim();
  if (plain === "") return [];
  return withoutArticles(numbersAsDigits(plain.split(" ")));
}

const isAscii = /^[\0-\x7f]*$/;

/** Most texts; several times faster. */
function asciiLetters(text: string): string {
  return text
    .toLowerCase()
    .replace(/['`]/g, "")
    .replaceAll("&", " and ")
    .replace(/[^a-z0-9]+/g, " ");
}

function letters(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}+|['’‘ʼ`´]/gu, "")
    .replaceAll("&", " and ")
    .replace(/[^\p{L}\p{N}]+/gu, " ");
}

/** "The", wherever it stands, and "a" or "an" at the beginning; a text that is nothing else keeps them. */
function withoutArticles(all: readonly string[]): readonly string[] {
  const kept = all.filter((word) => word !== "the");
  while (kept.length > 1 && (kept[0] === "a" || kept[0] === "an")) kept.shift();
  return kept.length > 0 ? kept : all;
}

/** Of a question: also without the endings of "Frasier’s", behind which an answer could stand. */
export function formsOfQuestion(text: string): readonly string[] {
  const bare = text.replace(/['’]s\b/g, "");
  return bare === text ? [normalForm(text)] : [normalForm(text), normalForm(bare)];
}

/** Whether the words of one text stand side by side in another, both in normal form. */
export function isPartOf(part: string, whole: string): boolean {
  return part !== "" && ` ${whole} `.includes(` ${part} `);
}
