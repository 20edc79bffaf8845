/** 50:50: what it takes away, the same however often somebody asks. */
import type { Option, Question } from "./question.ts";
import { seededRandom, shuffled } from "./seeded-random.ts";

/** The wrong options that 50:50 takes away; none where there are not enough of them. */
export function takenByFiftyFifty({ id, options, answer }: Question): readonly Option[] {
  const wrong = options.filter(({ text }) => text !== answer);
  if (wrong.length < 2) return [];
  return [...shuffled(wrong, seededRandom(`50:50 ${id}`))].slice(0, Math.ceil(wrong.length / 2));
}
