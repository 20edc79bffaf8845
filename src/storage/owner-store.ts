/**
 * CONTRACT of a storage back end, its part for whoever operates the service: who has something stored, and all of it
 * together. No client's request comes here, so there is no access to check.
 */
import { isProblem } from "../protocol/problems.ts";
import type { PlayerName, StoredGame, StoredPlayer } from "./game-store.ts";
import type { SessionStore } from "./session-store.ts";

/** The sessions of one principal under one username. */
export type SessionGroup = {
  readonly principal: string;
  readonly username: string;
  readonly sessions: number;
  /** The newest activity, in milliseconds since 1970. */
  readonly updatedAt: number;
};

/** All sessions of a principal, all of a username, or those of both. */
export type Whose = { readonly principal?: string | undefined; readonly username?: string | undefined };

export type OwnedSession = {
  readonly sessionId: string;
  readonly principal: string;
  readonly username: string;
};

export interface OwnerStore {
  /** Whose sessions there are, in pages and no particular order; a group may come twice where sessions come and go meanwhile. */
  groups(): AsyncIterable<readonly SessionGroup[]>;
  /** In pages and no particular order. Each that is there all the time is given, whatever else is deleted meanwhile. */
  sessions(whose: Whose): AsyncIterable<readonly OwnedSession[]>;
  /** Who has something of the game stored, in pages and no particular order. */
  players(whose: Whose): AsyncIterable<readonly StoredPlayer[]>;
  /** All games of a player, in pages, oldest first. */
  games(player: PlayerName): AsyncIterable<readonly StoredGame[]>;
  /** Deletes all that is stored of a player: games, scores, and what was asked. */
  forgetPlayer(player: PlayerName): Promise<void>;
  /** Forgets that a principal ever opened a session; not one that owns something, of whom it gives false. */
  forget(principal: string): Promise<boolean>;
  /**
   * Deletes what a principal's turns cost, or only those under one username. The sums that budgets are held against stay:
   * nobody gets anything back by it.
   */
  forgetUsage(principal: string, username?: string | undefined): Promise<void>;
}

/**
 * Deletes all of these sessions, those too that are opened meanwhile, what was played, and then, where all of a principal's were meant, the
 * principal; and what their turns cost. Running turns are stopped first: nothing of them can be written later. Gives how many
 * sessions that were.
 *
 * @throws Problem as the storage does; what was deleted by then is gone
 */
export async function deleteAllOf(
  { owners, sessions }: { readonly owners: OwnerStore; readonly sessions: Pick<SessionStore, "delete"> },
  whose: Whose,
): Promise<number> {
  if (whose.principal === undefined && whose.username === undefined)
    throw new Error("Everybody's sessions are not meant");
  let count = 0;
  const spenders = new Set(whose.principal === undefined ? [] : [whose.principal]);
  for (let isAll = false; !isAll; ) {
    isAll = true;
    for await (const page of owners.sessions(whose)) {
      for (const { sessionId, principal } of page) {
        spenders.add(principal);
        try {
          await sessions.delete({ by: "owner", principal }, sessionId);
          count += 1;
          isAll = false;
        } catch (error) {
          // Somebody else did it.
          if (!isProblem(error, "session_not_found")) throw error;
        }
      }
    }
  }
  for await (const players of owners.players(whose)) for (const player of players) await owners.forgetPlayer(player);
  if (whose.principal !== undefined && whose.username === undefined) await owners.forget(whose.principal);
  // Last: what a turn cost that was stopped just now is counted for nobody who is forgotten.
  for (const principal of spenders) await owners.forgetUsage(principal, whose.username);
  return count;
}
