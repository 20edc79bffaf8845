/** The SQL of those who play: what they were asked, how well they answer, and who is best. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import type { BoardEntry, PlayerName, RatedAnswer, Rating, StoredPlayer } from "../../game-store.ts";
import type { Whose } from "../../storage.ts";
import { principalAdder } from "./principals.ts";

type PlayerRow = Rating & { readonly key: number };

/** A player, by whose key the next page begins. */
export type ListedPlayer = StoredPlayer & { readonly key: number };

const pageRows = 200;

export function playerFinder(database: DatabaseSync): (player: PlayerName) => PlayerRow | undefined {
  const find = database.prepare("SELECT key, rating, answers FROM players WHERE principal = ? AND username = ?");
  return ({ principal, username }) => find.get(principal, username) as PlayerRow | undefined;
}

/** To be called with whatever is stored of a player, who may be new. Gives the key. */
export function playerTouch(database: DatabaseSync): (player: PlayerName, now: number) => number {
  const addPrincipal = principalAdder(database);
  const touch = database.prepare(`
    INSERT INTO players (principal, username, updated_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET updated_at = max(updated_at, excluded.updated_at) RETURNING key
  `);
  return ({ principal, username }, now) => {
    addPrincipal(principal, now);
    return (touch.get(principal, username, now) as { key: number }).key;
  };
}

export function playerReads(database: DatabaseSync) {
  const find = playerFinder(database);
  const selectAsked = database.prepare("SELECT fact FROM asked_facts WHERE player = ?");
  const selectRatings = database.prepare("SELECT fact, rating, answers FROM fact_ratings WHERE show = ?");
  const selectBest = database.prepare(`
    SELECT username, best AS score, games FROM scores JOIN players ON players.key = scores.player
    WHERE board = ? ORDER BY best DESC LIMIT ?
  `);
  const columns = `key, principal, username, updated_at AS updatedAt,
    (SELECT count(*) FROM games WHERE player = players.key AND owner <> '') AS games`;
  const selectOfPrincipal = database.prepare(`
    SELECT ${columns} FROM players WHERE principal = ?1 AND (?2 IS NULL OR username = ?2) AND key > ?3
    ORDER BY key LIMIT ${pageRows}
  `);
  const selectOfUsername = database.prepare(`
    SELECT ${columns} FROM players WHERE username = ? AND key > ? ORDER BY key LIMIT ${pageRows}
  `);
  const selectAll = database.prepare(`SELECT ${columns} FROM players WHERE key > ? ORDER BY key LIMIT ${pageRows}`);
  return {
    readAsked: ({ player }: { player: PlayerName }): ReadonlySet<string> =>
      new Set((selectAsked.all(find(player)?.key ?? -1) as { fact: string }[]).map(({ fact }) => fact)),

    readRating({ player }: { player: PlayerName }): Rating {
      const { rating, answers } = find(player) ?? { rating: 0, answers: 0 };
      return { rating, answers };
    },

    readFactRatings: ({ show }: { show: string }): ReadonlyMap<string, Rating> =>
      new Map((selectRatings.all(show) as (Rating & { fact: string })[]).map(({ fact, ...rating }) => [fact, rating])),

    readBest: ({ board, limit }: { board: string; limit: number }): BoardEntry[] =>
      selectBest.all(board, limit) as BoardEntry[],

    listPlayers({ whose: { principal, username }, after }: { whose: Whose; after: number }): ListedPlayer[] {
      if (principal !== undefined) return selectOfPrincipal.all(principal, username ?? null, after) as ListedPlayer[];
      return (username === undefined ? selectAll.all(after) : selectOfUsername.all(username, after)) as ListedPlayer[];
    },
  };
}

export function playerWrites(database: DatabaseSync) {
  const touch = playerTouch(database);
  const addFact = database.prepare("INSERT INTO asked_facts VALUES (?, ?) ON CONFLICT DO NOTHING");
  const takeDay = database.prepare(`
    INSERT INTO played_days VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET game_id = game_id RETURNING game_id
  `);
  const ratePlayer = database.prepare(`
    UPDATE players SET rating = rating + ?, answers = answers + 1 WHERE principal = ? AND username = ?
  `);
  const rateFact = database.prepare(`
    INSERT INTO fact_ratings VALUES (?, ?, ?, 1)
    ON CONFLICT DO UPDATE SET rating = rating + excluded.rating, answers = answers + 1
  `);
  return {
    takeFact: ({ player, fact, now }: { player: PlayerName; fact: string; now: number }): boolean =>
      addFact.run(touch(player, now), fact).changes === 1,

    takeDay({ player, day, gameId, now }: { player: PlayerName; day: string; gameId: string; now: number }): string {
      return (takeDay.get(touch(player, now), day, gameId) as { game_id: string }).game_id;
    },

    /** Whoever was forgotten meanwhile stays so. */
    rateAnswer({ player: { principal, username }, answer }: { player: PlayerName; answer: RatedAnswer }): void {
      const { show, fact, playerChange, factChange } = answer;
      ratePlayer.run(playerChange, principal, username);
      rateFact.run(show, fact, factChange);
    },
  };
}
