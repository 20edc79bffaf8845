/** Whose sessions there are, by the lists of them. */
import type { OwnedSession, OwnerStore, SessionGroup, Whose } from "../storage.ts";
import { everyList, listOwnerOf, principalKey, principalOf, sessionKey, sessionListKey, usageDaysKey } from "./keys.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";
import { keysLike, membersOf } from "./walk.ts";

export function ownerStore(server: Server): OwnerStore {
  /** What there is of a list; what the server deleted is taken out of it. */
  async function existing(key: string, ids: readonly string[]): Promise<readonly string[]> {
    const exist = await Promise.all(ids.map((id) => server.read(["EXISTS", sessionKey(id)])));
    const missing = ids.filter((_, index) => exist[index] === 0);
    if (missing.length > 0) await server.write(["ZREM", key, ...missing]);
    return ids.filter((_, index) => exist[index] === 1);
  }

  async function groupOf(key: string): Promise<SessionGroup> {
    const { username, ...owner } = listOwnerOf(key);
    const [sessions, newest] = await Promise.all([
      server.read(["ZCARD", key]),
      server.read(["ZREVRANGE", key, "0", "0", "WITHSCORES"]),
    ]);
    const updatedAt = Number(listOf(newest)[1] ?? 0);
    return { principal: principalOf(owner.principalKey), username, sessions: Number(sessions), updatedAt };
  }

  async function* listsOf({ principal, username }: Whose): AsyncGenerator<readonly string[]> {
    if (principal !== undefined && username !== undefined) {
      yield [sessionListKey(principal, username)];
      return;
    }
    const pattern =
      principal === undefined
        ? `${principalKey("*")}:sessions:${literally(username ?? "")}`
        : `${literally(principalKey(principal))}:sessions:*`;
    yield* keysLike(server, pattern, "zset");
  }

  return {
    async *groups() {
      for await (const keys of keysLike(server, everyList, "zset")) {
        const groups = await Promise.all(keys.map(groupOf));
        yield groups.filter(({ sessions }) => sessions > 0);
      }
    },

    async *sessions(whose) {
      for await (const keys of listsOf(whose)) {
        for (const key of keys) {
          const { username, ...owner } = listOwnerOf(key);
          const principal = principalOf(owner.principalKey);
          for await (const ids of membersOf(server, key)) {
            const found = await existing(key, ids);
            yield found.map((sessionId): OwnedSession => ({ sessionId, principal, username }));
          }
        }
      }
    },

    async forget(principal) {
      const key = principalKey(principal);
      // Whether a list is there is known by the usernames that it had.
      for await (const keys of listsOf({ principal })) {
        for (const list of keys) {
          const { username } = listOwnerOf(list);
          await server.write({ script: scripts["know-username"], key, values: [username] });
        }
      }
      return (await server.write({ script: scripts["forget-principal"], key, values: [] })).reply === 1;
    },

    async forgetUsage(principal, username) {
      const days = listOf(await server.read(["ZRANGE", usageDaysKey(principal), "0", "-1"])).map(String);
      for (const day of days) {
        const values = username === undefined ? [day] : [day, username];
        await server.write({ script: scripts["forget-usage"], key: principalKey(principal), values });
      }
    },
  };
}

/** A text as a pattern that matches nothing else (https://redis.io/docs/latest/commands/keys/). */
function literally(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, "\\$&");
}
