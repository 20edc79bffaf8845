/**
 * CONTRACT of the game's verbs, one for all ways in: HTTP, tools of a model, plain rules. They are durable when they
 * resolve, and each happens once for each `once` key, whoever asks again after a crash.
 */
import type { GameView, VerdictView } from "../protocol/trivia.ts";
import type { Access } from "../storage/storage.ts";
import type { Difficulty } from "./question.ts";

export type Player = {
  readonly principal: string;
  readonly username: string;
  /** The session in which it is played; at most one game runs in a session. */
  readonly sessionId?: string | undefined;
};

export type GameWish = {
  readonly show?: string | undefined;
  readonly difficulty?: Difficulty | undefined;
  /** 1 to 50; by default 10. */
  readonly questions?: number | undefined;
  /** Plays the quiz of the day, whatever else is wished for. */
  readonly daily?: boolean | undefined;
};

export interface Games {
  /**
   * Begins a game with its first question; one that runs in the same session is stopped.
   *
   * @throws Problem `show_not_found` (naming those there are), `no_questions_left`, `daily_already_played`
   */
  start(player: Player, wish: GameWish, once?: string): Promise<GameView>;
  /** @throws Problem `game_not_found` */
  read(access: Access, gameId: string): Promise<GameView>;
  /** The game that runs in a session, if one does. */
  ofSession(access: Access, sessionId: string): Promise<GameView | undefined>;
  /**
   * Grades an answer and asks the next question.
   *
   * @throws Problem `game_not_found`, `game_over`, `question_not_open` (another one is, or this one was answered)
   */
  answer(
    access: Access,
    gameId: string,
    given: { readonly number: number; readonly answer: string },
    once?: string,
  ): Promise<{ readonly verdict: VerdictView; readonly game: GameView }>;
  /** @throws Problem `game_not_found`, `game_over`, `question_not_open`, `no_hint` (nothing left to take away) */
  hint(
    access: Access,
    gameId: string,
    wanted: { readonly number: number; readonly kind: "hint" | "fifty_fifty" },
    once?: string,
  ): Promise<GameView>;
  /** Stopping a game that is over changes nothing. @throws Problem `game_not_found` */
  stop(access: Access, gameId: string, once?: string): Promise<GameView>;
}
