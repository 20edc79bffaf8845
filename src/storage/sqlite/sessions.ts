import type { LiveTurns } from "../live/live-turns.ts";
import type { SessionStore } from "../storage.ts";
import type { Database } from "./database.ts";
import type { LeaseKey } from "./thread/running-turns.ts";

export function sessionStore(database: Database, liveTurns: LiveTurns<LeaseKey>, clock: () => number): SessionStore {
  return {
    open: (session) => database.write("openSession", { session, now: clock() }),
    isKnown: (principal) => database.read("isKnown", { principal }),
    read: (access, sessionId) => database.read("readSession", { access, sessionId }),
    list: (principal, listing) => database.read("listSessions", { principal, listing }),
    change: (access, sessionId, changes) => database.write("changeSession", { access, sessionId, changes }),
    claimTitle: (access, sessionId) => database.write("claimTitle", { access, sessionId }),
    giveTitle: (access, sessionId, title) => database.write("giveTitle", { access, sessionId, title }),
    async delete(access, sessionId) {
      await database.write("deleteSession", { access, sessionId });
      liveTurns.deleted(sessionId);
    },
  };
}
