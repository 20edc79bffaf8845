import type { OwnerStore } from "../storage/storage.ts";
import { gameFrom } from "../trivia/game-log.ts";
import { gameView } from "../trivia/game-view.ts";
import type { Owner } from "./usage-lines.ts";

/** What somebody played, as `GET /trivia/games/{game_id}` shows it, a JSON object a line for each game. */
export async function* gameLines(owners: Pick<OwnerStore, "players" | "games">, owner: Owner): AsyncGenerator<string> {
  for await (const players of owners.players(owner)) {
    for (const player of players) {
      for await (const games of owners.games(player)) {
        for (const stored of games) {
          yield `${JSON.stringify({ principal: player.principal, game: gameView(gameFrom(stored)) })}\n`;
        }
      }
    }
  }
}
