import type { KeyStore, StoredKey } from "../storage.ts";
import type { Reply } from "./connection.ts";
import { notDurable } from "./failures.ts";
import { programKeysKey } from "./keys.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";

/** What is stored of a key when it is made, and never changes. */
type KeyFacts = Omit<StoredKey, "id" | "revokedAt">;

const prefixes = { facts: "key:", revoked: "revoked:" } as const;

export function keyStore(server: Server, clock: () => number): KeyStore {
  async function find(id: string): Promise<StoredKey | undefined> {
    const fields = [prefixes.facts + id, prefixes.revoked + id];
    const [facts, revoked] = listOf(await server.read(["HMGET", programKeysKey, ...fields]));
    return keyFrom(id, facts, revoked);
  }

  return {
    find,

    async add({ id, ...given }) {
      const facts: KeyFacts = { ...given, createdAt: clock() };
      const command = ["HSETNX", programKeysKey, prefixes.facts + id, JSON.stringify(facts)];
      const { reply, isDurable } = await server.write(command);
      if (reply !== 1) throw new Error(`There is a key ${id} already`);
      if (!isDurable) throw notDurable();
      return { id, ...facts, revokedAt: null };
    },

    async list() {
      const entries = listOf(await server.read(["HGETALL", programKeysKey]));
      const fields = new Map<string, Reply>();
      for (let index = 0; index < entries.length; index += 2) {
        fields.set(String(entries[index]), entries[index + 1] ?? null);
      }
      const keys = [...fields].flatMap(([name, facts]) => {
        if (!name.startsWith(prefixes.facts)) return [];
        const id = name.slice(prefixes.facts.length);
        return keyFrom(id, facts, fields.get(prefixes.revoked + id)) ?? [];
      });
      return keys.sort((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1));
    },

    async revoke(id) {
      const call = { script: scripts["revoke-key"], key: programKeysKey, values: [id, String(clock())] };
      const { isDurable } = await server.write(call);
      if (!isDurable) throw notDurable();
      return find(id);
    },
  };
}

function keyFrom(id: string, facts: Reply | undefined, revoked: Reply | undefined): StoredKey | undefined {
  if (typeof facts !== "string") return undefined;
  const revokedAt = revoked === undefined || revoked === null ? null : Number(revoked);
  return { id, ...(JSON.parse(facts) as KeyFacts), revokedAt };
}
