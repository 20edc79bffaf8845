/** The SQL of games. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import { gameNotFound, sessionNotFound } from "../../../protocol/refusals.ts";
import { mayAccess } from "../../access.ts";
import type { NewGame, NewMoves, PlayerName, StoredGame } from "../../game-store.ts";
import type { Access } from "../../storage.ts";
import { playerFinder, playerTouch } from "./players.ts";
import { sessionFinder } from "./sessions.ts";

type GameRow = {
  readonly key: number;
  readonly game_id: string;
  readonly owner: string;
  readonly player: number;
  readonly username: string;
  readonly session_id: string | null;
  readonly settings: string;
  readonly ended: number;
  readonly created_at: number;
  readonly updated_at: number;
};

/** How many games are given together. */
const pageRows = 20;

const selectGames = `
  SELECT games.*, players.username, sessions.session_id FROM games
  JOIN players ON players.key = games.player LEFT JOIN sessions ON sessions.key = games.session
`;

/** The one way from a game's id to its row. */
function gameFinder(database: DatabaseSync): (access: Access, gameId: string) => GameRow {
  const find = database.prepare(`${selectGames} WHERE game_id = ?`);
  return (access, gameId) => {
    const row = find.get(gameId) as GameRow | undefined;
    if (row === undefined || !mayAccess(access, row.owner)) throw gameNotFound();
    return row;
  };
}

/** A page of games, and where the next one begins. */
export type GamePage = { readonly games: readonly StoredGame[]; readonly last: number | undefined };

export function gameReads(database: DatabaseSync) {
  const find = gameFinder(database);
  const findSession = sessionFinder(database);
  const findPlayer = playerFinder(database);
  const findNewest = database.prepare(`${selectGames} WHERE games.session = ? ORDER BY games.key DESC LIMIT 1`);
  const selectOfPlayer = database.prepare(`
    ${selectGames} WHERE games.player = ? AND games.key > ? AND games.owner <> '' ORDER BY games.key LIMIT ${pageRows}
  `);
  const selectMoves = database.prepare("SELECT move FROM game_moves WHERE game = ? ORDER BY number");

  function gameFrom(row: GameRow): StoredGame {
    return {
      gameId: row.game_id,
      player: { principal: row.owner, username: row.username },
      sessionId: row.session_id,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      settings: row.settings,
      moves: (selectMoves.all(row.key) as { move: string }[]).map(({ move }) => move),
    };
  }

  return {
    readGame: ({ access, gameId }: { access: Access; gameId: string }): StoredGame => gameFrom(find(access, gameId)),

    runningGame({ access, sessionId }: { access: Access; sessionId: string }): StoredGame | undefined {
      const row = findNewest.get(findSession(access, sessionId).key) as GameRow | undefined;
      return row === undefined || row.ended === 1 ? undefined : gameFrom(row);
    },

    listGames({ player, after }: { player: PlayerName; after: number }): GamePage {
      const rows = selectOfPlayer.all(findPlayer(player)?.key ?? -1, after) as GameRow[];
      return { games: rows.map(gameFrom), last: rows.at(-1)?.key };
    },
  };
}

export function gameWrites(database: DatabaseSync) {
  const find = gameFinder(database);
  const findSession = sessionFinder(database);
  const touchPlayer = playerTouch(database);
  const addGame = database.prepare(`
    INSERT INTO games (game_id, owner, player, session, settings, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (game_id) DO NOTHING RETURNING key
  `);
  const countMoves = database.prepare("SELECT count(*) AS moves FROM game_moves WHERE game = ?");
  const addMove = database.prepare("INSERT INTO game_moves (game, number, move) VALUES (?, ?, ?)");
  const touchGame = database.prepare("UPDATE games SET updated_at = ?, ended = ? WHERE key = ?");
  const addScore = database.prepare(`
    INSERT INTO scores (board, player, best, games, until) VALUES (?, ?, ?, 1, ?)
    ON CONFLICT DO UPDATE SET best = max(best, excluded.best), games = games + 1
  `);

  return {
    createGame({ game, now }: { game: NewGame; now: number }): boolean {
      const { gameId, player, sessionId, settings, moves } = game;
      const { principal } = player;
      const session = sessionId === null ? null : findSession({ by: "owner", principal }, sessionId);
      if (session !== null && session.username !== player.username) throw sessionNotFound(session.session_id);
      const playerKey = touchPlayer(player, now);
      const added = addGame.get(gameId, principal, playerKey, session?.key ?? null, settings, now, now);
      if (added === undefined) return false;
      const { key } = added as { key: number };
      for (const [number, move] of moves.entries()) addMove.run(key, number, move);
      return true;
    },

    appendMoves({ access, gameId, given, now }: AppendMoves): boolean {
      const { after, moves, ended } = given;
      const row = find(access, gameId);
      if ((countMoves.get(row.key) as { moves: number }).moves !== after) return false;
      for (const [index, move] of moves.entries()) addMove.run(row.key, after + index, move);
      touchPlayer({ principal: row.owner, username: row.username }, now);
      touchGame.run(now, ended === undefined ? row.ended : 1, row.key);
      if (ended === undefined || row.ended === 1) return true;
      for (const { name, until } of ended.boards) addScore.run(name, row.player, ended.score, until);
      return true;
    },
  };
}

type AppendMoves = {
  readonly access: Access;
  readonly gameId: string;
  readonly given: NewMoves;
  readonly now: number;
};
