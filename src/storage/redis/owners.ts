/** Whose sessions there are, by the lists of them. */
import type { StoredPlayer } from "../game-store.ts";
import type { OwnedSession, OwnerStore, SessionGroup, Whose } from "../storage.ts";
import { findGame } from "./games.ts";
import {
  boardKey,
  everyList,
  gameKey,
  listOwnerOf,
  movesKey,
  playerKey,
  principalKey,
  principalOf,
  sessionKey,
  sessionListKey,
  usageDaysKey,
} from "./keys.ts";
import { memberOf } from "./players.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";
import { keysLike, membersOf } from "./walk.ts";

/** How many games are read together. */
const gamesTogether = 20;

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

  async function* playersOf({ principal, username }: Whose): AsyncGenerator<readonly string[]> {
    if (principal !== undefined && username !== undefined) yield [playerKey({ principal, username })];
    else {
      const names = { principal: literally(principal ?? "") || "*", username: literally(username ?? "") || "*" };
      yield* keysLike(server, playerKey(names), "hash");
    }
  }

  async function playerAt(key: string): Promise<StoredPlayer | undefined> {
    const [principal, username, updated] = listOf(
      await server.read(["HMGET", key, "principal", "username", "updated"]),
    );
    if (typeof principal !== "string" || typeof username !== "string") return undefined;
    const { length: games } = await gameIdsOf(key);
    return { principal, username, games, updatedAt: Number(updated) };
  }

  /** Those that are there, oldest first. */
  async function gameIdsOf(key: string): Promise<readonly { id: string; createdAt: number }[]> {
    const list = listOf(await server.read(["HGETALL", key])).map(String);
    const noted = list.flatMap((field, index) =>
      index % 2 === 0 && field.startsWith("game:") ? [{ id: field.slice(5), createdAt: Number(list[index + 1]) }] : [],
    );
    const exist = await Promise.all(noted.map(({ id }) => server.read(["EXISTS", gameKey(id)])));
    return noted.filter((_, index) => exist[index] === 1).sort((one, other) => one.createdAt - other.createdAt);
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

    async *players(whose) {
      for await (const keys of playersOf(whose)) {
        const found = await Promise.all(keys.map(playerAt));
        yield found.flatMap((player) => (player !== undefined && isOf(player, whose) ? [player] : []));
      }
    },

    async *games(player) {
      const ids = (await gameIdsOf(playerKey(player))).map(({ id }) => id);
      const access = { by: "owner", principal: player.principal } as const;
      for (let start = 0; start < ids.length; start += gamesTogether) {
        const page = ids.slice(start, start + gamesTogether);
        const found = await Promise.all(page.map((id) => findGame(server, access, id)));
        yield found.filter((game) => game !== undefined);
      }
    },

    async forgetPlayer(player) {
      const key = playerKey(player);
      const fields = listOf(await server.read(["HKEYS", key])).map(String);
      const namesOf = (prefix: string) =>
        fields.filter((field) => field.startsWith(prefix)).map((field) => field.slice(prefix.length));
      for (const id of namesOf("game:")) await server.write(["UNLINK", gameKey(id), movesKey(id)]);
      // Before the boards, so that no game that is being counted comes onto one afterwards.
      const forget = {
        script: scripts["forget-player"],
        key: principalKey(player.principal),
        values: [player.username],
      };
      await server.write(forget);
      for (const board of namesOf("board:")) {
        const values = [memberOf(player)];
        await server.write({ script: scripts["remove-scores"], key: boardKey(board), values });
      }
    },

    async forget(principal) {
      const key = principalKey(principal);
      // Whether a list or a player is there is known by the usernames that it had.
      for await (const players of playersOf({ principal })) {
        for (const player of players) {
          const found = await playerAt(player);
          if (found === undefined || found.principal !== principal) continue;
          await server.write({ script: scripts["know-username"], key, values: [found.username] });
        }
      }
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

function isOf({ principal, username }: StoredPlayer, whose: Whose): boolean {
  return principal === (whose.principal ?? principal) && username === (whose.username ?? username);
}

/** A text as a pattern that matches nothing else (https://redis.io/docs/latest/commands/keys/). */
function literally(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, "\\$&");
}
