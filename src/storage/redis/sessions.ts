import { Problem } from "../../protocol/problems.ts";
import type { LiveTurns } from "../live/live-turns.ts";
import type { Access, Session, SessionPlace, SessionStore } from "../storage.ts";
import type { Expiry } from "./expiry.ts";
import { notDurable } from "./failures.ts";
import { gameKey, movesKey, placesKey, principalKey, sessionKey, sessionListKey } from "./keys.ts";
import { leavePlace } from "./places.ts";
import { checkFound, type List, listOf, sessionFrom } from "./rows.ts";
import { grantValues, scripts } from "./script.ts";
import type { Server } from "./server.ts";

export type SessionStoreOptions = {
  readonly server: Server;
  readonly liveTurns: LiveTurns;
  readonly expiry: Expiry;
  readonly clock: () => number;
};

export function sessionStore({ server, liveTurns, expiry, clock }: SessionStoreOptions): SessionStore {
  async function deleteSession(access: Access, sessionId: string): Promise<void> {
    const grant = grantValues(access);
    // Before the session, by which they are found.
    const listing = { script: scripts["session-games"], key: sessionKey(sessionId), values: grant };
    const [, , played] = checkFound(await server.read(listing), sessionId);
    await deleteGames(server, listOf(played));
    const values = [sessionId, ...grant];
    const call = { script: scripts["delete-session"], key: sessionKey(sessionId), values };
    const { reply, isDurable } = await server.write(call);
    const [, owner, username, begun] = checkFound(reply, sessionId);
    liveTurns.deleted(sessionId);
    await deleteGames(server, listOf(begun));
    server.note(["ZREM", sessionListKey(String(owner), String(username)), sessionId]);
    server.note(leavePlace(placesKey(String(owner), String(username)), sessionId));
    if (!isDurable) throw new Problem("not_durable", "The deletion has not reached every replica yet.");
  }

  return {
    async open({ sessionId, principal, username, title, instructions }) {
      const now = clock();
      const optional = Object.entries({ title, instructions }).flatMap(([name, value]) =>
        value === null ? [] : [name, value],
      );
      const values = [principal, username, String(now), ...optional];
      const { isDurable } = await server.write({ script: scripts["open-session"], key: sessionKey(sessionId), values });
      // Second, so that whoever could not open a session is not known by it; a session that nobody was told of is no harm.
      const listed = [String(now), username, sessionId];
      const list = { script: scripts["add-to-list"], key: principalKey(principal), values: listed };
      const known = await server.write(list);
      expiry.note(sessionId);
      if (!isDurable || !known.isDurable) throw notDurable();
      return {
        sessionId,
        owner: principal,
        username,
        title,
        titled: title === null ? "no" : "final",
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

    async list(principal, { username, limit, after }) {
      const key = principalKey(principal);
      const found: { readonly session: Session; readonly place: SessionPlace }[] = [];
      let place = after;
      while (found.length <= limit) {
        const values = [username, String(limit + 1), String(place?.updatedAt ?? "+inf"), place?.sessionId ?? ""];
        const entries = listOf(await server.read({ script: scripts["read-list"], key, values }));
        const ids = entries.filter((_, index) => index % 2 === 0).map(String);
        const grant = grantValues({ by: "owner", principal });
        const reads = ids.map((id) => ({ script: scripts["read-session"], key: sessionKey(id), values: grant }));
        const replies = await Promise.all(reads.map((call) => server.read(call)));
        for (const [index, reply] of replies.entries()) {
          const sessionId = ids[index] as string;
          place = { sessionId, updatedAt: Number(entries[2 * index + 1]) };
          // Its list was not reached when it was deleted.
          if (listOf(reply)[0] === "session_not_found")
            server.note(["ZREM", sessionListKey(principal, username), sessionId]);
          else found.push({ session: sessionFrom(sessionId, reply), place });
        }
        if (ids.length <= limit) break;
      }
      const page = found.slice(0, limit);
      return {
        sessions: page.map(({ session }) => session),
        // By where it stands in the list, which hears of what a session does a moment later than the session.
        next: found.length > limit ? page.at(-1)?.place : undefined,
      };
    },

    async change(access, sessionId, changes) {
      const fields = Object.entries({
        ...changes,
        ...(changes.pinned !== undefined && { pinned: Number(changes.pinned) }),
        ...(changes.title !== undefined && { titled: "final" }),
      });
      const values = fields.flatMap(([name, value]) => (value === null ? [name, "0", ""] : [name, "1", String(value)]));
      const call = {
        script: scripts["change-session"],
        key: sessionKey(sessionId),
        values: [...values, ...grantValues(access)],
      };
      const { reply, isDurable } = await server.write(call);
      const session = sessionFrom(sessionId, checkFound(reply, sessionId));
      if (changes.pinned !== undefined) expiry.note(sessionId);
      if (!isDurable) throw notDurable();
      return session;
    },

    async claimTitle(access, sessionId) {
      const { reply, isDurable } = await server.write(titleCall("claim-title", access, sessionId));
      const [isClaimed] = checkFound(reply, sessionId);
      if (!isDurable) throw notDurable();
      return isClaimed === 1;
    },

    async giveTitle(access, sessionId, title) {
      const { reply } = await server.write(titleCall("give-title", access, sessionId, title));
      const [isGiven] = checkFound(reply, sessionId);
      return isGiven === 1;
    },

    delete: (access, sessionId) => server.whole(() => deleteSession(access, sessionId)),

    expire: (signal) => expiry.walk(signal),
  };
}

async function deleteGames(server: Server, ids: List): Promise<void> {
  if (ids.length === 0) return;
  await server.writeAll(ids.map((id) => ["UNLINK", gameKey(String(id)), movesKey(String(id))]));
}

function titleCall(name: "claim-title" | "give-title", access: Access, sessionId: string, ...values: string[]) {
  return { script: scripts[name], key: sessionKey(sessionId), values: [...values, ...grantValues(access)] };
}
