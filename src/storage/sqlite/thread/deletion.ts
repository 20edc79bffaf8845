/**
 * The SQL of deleting sessions. Runs in the writer's thread.
 *
 * A long session goes in pieces, so that no other write waits for it: with the first it is nobody's and nowhere to be
 * found any more, and its turns follow, also after a crash.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Checkpoints } from "./checkpoints.ts";
import { gameRemover } from "./game-deletion.ts";
import type { Journal } from "./journal.ts";
import { idleMarker } from "./principals.ts";
import type { RunningTurns } from "./running-turns.ts";
import { marksOf, type SearchIndex } from "./search-index.ts";
import type { SessionRow } from "./sessions.ts";

/** How much is deleted together: bytes of text, about 5 ms for each million of them, and turns. */
const pieceBytes = 1_000_000;
const pieceTurns = 200;

/** The index forgets one message, all its words, in the time in which so much text is deleted. */
const bytesOfForgetting = 300_000;

export type Removed = {
  /** How much work that was, as bytes of text. */
  readonly bytes: number;
  /** False where turns are left for `purgeDeleted`. */
  readonly isWhole: boolean;
};

export type SessionRemover = {
  session(row: Pick<SessionRow, "key" | "owner" | "username">, now: number): Removed;
  /** To be called once after one or more sessions: what is deleted is deleted in the journal and the log too. */
  fromJournal(): void;
};

type RemoverParts = {
  readonly running: RunningTurns;
  readonly journal: Journal;
  readonly checkpoints: Checkpoints;
  readonly search: SearchIndex;
};

export function sessionRemover(
  database: DatabaseSync,
  { running, journal, checkpoints, search }: RemoverParts,
): SessionRemover {
  const removePiece = pieceRemover(database, search);
  const hide = database.prepare(`
    UPDATE sessions
    SET session_id = 'deleted ' || key, owner = '', username = '', title = NULL, instructions = NULL, pinned = 1,
      search_marks = ?
    WHERE key = ?
  `);
  const endTurns = database.prepare(
    "UPDATE turns SET status = 'stopped' WHERE session = ? AND status IN ('queued', 'running')",
  );
  const hideGames = database.prepare("UPDATE games SET game_id = 'deleted ' || key, owner = '' WHERE session = ?");
  const markIdle = idleMarker(database);
  return {
    session({ key, owner, username }, now) {
      const removed = removePiece(key);
      if (!removed.isWhole) {
        hide.run(marksOf(owner, username), key);
        endTurns.run(key);
        hideGames.run(key);
      }
      running.remove(key);
      markIdle(owner, now);
      return removed;
    },
    fromJournal() {
      journal.empty();
      checkpoints.emptySoon();
    },
  };
}

export function purge(database: DatabaseSync, checkpoints: Checkpoints, search: SearchIndex) {
  const removePiece = pieceRemover(database, search);
  const findHidden = database.prepare(
    "SELECT key FROM sessions WHERE session_id > 'deleted ' AND session_id < 'deleted!' LIMIT 1",
  );
  return {
    /** Deletes the next piece of what was deleted before. Gives whether nothing is left of it. */
    purgeDeleted(_: object): boolean {
      const hidden = findHidden.get() as { key: number } | undefined;
      if (hidden === undefined) return true;
      removePiece(hidden.key);
      checkpoints.emptySoon();
      return findHidden.get() === undefined;
    },
  };
}

function pieceRemover(database: DatabaseSync, search: SearchIndex): (key: number) => Removed {
  const selectSizes = database.prepare(`
    SELECT turn, octet_length(prompt) + (
      SELECT coalesce(sum(octet_length(data)), 0) FROM events WHERE session = turns.session AND turn = turns.turn
    ) AS bytes
    FROM turns WHERE session = ? ORDER BY turn
  `);
  const removeGames = gameRemover(database);
  const removeTurns = database.prepare("DELETE FROM turns WHERE session = ? AND turn <= ?");
  const removeSession = database.prepare("DELETE FROM sessions WHERE key = ?");

  return (key) => {
    const games = removeGames.ofSession(key, pieceBytes);
    let { bytes, isWhole } = games;
    if (!isWhole) return games;
    let turns = 0;
    let last = 0;
    for (const row of selectSizes.iterate(key)) {
      if (bytes >= pieceBytes || turns >= pieceTurns) {
        isWhole = false;
        break;
      }
      const size = row as { turn: number; bytes: number };
      bytes += size.bytes + search.forget({ key, turn: size.turn }) * bytesOfForgetting;
      turns += 1;
      last = size.turn;
    }
    if (isWhole) removeSession.run(key);
    else removeTurns.run(key, last);
    return { bytes, isWhole };
  };
}
