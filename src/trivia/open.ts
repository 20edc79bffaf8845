/** The game, put together: nothing of it is loaded from a disk before somebody plays. */
import type { Log } from "../log.ts";
import type { Knowledge } from "../retrieval/knowledge.ts";
import type { GameStore } from "../storage/game-store.ts";
import type { Games } from "./games.ts";
import type { Judge } from "./judge.ts";
import { openGames } from "./open-games.ts";
import { openOverview, type TriviaOverview } from "./overview.ts";
import { openQuestionMaker } from "./question-maker.ts";

export type TriviaOptions = {
  readonly store: GameStore;
  readonly knowledge: Knowledge;
  /** Undefined where no model judges what no rule knows. */
  readonly judge?: Judge | undefined;
  /** How long a question may be answered, in milliseconds. */
  readonly answerMs: number;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
  readonly log: Log;
};

export type Trivia = { readonly games: Games; readonly overview: TriviaOverview };

export function openTrivia({ clock = Date.now, ...options }: TriviaOptions): Trivia {
  const { knowledge } = options;
  const questions = openQuestionMaker({ knowledge });
  return { games: openGames({ ...options, questions, clock }), overview: openOverview({ ...options, clock }) };
}
