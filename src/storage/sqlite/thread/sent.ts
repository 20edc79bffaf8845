/** The SQL of requests that are sent once: which turn a client's key made. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import { idempotencyKeyReused } from "../../../protocol/refusals.ts";
import { type NewTurn, type SendOnce, sendOnceMs } from "../../storage.ts";

type SentRow = { readonly fingerprint: string; readonly turn: number };

/** So many outdated keys go with each new one: more than come, so that they become fewer. */
const removedPerKey = 8;

/**
 * The turn that a request with this key made within the time that keys are known.
 *
 * @throws Problem `idempotency_key_reused`, from the function that it gives
 */
export function sentFinder(database: DatabaseSync) {
  const find = database.prepare("SELECT fingerprint, turn FROM sent WHERE session = ? AND key = ? AND created_at > ?");
  return (session: number, ask: NewTurn["ask"], once: SendOnce, now: number): number | undefined => {
    const row = find.get(session, storedKey(ask, once), now - sendOnceMs) as SentRow | undefined;
    if (row !== undefined && row.fingerprint !== once.fingerprint) throw idempotencyKeyReused();
    return row?.turn;
  };
}

export function sentWriter(database: DatabaseSync) {
  const insert = database.prepare(
    "INSERT OR REPLACE INTO sent (session, key, fingerprint, turn, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  const removeOldest = database.prepare(`
    DELETE FROM sent WHERE (session, key) IN (
      SELECT session, key FROM sent WHERE created_at <= ? ORDER BY created_at LIMIT ${removedPerKey}
    )
  `);
  return (session: number, ask: NewTurn["ask"], once: SendOnce, turn: number, now: number): void => {
    insert.run(session, storedKey(ask, once), once.fingerprint, turn, now);
    removeOldest.run(now - sendOnceMs);
  };
}

/** A key for one route says nothing about another one. */
function storedKey({ kind }: NewTurn["ask"], { key }: SendOnce): string {
  return `${kind} ${key}`;
}
