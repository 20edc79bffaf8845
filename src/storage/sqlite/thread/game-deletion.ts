/** The SQL of deleting games and players, a little at a time. Runs in the writer's thread. */
import type { DatabaseSync } from "node:sqlite";
import type { PlayerName } from "../../game-store.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { Cutoffs } from "./expiry.ts";
import { idleMarker } from "./principals.ts";

/** How much is deleted together: games, bytes of their moves, players, and scores. */
const mostGames = 100;
const mostMoveBytes = 1_000_000;
const mostPlayers = 50;
const mostScores = 500;

export type RemovedGames = { readonly bytes: number; readonly isWhole: boolean };

/** Deletes games until all of them are gone or so many bytes of their moves are. */
export function gameRemover(database: DatabaseSync) {
  const size = "(SELECT coalesce(sum(octet_length(move)), 0) FROM game_moves WHERE game = games.key) AS bytes";
  const selectOfSession = database.prepare(`SELECT key, ${size} FROM games WHERE session = ? ORDER BY key`);
  const selectOfPlayer = database.prepare(`SELECT key, ${size} FROM games WHERE player = ? ORDER BY key`);
  const remove = database.prepare("DELETE FROM games WHERE key = ?");

  function removeAll(rows: Iterable<unknown>, mostBytes: number): RemovedGames {
    const chosen: number[] = [];
    let bytes = 0;
    let isWhole = true;
    for (const row of rows) {
      if (bytes >= mostBytes || chosen.length >= mostGames) {
        isWhole = false;
        break;
      }
      const game = row as { key: number; bytes: number };
      bytes += game.bytes;
      chosen.push(game.key);
    }
    for (const key of chosen) remove.run(key);
    return { bytes, isWhole };
  }

  return {
    ofSession: (session: number, mostBytes: number) => removeAll(selectOfSession.iterate(session), mostBytes),
    ofPlayer: (player: number, mostBytes: number) => removeAll(selectOfPlayer.iterate(player), mostBytes),
  };
}

export type ExpiredGames = { readonly games: number; readonly isAll: boolean };

export function gameExpiry(database: DatabaseSync, checkpoints: Checkpoints) {
  const remove = gameRemover(database);
  const markIdle = idleMarker(database);
  const findPlayer = database.prepare("SELECT key FROM players WHERE principal = ? AND username = ?");
  const removePlayer = database.prepare("DELETE FROM players WHERE key = ?");
  // The conditions on the owner are those of the indexes, so that it costs what it finds.
  const removeOld = database.prepare(`
    DELETE FROM games WHERE key IN (
      SELECT key FROM games WHERE session IS NULL AND (substr(owner, 1, 6) = 'guest:') = ? AND updated_at <= ?
      ORDER BY updated_at LIMIT ${mostGames}
    )
  `);
  const findIdle = database.prepare(`
    SELECT key, principal FROM players WHERE (substr(principal, 1, 6) = 'guest:') = ? AND updated_at <= ?
    AND NOT EXISTS (SELECT 1 FROM games WHERE player = players.key) ORDER BY updated_at LIMIT ${mostPlayers}
  `);
  const removeScores = database.prepare(`
    DELETE FROM scores WHERE (board, player) IN (
      SELECT board, player FROM scores WHERE until IS NOT NULL AND until <= ? LIMIT ${mostScores}
    )
  `);

  function removePlayers(isGuest: 0 | 1, cutoff: number, now: number): number {
    const idle = findIdle.all(isGuest, cutoff) as { key: number; principal: string }[];
    for (const { key, principal } of idle) {
      removePlayer.run(key);
      markIdle(principal, now);
    }
    return idle.length;
  }

  return {
    expireGames({ cutoffs, now }: { cutoffs: Cutoffs; now: number }): ExpiredGames {
      let games = 0;
      let isAll = Number(removeScores.run(now).changes) < mostScores;
      for (const [isGuest, cutoff] of [[1, cutoffs.guests] as const, [0, cutoffs.others] as const]) {
        if (cutoff === undefined) continue;
        const count = Number(removeOld.run(isGuest, cutoff).changes);
        games += count;
        isAll = count < mostGames && removePlayers(isGuest, cutoff, now) < mostPlayers && isAll;
      }
      if (games > 0) checkpoints.emptySoon();
      return { games, isAll };
    },

    /** Whether all of it is gone. */
    forgetPlayer({ player: { principal, username }, now }: { player: PlayerName; now: number }): boolean {
      const player = findPlayer.get(principal, username) as { key: number } | undefined;
      if (player === undefined) return true;
      checkpoints.emptySoon();
      if (!remove.ofPlayer(player.key, mostMoveBytes).isWhole) return false;
      removePlayer.run(player.key);
      markIdle(principal, now);
      return true;
    },
  };
}
