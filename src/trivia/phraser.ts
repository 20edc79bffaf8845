/** CONTRACT of a phraser: whoever puts questions into other words than the templates'. */
import type { JudgedPlayer } from "./judge.ts";
import type { Question } from "./question.ts";

export interface Phraser {
  /**
   * The same question in other words: its fact, kind, options and answer stay. Where there are none in time, or none that
   * pass the checks, it is given back as it is; never rejects.
   */
  phrase(question: Question, player: JudgedPlayer): Promise<Question>;
}
