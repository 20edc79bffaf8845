/**
 * CONTRACT of whoever makes questions of facts. A question is made of its id alone, so the same id gives the same question,
 * with the same options in the same order, for as long as the facts stay what they are; whoever asks one keeps it.
 */
import type { Difficulty, Question, QuestionKind } from "./question.ts";

export type Wanted = {
  /** The id of a show; all of them where it is left out. */
  readonly show?: string | undefined;
  /** Wins over `rating`. */
  readonly difficulty?: Difficulty | undefined;
  /** By default all; mostly `multiple`. */
  readonly kinds?: readonly QuestionKind[] | undefined;
  /** Facts that the player has had. */
  exclude(factId: string): boolean;
  /** The player's Elo points: questions near them come first. */
  readonly rating?: number | undefined;
  /** What answers have added to a fact's rating. */
  shiftOf?(factId: string): number;
  random(): number;
};

export interface QuestionMaker {
  /** Undefined where the wish leaves nothing: no such show, or every fact is excluded. */
  next(wanted: Wanted): Promise<Question | undefined>;
  /** Undefined where there is none of this id, or no more. */
  question(id: string): Promise<Question | undefined>;
  /** The questions of a day (as 2026-11-28), the same for everybody; fewer only where there are not so many facts. */
  daily(date: string, count: number): Promise<readonly Question[]>;
  /** Every question that can be made, of a show or of all. */
  all(show?: string): AsyncIterable<Question>;
}
