/** The SQL of who owns what, and of what the operator wants deleted. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import type { OwnedSession, SessionGroup, Whose } from "../../storage.ts";

/** Where a page of groups begins. */
export type GroupPlace = Pick<SessionGroup, "principal" | "username">;

/** A session's row, by whose key the next page begins. */
export type OwnedRow = OwnedSession & { readonly key: number };

/** A deletion that somebody beside the server asked for. */
export type WantedDeletion = { readonly id: number; readonly whose: Whose };

const pageRows = 200;

type WantedRow = { readonly id: number; readonly principal: string | null; readonly username: string | null };

export function ownerReads(database: DatabaseSync) {
  const selectGroups = database.prepare(`
    SELECT owner AS principal, username, count(*) AS sessions, max(updated_at) AS updatedAt
    FROM sessions WHERE (owner, username) > (?, ?) AND owner <> ''
    GROUP BY owner, username ORDER BY owner, username LIMIT ${pageRows}
  `);
  const columns = "key, session_id AS sessionId, owner AS principal, username";
  const selectOfPrincipal = database.prepare(`
    SELECT ${columns} FROM sessions
    WHERE owner = ?1 AND owner <> '' AND (?2 IS NULL OR username = ?2) AND key > ?3 ORDER BY key LIMIT ${pageRows}
  `);
  const selectOfUsername = database.prepare(`
    SELECT ${columns} FROM sessions WHERE username = ? AND owner <> '' AND key > ? ORDER BY key LIMIT ${pageRows}
  `);
  const selectWanted = database.prepare(
    "SELECT id, principal, username FROM wanted_deletions WHERE done_at IS NULL ORDER BY id",
  );
  return {
    listGroups: ({ after }: { after: GroupPlace }): SessionGroup[] =>
      selectGroups.all(after.principal, after.username) as SessionGroup[],

    listOwned({ whose: { principal, username }, after }: { whose: Whose; after: number }): OwnedRow[] {
      const rows =
        principal === undefined
          ? selectOfUsername.all(username ?? "", after)
          : selectOfPrincipal.all(principal, username ?? null, after);
      return rows as OwnedRow[];
    },

    wantedDeletions: (_: object): WantedDeletion[] =>
      (selectWanted.all() as WantedRow[]).map(({ id, principal, username }) => ({
        id,
        whose: { principal: principal ?? undefined, username: username ?? undefined },
      })),
  };
}

export function ownerWrites(database: DatabaseSync) {
  const findOwned = database.prepare(
    "SELECT 1 FROM sessions WHERE owner = ?1 UNION ALL SELECT 1 FROM players WHERE principal = ?1 LIMIT 1",
  );
  const removePrincipal = database.prepare("DELETE FROM principals WHERE principal = ?");
  const finish = database.prepare(
    "UPDATE wanted_deletions SET done_at = ?, sessions = ?, principal = NULL, username = NULL WHERE id = ?",
  );
  return {
    forgetPrincipal({ principal }: { principal: string }): boolean {
      if (findOwned.get(principal) !== undefined) return false;
      removePrincipal.run(principal);
      return true;
    },

    finishDeletion({ id, sessions, now }: { id: number; sessions: number; now: number }): void {
      finish.run(now, sessions, id);
    },
  };
}
