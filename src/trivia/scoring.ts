/** Points for an answer. Whole numbers, so that scores are the same wherever they are added up. */
import type { Difficulty } from "./question.ts";

const forDifficulty: Readonly<Record<Difficulty, number>> = { easy: 100, medium: 150, hard: 200 };

/** Of the points of the difficulty: for each right answer in a row before this one, up to five of them. */
const forStreak = 0.1;
const longestStreak = 5;

/** Of the points of the difficulty, for an answer that takes no time at all. */
const forSpeed = 0.5;

/** What help leaves of the sum. */
const afterHint = 0.75;
const afterFiftyFifty = 0.5;

export type Answered = {
  readonly correct: boolean;
  readonly difficulty: Difficulty;
  /** Right answers in a row before this one. */
  readonly streak: number;
  /** What helped with this question. */
  readonly helped: { readonly hint: boolean; readonly fiftyFifty: boolean };
  /** Milliseconds from the question to its answer, and how many there were. */
  readonly tookMs: number;
  readonly allowedMs: number;
};

/** From 0, which every wrong answer gets, to 400. */
export function pointsFor({ correct, difficulty, streak, helped, tookMs, allowedMs }: Answered): number {
  if (!correct) return 0;
  const left = Math.min(Math.max(1 - tookMs / allowedMs, 0), 1);
  const bonus = Math.min(streak, longestStreak) * forStreak + left * forSpeed;
  const cost = (helped.hint ? afterHint : 1) * (helped.fiftyFifty ? afterFiftyFifty : 1);
  return Math.round(forDifficulty[difficulty] * (1 + bonus) * cost);
}
