/** The SQL of keys. Runs in a database thread, or in a command beside the server. */
import type { DatabaseSync } from "node:sqlite";
import type { NewKey, StoredKey } from "../../key-store.ts";

type KeyRow = {
  readonly id: string;
  readonly hash: string;
  readonly owner: string;
  readonly scopes: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
};

export function keyReads(database: DatabaseSync) {
  const find = database.prepare("SELECT * FROM keys WHERE id = ?");
  const list = database.prepare("SELECT * FROM keys ORDER BY created_at, id");
  return {
    findKey({ id }: { id: string }): StoredKey | undefined {
      const row = find.get(id) as KeyRow | undefined;
      return row && keyFrom(row);
    },
    listKeys: (_: object): StoredKey[] => (list.all() as KeyRow[]).map(keyFrom),
  };
}

export function keyWrites(database: DatabaseSync) {
  const add = database.prepare(`
    INSERT INTO keys (id, hash, owner, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING *
  `);
  const revoke = database.prepare("UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ? RETURNING *");
  return {
    addKey({ key, now }: { key: NewKey; now: number }): StoredKey {
      const { id, hash, owner, scopes, expiresAt } = key;
      return keyFrom(add.get(id, hash, owner, scopes.join(" "), now, expiresAt) as KeyRow);
    },
    revokeKey({ id, now }: { id: string; now: number }): StoredKey | undefined {
      const row = revoke.get(now, id) as KeyRow | undefined;
      return row && keyFrom(row);
    },
  };
}

function keyFrom({ id, hash, owner, scopes, created_at, expires_at, revoked_at }: KeyRow): StoredKey {
  const times = { createdAt: created_at, expiresAt: expires_at, revokedAt: revoked_at };
  return { id, hash, owner, scopes: scopes.split(" "), ...times };
}
