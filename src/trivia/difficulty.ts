/**
 * How hard a question is, and how good a player, on one scale of points as in chess (Elo): where both are equal, half of the
 * answers that are not guessed are right. A question begins with what its features say (`Question.rating`); a fact's
 * answers shift that, and the shift is what is stored.
 */
import type { Difficulty, Question } from "./question.ts";

/** Of a player: points. Of a fact: points that its questions are harder than their features say. */
export type Rating = {
  readonly value: number;
  /** From how many answers it comes: the first ones say most. */
  readonly answers: number;
};

export const newPlayer: Rating = { value: 1_200, answers: 0 };
export const newFact: Rating = { value: 0, answers: 0 };

/** Beyond this no answers push a rating: somebody who answers at random for a year stays on the scale. */
const furthest = { player: { least: 600, most: 2_400 }, fact: { least: -600, most: 600 } } as const;

/** From these points on a question is no longer easy, and hard. */
const bounds = { medium: 1_130, hard: 1_330 } as const;

export function difficultyOf(points: number): Difficulty {
  if (points < bounds.medium) return "easy";
  return points < bounds.hard ? "medium" : "hard";
}

type Asked = Pick<Question, "rating" | "options">;

/** How likely a player is right, from 0 to 1: by knowing it, or else by guessing among the options. */
export function expectedScore(player: Rating, fact: Rating, { rating, options }: Asked): number {
  const knows = 1 / (1 + 10 ** ((rating + fact.value - player.value) / 400));
  const guesses = options.length === 0 ? 0 : 1 / options.length;
  return knows + (1 - knows) * guesses;
}

/** What an answer makes of both ratings. */
export function ratingsAfter(
  player: Rating,
  fact: Rating,
  question: Asked,
  correct: boolean,
): { readonly player: Rating; readonly fact: Rating } {
  const surprise = (correct ? 1 : 0) - expectedScore(player, fact, question);
  return {
    player: moved(player, surprise * step(player.answers, 64, 16), furthest.player),
    fact: moved(fact, -surprise * step(fact.answers, 32, 8), furthest.fact),
  };
}

/** Points that one answer is worth: fewer the more is known. */
function step(answers: number, most: number, least: number): number {
  return Math.max(most / (1 + answers / 10), least);
}

function moved({ value, answers }: Rating, by: number, { least, most }: { least: number; most: number }): Rating {
  return { value: Math.min(Math.max(value + by, least), most), answers: answers + 1 };
}
