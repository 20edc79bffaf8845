/** CONTRACT of a judge: whoever decides about typed answers that no rule knows. */
import type { Question } from "./question.ts";

export interface Judge {
  /**
   * Whether somebody's words mean the question's answer. What is not clearly said to be right is wrong, a judge that fails
   * or takes too long included; never rejects.
   */
  accepts(question: Question, given: string, player: JudgedPlayer): Promise<boolean>;
}

/** On whose account it is judged. */
export type JudgedPlayer = { readonly principal: string; readonly username: string };
