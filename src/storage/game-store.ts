/**
 * CONTRACT of a storage back end, its part about the game; `storage.ts` has the rest and says what holds for all of it.
 *
 * A game is a log of moves: what was asked, what was answered, what was taken as help. Moves are only ever added, and only
 * by whoever knows all before them, so that of two that come at once one is refused. What stands in a move is not the
 * storage's to know.
 */
import type { Access } from "./storage.ts";

/** Who plays: a username of a principal. What they were asked and how well they know it belongs to both together. */
export type PlayerName = { readonly principal: string; readonly username: string };

export type StoredGame = {
  readonly gameId: string;
  readonly player: PlayerName;
  /** The session in which it is played, and with which it is deleted. */
  readonly sessionId: string | null;
  readonly createdAt: number;
  /** When its newest move was made. */
  readonly updatedAt: number;
  /** What it was begun with, as JSON. */
  readonly settings: string;
  /** Each as JSON, oldest first. */
  readonly moves: readonly string[];
};

export type NewGame = Pick<StoredGame, "gameId" | "player" | "sessionId" | "settings" | "moves">;

export type NewMoves = {
  /** How many there are already, as the caller knows it. */
  readonly after: number;
  readonly moves: readonly string[];
  /** The game is over with these. */
  readonly ended?: EndedGame | undefined;
};

/** What a game that is over counts for. */
export type EndedGame = {
  readonly score: number;
  /** Where it is held against those of others; nowhere, where there are none. */
  readonly boards: readonly Board[];
};

export type Board = {
  readonly name: string;
  /** Milliseconds since 1970 after which nobody looks at it any more; null for never. */
  readonly until: number | null;
};

export type BoardEntry = {
  readonly username: string;
  /** The best of all games of the player on this board. */
  readonly score: number;
  /** How many games that were. */
  readonly games: number;
};

/** How well somebody answers, or how hard a fact is, by the answers that were given. */
export type Rating = { readonly rating: number; readonly answers: number };

export type RatedAnswer = {
  readonly show: string;
  readonly fact: string;
  /** By how much the ratings change; those that nobody has yet begin at 0. */
  readonly playerChange: number;
  readonly factChange: number;
};

export type StoredPlayer = PlayerName & {
  readonly games: number;
  /** When something of the player was stored last. */
  readonly updatedAt: number;
};

export interface GameStore {
  /**
   * Stores a game with its first moves, and its player and principal where they are new. One of that id stays as it is:
   * gives whether the game is new.
   *
   * @throws Problem `session_not_found` when the session in which it is to be played is not the principal's any more
   */
  create(game: NewGame): Promise<boolean>;
  /** Not-yours is `game_not_found`, as it is with sessions. @throws Problem `game_not_found` */
  read(access: Access, gameId: string): Promise<StoredGame>;
  /** The game that was begun last in a session, unless it is over; asked with every prompt. @throws Problem `session_not_found` */
  runningIn(access: Access, sessionId: string): Promise<StoredGame | undefined>;
  /**
   * Adds moves, durably and together. False when there are others by now: then nothing was added. With the moves that end
   * the game its score is counted, once, at the latest by `expire`.
   *
   * @throws Problem `game_not_found`
   */
  append(access: Access, gameId: string, moves: NewMoves): Promise<boolean>;
  /** Every fact that the player was asked for in any game, and may not be asked for again. */
  asked(player: PlayerName): Promise<ReadonlySet<string>>;
  /** Takes a fact for the player: true once. What is taken and then not asked is lost to the player, which does no harm. */
  takeFact(player: PlayerName, fact: string): Promise<boolean>;
  /** Takes a day for a game of the player. Gives the id of the game that has it: this one, or an earlier one. */
  takeDay(player: PlayerName, day: string, gameId: string): Promise<string>;
  /** How well the player answers; 0 after no answers where nobody knows. */
  rating(player: PlayerName): Promise<Rating>;
  /** How hard the facts of a show are, of those that were answered. */
  factRatings(show: string): Promise<ReadonlyMap<string, Rating>>;
  /** Counts an answer for the ratings; where the process dies, it may be missing there. */
  rate(player: PlayerName, answer: RatedAnswer): Promise<void>;
  /** The best of a board, best first. */
  best(board: string, limit: number): Promise<readonly BoardEntry[]>;
  /**
   * Deletes games that are in no session, and players, of whom nothing was stored for the time that sessions are kept; boards that nobody
   * looks at any more; and what a dead process left half done. Works in small steps; to be called now and then. What is
   * left when the signal fires, the next call finds. Gives how many games that were.
   */
  expire(signal: AbortSignal): Promise<number>;
}
