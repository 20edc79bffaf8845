/** The SQL of what has outlived its retention. Runs in the writer's thread, a little at a time. */
import type { DatabaseSync } from "node:sqlite";
import type { SessionRemover } from "./deletion.ts";
import type { SessionRow } from "./sessions.ts";

/** How much is deleted together: sessions, bytes of their text, and guests. */
const most = { sessions: 20, bytes: 1_000_000, guests: 500 };

/** Milliseconds since 1970: what was idle since then or longer goes. */
export type Cutoffs = {
  readonly guests: number | undefined;
  readonly others: number | undefined;
};

export type Expired = {
  readonly sessionIds: readonly string[];
  /** Whether nothing more has outlived its retention. */
  readonly isAll: boolean;
  /** False where turns are left for `purgeDeleted`. */
  readonly isWhole: boolean;
};

type OldRow = Pick<SessionRow, "key" | "session_id" | "owner" | "username">;

export function expiryWrites(database: DatabaseSync, remove: SessionRemover) {
  // The condition on the owner is that of the index, so that it costs what it finds.
  const findOld = database.prepare(`
    SELECT key, session_id, owner, username FROM sessions
    WHERE pinned = 0 AND (substr(owner, 1, 6) = 'guest:') = ? AND updated_at <= ?
    AND NOT EXISTS (SELECT 1 FROM turns WHERE session = key AND status = 'running')
    AND NOT EXISTS (SELECT 1 FROM turns WHERE session = key AND status = 'queued')
    ORDER BY updated_at LIMIT ?
  `);
  const forgetGuests = database.prepare(`
    DELETE FROM principals WHERE principal IN (
      SELECT principal FROM principals
      WHERE idle_since IS NOT NULL AND substr(principal, 1, 6) = 'guest:' AND idle_since <= ?
      ORDER BY idle_since LIMIT ?
    )
  `);

  function oldest(isGuest: 0 | 1, cutoff: number | undefined): readonly OldRow[] {
    return cutoff === undefined ? [] : (findOld.all(isGuest, cutoff, most.sessions + 1) as OldRow[]);
  }

  return {
    expireSessions({ cutoffs: { guests, others }, now }: { cutoffs: Cutoffs; now: number }): Expired {
      const old = [...oldest(1, guests), ...oldest(0, others)];
      const sessionIds: string[] = [];
      let bytes = 0;
      let isWhole = true;
      for (const row of old) {
        if (sessionIds.length === most.sessions || bytes >= most.bytes || !isWhole) break;
        const removed = remove.session(row, now);
        bytes += removed.bytes;
        isWhole = removed.isWhole;
        sessionIds.push(row.session_id);
      }
      if (sessionIds.length > 0) remove.fromJournal();
      const forgotten = guests === undefined ? 0 : Number(forgetGuests.run(guests, most.guests).changes);
      return { sessionIds, isAll: sessionIds.length === old.length && forgotten < most.guests, isWhole };
    },
  };
}
