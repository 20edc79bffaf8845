/** Who plays in tests of the game, and how: the answers are those to the questions of `trivia.ts`. */
import type { GameView, VerdictView } from "../../src/protocol/trivia.ts";
import type { Access } from "../../src/storage/storage.ts";
import type { Games, Player } from "../../src/trivia/games.ts";

export const alice: Player = { principal: "guest:alice", username: "TR" };
export const bob: Player = { principal: "guest:bob", username: "TR" };

export function ownerOf({ principal }: Player): Access {
  return { by: "owner", principal };
}

/** Alice's. */
export const mine = ownerOf(alice);

/** Answers a question of a game of Alice's, the open one unless another is named. */
export function answer(
  games: Games,
  game: GameView,
  text = "a",
  number = game.question?.number ?? 0,
  once?: string,
): Promise<{ readonly verdict: VerdictView; readonly game: GameView }> {
  return games.answer(mine, game.game_id, { number, answer: text }, once);
}

/** Answers what is asked until the game is over; `a` stands for the right answer, also where that is typed. */
export async function playOut(games: Games, begun: GameView, text = "a", access: Access = mine): Promise<GameView> {
  let game = begun;
  while (game.question !== null) {
    const { number, type } = game.question;
    const given = type === "text" && text === "a" ? "Actor 3" : text;
    ({ game } = await games.answer(access, game.game_id, { number, answer: given }));
  }
  return game;
}
