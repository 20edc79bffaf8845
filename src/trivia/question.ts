/** What a question is, in the house. What of it a player may see before answering is `protocol/trivia.ts`. */
import type { Fact } from "../retrieval/facts.ts";

export const questionKinds = ["multiple", "boolean", "text"] as const;
export type QuestionKind = (typeof questionKinds)[number];

export const difficulties = ["easy", "medium", "hard"] as const;
export type Difficulty = (typeof difficulties)[number];

export type Question = {
  /** Stands for fact and kind and wording: the same question always has the same id. */
  readonly id: string;
  readonly show: string;
  readonly kind: QuestionKind;
  readonly text: string;
  /** In the order in which they are shown; none of a `text` question. `boolean` has True and False. */
  readonly options: readonly Option[];
  /** The right answer as text; of those with options, the text of one of them. */
  readonly answer: string;
  /** What else counts as the answer when it is typed. */
  readonly aliases: readonly string[];
  readonly difficulty: Difficulty;
  /** Elo points that it begins with, from its features; what the fact's answers add is stored (difficulty.ts). */
  readonly rating: number;
  readonly fact: Fact;
  /** A sentence for after the answer. */
  readonly explanation: string;
  /** A sentence that helps and does not hold the answer. */
  readonly hint: string;
  /** `template`, or the model that phrased it. */
  readonly generator: string;
};

export type Option = {
  /** `a` to `d`. */
  readonly id: string;
  readonly text: string;
};

/** The rule that decided whether an answer is right; stored with it. */
export const gradingRules = ["option", "exact", "alias", "edit_distance", "judge", "no_match", "too_late"] as const;
export type GradingRule = (typeof gradingRules)[number];

export type Grade = { readonly correct: boolean; readonly rule: GradingRule };
