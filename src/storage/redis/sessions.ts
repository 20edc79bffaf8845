import { Problem } from "../../protocol/problems.ts";
import type { LiveTurns } from "../live/live-turns.ts";
import type { SessionStore } from "../storage.ts";
import { notDurable } from "./failures.ts";
import { principalKey, sessionKey } from "./keys.ts";
import { checkFound, sessionFrom } from "./rows.ts";
import { grantValues, scripts } from "./script.ts";
import type { Server } from "./server.ts";

export function sessionStore(server: Server, liveTurns: LiveTurns, clock: () => number): SessionStore {
  return {
    async open({ sessionId, principal, username, title, instructions }) {
      const now = clock();
      const optional = Object.entries({ title, instructions }).flatMap(([name, value]) =>
        value === null ? [] : [name, value],
      );
      const values = [principal, username, String(now), ...optional];
      const { isDurable } = await server.write({ script: scripts["open-session"], key: sessionKey(sessionId), values });
      // Second, so that whoever could not open a session is not known by it; a session that nobody was told of is no harm.
      const known = await server.write(["SET", principalKey(principal), String(now), "NX"]);
      if (!isDurable || !known.isDurable) throw notDurable();
      return {
        sessionId,
        username,
        title,
        instructions,
        pinned: false,
        createdAt: now,
        updatedAt: now,
        turns: 0,
        queued: 0,
        running: null,
      };
    },

    async isKnown(principal) {
      return (await server.read(["EXISTS", principalKey(principal)])) === 1;
    },

    async read(access, sessionId) {
      const values = grantValues(access);
      const reply = await server.read({ script: scripts["read-session"], key: sessionKey(sessionId), values });
      return sessionFrom(sessionId, checkFound(reply, sessionId));
    },

    async delete(access, sessionId) {
      const values = [sessionId, ...grantValues(access)];
      const call = { script: scripts["delete-session"], key: sessionKey(sessionId), values };
      const { reply, isDurable } = await server.write(call);
      checkFound(reply, sessionId);
      liveTurns.deleted(sessionId);
      if (!isDurable) throw new Problem("not_durable", "The deletion has not reached every replica yet.");
    },
  };
}
