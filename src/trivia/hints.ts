/** Hints: sentences that help and do not hold the answer. */
import type { ObjectType } from "../retrieval/facts.ts";
import type { Random } from "./seeded-random.ts";

/** About an answer of a type; `random` keeps years and numbers from standing in the middle of what is said. */
export function hintFor(answer: string, type: ObjectType, random: Random): string {
  if (type === "year") return `It was between ${around(Number(answer), 6, random).join(" and ")}.`;
  if (type === "number" && /^\d+$/.test(answer)) {
    const [less, more] = around(Number(answer), Math.max(5, Math.round(Number(answer) / 4)), random);
    return less < 1 ? `It is less than ${more}.` : `It is more than ${less} and less than ${more}.`;
  }
  const words = answer.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  if (type === "person" || type === "character") return `The initials are ${words.map(initial).join(" ")}`;
  const first = initial(words[0] ?? "");
  if (words.length > 1) return `It has ${words.length} words, and the first begins with ${first}`;
  return `It is a word of ${answer.replace(/[^\p{L}\p{N}]/gu, "").length} letters that begins with ${first}`;
}

/** With the full stop that ends the sentence. */
function initial(word: string): string {
  return `${/[\p{L}\p{N}]/u.exec(word)?.[0].toUpperCase() ?? ""}.`;
}

/** Two numbers, one below and one above, that far from each other. */
function around(value: number, width: number, random: Random): readonly [number, number] {
  const below = 1 + Math.floor(random() * (width - 1));
  return [value - below, value - below + width];
}
