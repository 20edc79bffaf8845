/** Hints: sentences that help, and neither hold the answer nor leave one option alone. */
import type { ObjectType } from "../retrieval/facts.ts";
import type { QuestionKind } from "./question.ts";
import type { Random } from "./seeded-random.ts";

export type Hinted = {
  readonly kind: QuestionKind;
  /** What is right; of a statement, what is right where it says that or something else. */
  readonly answer: string;
  readonly type: ObjectType;
  /** The wrong options; of a statement, what it could say instead. */
  readonly others: readonly string[];
};

export function hintFor(hinted: Hinted, random: Random): string {
  if (hinted.kind === "text") return typedHint(hinted, random);
  return hinted.kind === "boolean" ? statementHint(hinted, random) : optionsHint(hinted, random);
}

function typedHint({ answer, type }: Hinted, random: Random): string {
  if (type === "year") return `It was between ${around(Number(answer), 6, random).join(" and ")}.`;
  if (isNumber(answer)) {
    const [less, more] = around(Number(answer), Math.max(5, Math.round(Number(answer) / 4)), random);
    return less < 1 ? `It is less than ${more}.` : `It is more than ${less} and less than ${more}.`;
  }
  const words = wordsIn(answer);
  if (type === "person" || type === "character") return `The initials are ${words.map(initial).join(" ")}`;
  const first = initial(words[0] ?? "");
  if (words.length > 1) return `It has ${words.length} words, and the first begins with ${first}`;
  const letters = lettersIn(answer);
  // Of a network's name, the first letter would be the whole.
  return letters < 5
    ? `It is a word of ${letters} letters.`
    : `It is a word of ${letters} letters that begins with ${first}`;
}

/** Fits two options at least, and not all of them. */
function optionsHint({ answer, type, others }: Hinted, random: Random): string {
  const clues = cluesOf(answer, type, others).filter(({ fits }) => {
    const left = others.filter(fits).length;
    return left > 0 && left < others.length;
  });
  return clues.length > 0 ? `It ${oneOf(clues, random)?.says}.` : `It is not “${oneOf(others, random)}”.`;
}

/** Fits what is right and what is not, as anything else would say which of them stands there. */
function statementHint({ answer, type, others }: Hinted, random: Random): string {
  const clues = others.length === 0 ? [] : cluesOf(answer, type, others).filter(({ fits }) => others.every(fits));
  const letters = Math.min(...[answer, ...others].map(lettersIn));
  const says = oneOf(clues, random)?.says ?? `has more than ${letters - 1} letters`;
  return `What belongs there ${says}.`;
}

type Clue = { readonly says: string; readonly fits: (option: string) => boolean };

/** What can be said of an answer that may be true of others. */
function cluesOf(answer: string, type: ObjectType, others: readonly string[]): readonly Clue[] {
  if (type === "year" || isNumber(answer)) return others.map((other) => betweenClue(Number(answer), Number(other)));
  const count = wordsIn(answer).length;
  const [first, last] = [firstLetter(answer), lastWordsLetter(answer)];
  return [
    { says: count === 1 ? "is one word" : `has ${count} words`, fits: (option) => wordsIn(option).length === count },
    { says: `begins with ${first}`, fits: (option) => firstLetter(option) === first },
    { says: `ends with a word that begins with ${last}`, fits: (option) => lastWordsLetter(option) === last },
  ];
}

/** Both are within. */
function betweenClue(answer: number, other: number): Clue {
  const [below, above] = [Math.min(answer, other) - 1, Math.max(answer, other) + 1];
  return {
    says: `is between ${below} and ${above}`,
    fits: (option) => Number(option) > below && Number(option) < above,
  };
}

function oneOf<T>(things: readonly T[], random: Random): T | undefined {
  return things[Math.floor(random() * things.length)];
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

function wordsIn(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
}

/** Not of an article, which says nothing. */
function firstLetter(text: string): string {
  return letterOf(wordsIn(text.replace(/^(?:the|an?) /i, ""))[0] ?? "");
}

function lastWordsLetter(text: string): string {
  return letterOf(wordsIn(text).at(-1) ?? "");
}

function lettersIn(text: string): number {
  return text.replace(/[^\p{L}\p{N}]/gu, "").length;
}

/** With the full stop that ends the sentence. */
function initial(word: string): string {
  return `${letterOf(word)}.`;
}

function letterOf(word: string): string {
  return /[\p{L}\p{N}]/u.exec(word)?.[0].toUpperCase() ?? "";
}

/** Two numbers, one below and one above, that far from each other. */
function around(value: number, width: number, random: Random): readonly [number, number] {
  const below = 1 + Math.floor(random() * (width - 1));
  return [value - below, value - below + width];
}
