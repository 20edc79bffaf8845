/** The game, put together. */
import type { Log } from "../log.ts";
import type { Knowledge } from "../retrieval/knowledge.ts";
import type { GameStore } from "../storage/game-store.ts";
import { openBackground } from "./background.ts";
import type { Games } from "./games.ts";
import { openModelJudge } from "./model-judge.ts";
import { openModelPhraser } from "./model-phrasing.ts";
import { openGames } from "./open-games.ts";
import { type OpenTriviaDatabase, openOpenTriviaDatabase } from "./open-trivia-database.ts";
import { openOverview, type TriviaOverview } from "./overview.ts";
import { openQuestionMaker } from "./question-maker.ts";
import { QuizModel, type QuizModelOptions } from "./quiz-model.ts";

export type TriviaOptions = {
  readonly store: GameStore;
  readonly knowledge: Knowledge;
  /** Undefined where no model words questions and judges what no rule knows. */
  readonly quizModel?: Omit<QuizModelOptions, "log"> | undefined;
  /** How long a question may be answered, in milliseconds. */
  readonly answerMs: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Log;
};

export type Trivia = {
  readonly games: Games;
  readonly overview: TriviaOverview;
  /** For clients of Open Trivia DB. */
  readonly database: OpenTriviaDatabase;
  /** Gives up what a model is asked; calling it twice is harmless. */
  close(): Promise<void>;
};

export function openTrivia({ clock, quizModel, ...options }: TriviaOptions): Trivia {
  const { knowledge, log } = options;
  const questions = openQuestionMaker({ knowledge });
  const model = quizModel && new QuizModel({ ...quizModel, log });
  const helped = {
    judge: model && openModelJudge(model),
    phraser: model && openModelPhraser(model, openBackground(knowledge)),
  };
  return {
    games: openGames({ ...options, ...helped, questions, clock }),
    overview: openOverview({ ...options, clock }),
    database: openOpenTriviaDatabase({ ...options, questions, clock }),
    close: async () => model?.close(),
  };
}
