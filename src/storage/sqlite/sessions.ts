import { setTimeout as delay } from "node:timers/promises";
import type { LiveTurns } from "../live/live-turns.ts";
import type { Retention, SessionStore } from "../storage.ts";
import type { Database } from "./database.ts";
import type { LeaseKey } from "./thread/running-turns.ts";

/** Milliseconds between two steps of expiry, which leave the disk and the writer to others. */
const stepPause = 20;

export type SessionStoreOptions = {
  readonly database: Database;
  readonly liveTurns: LiveTurns<LeaseKey>;
  readonly clock: () => number;
  readonly retention: Retention;
};

export function sessionStore({ database, liveTurns, clock, retention }: SessionStoreOptions): SessionStore {
  /** Deletes what is left of long sessions that were deleted. */
  async function purge(): Promise<void> {
    while (!(await database.write("purgeDeleted", {})));
  }

  return {
    open: (session) => database.write("openSession", { session, now: clock() }),
    isKnown: (principal) => database.read("isKnown", { principal }),
    read: (access, sessionId) => database.read("readSession", { access, sessionId }),
    list: (principal, listing) => database.read("listSessions", { principal, listing }),
    change: (access, sessionId, changes) => database.write("changeSession", { access, sessionId, changes }),
    claimTitle: (access, sessionId) => database.write("claimTitle", { access, sessionId }),
    giveTitle: (access, sessionId, title) => database.write("giveTitle", { access, sessionId, title }),
    async delete(access, sessionId) {
      const isWhole = await database.write("deleteSession", { access, sessionId, now: clock() });
      liveTurns.deleted(sessionId);
      if (!isWhole) await purge();
    },
    async expire(signal) {
      // What an earlier process had begun to delete.
      await purge();
      const cutoff = (now: number, kept: number | undefined) => (kept === undefined ? undefined : now - kept);
      for (let count = 0; ; ) {
        const now = clock();
        const cutoffs = { guests: cutoff(now, retention.guestMs), others: cutoff(now, retention.otherMs) };
        const { sessionIds, isAll, isWhole } = await database.write("expireSessions", { cutoffs, now });
        for (const sessionId of sessionIds) liveTurns.deleted(sessionId);
        count += sessionIds.length;
        if (!isWhole) await purge();
        if (isAll || signal.aborted) return count;
        await delay(stepPause);
      }
    },
  };
}
