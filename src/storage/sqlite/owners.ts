import type { OwnerStore } from "../storage.ts";
import type { Database } from "./database.ts";
import type { GroupPlace } from "./thread/owners.ts";

export function ownerReader(
  database: Pick<Database, "read">,
): Pick<OwnerStore, "groups" | "sessions" | "players" | "games"> {
  return {
    async *groups() {
      for (let after: GroupPlace = { principal: "", username: "" }; ; ) {
        const page = await database.read("listGroups", { after });
        const last = page.at(-1);
        if (last === undefined) return;
        yield page;
        after = last;
      }
    },
    async *sessions(whose) {
      for (let after = 0; ; ) {
        const page = await database.read("listOwned", { whose, after });
        const last = page.at(-1);
        if (last === undefined) return;
        yield page.map(({ sessionId, principal, username }) => ({ sessionId, principal, username }));
        after = last.key;
      }
    },
    async *players(whose) {
      for (let after = 0; ; ) {
        const page = await database.read("listPlayers", { whose, after });
        const last = page.at(-1);
        if (last === undefined) return;
        yield page.map(({ key: _, ...player }) => player);
        after = last.key;
      }
    },
    async *games(player) {
      for (let after = 0; ; ) {
        const { games, last } = await database.read("listGames", { player, after });
        if (last === undefined) return;
        yield games;
        after = last;
      }
    },
  };
}

export function ownerStore(database: Pick<Database, "read" | "write">, clock: () => number): OwnerStore {
  return {
    ...ownerReader(database),
    forget: (principal) => database.write("forgetPrincipal", { principal }),
    async forgetUsage(principal, username) {
      while (!(await database.write("forgetUsage", { principal, username })));
    },
    async forgetPlayer(player) {
      while (!(await database.write("forgetPlayer", { player, now: clock() })));
    },
  };
}
