/** The SQL of tokens. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import { guestPrincipalPrefix } from "../../storage.ts";
import { dayOf, type Spent, sumDays, type UsageQuery, type UsageRow } from "../../usage-store.ts";
import type { Checkpoints } from "./checkpoints.ts";

/** How many rows of a table are deleted together. */
const mostRows = 500;

/** Whose session a turn was in. */
export type Whose = { readonly owner: string; readonly username: string };

export type CountSpent = (whose: Whose, spent: Spent, now: number) => void;

/** To be called in the transaction that ends the turn. */
export function spentCounter(database: DatabaseSync): CountSpent {
  const addUsage = database.prepare(`
    INSERT INTO usage (principal, day, username, model, turns, input_tokens, output_tokens, estimated)
    SELECT ?1, ?2, ?3, ?4, 1, ?5, ?6, ?7 FROM principals WHERE principal = ?1
    ON CONFLICT DO UPDATE SET turns = turns + 1, input_tokens = input_tokens + excluded.input_tokens,
      output_tokens = output_tokens + excluded.output_tokens, estimated = max(estimated, excluded.estimated)
  `);
  const addTokens = database.prepare(`
    INSERT INTO spent_tokens VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens
  `);
  return ({ owner, username }, { model, inputTokens, outputTokens, estimated }, now) => {
    const day = dayOf(now);
    const tokens = inputTokens + outputTokens;
    addUsage.run(owner, day, username, model, inputTokens, outputTokens, estimated ? 1 : 0);
    addTokens.run(owner, day, tokens);
    if (owner.startsWith(guestPrincipalPrefix)) addTokens.run(guestPrincipalPrefix, day, tokens);
  };
}

export type FindTokens = (principal: string, day: number) => number;

export function tokenFinder(database: DatabaseSync): FindTokens {
  const find = database.prepare("SELECT tokens FROM spent_tokens WHERE principal = ? AND day = ?");
  return (principal, day) => (find.get(principal, day) as { tokens: number } | undefined)?.tokens ?? 0;
}

export function usageReads(database: DatabaseSync) {
  const find = tokenFinder(database);
  const select = database.prepare(`
    SELECT day, username, model, turns, input_tokens AS inputTokens, output_tokens AS outputTokens, estimated
    FROM usage WHERE principal = ? AND day BETWEEN ? AND ? AND username = ifnull(?, username)
    ORDER BY day DESC, username, model LIMIT ?
  `);
  return {
    readUsage({ principal, query }: { principal: string; query: UsageQuery }): UsageRow[] {
      const { from, to, username, limit } = query;
      const rows = select.all(principal, from, to, username ?? null, limit) as StoredRow[];
      return rows.map((row) => ({ ...row, estimated: row.estimated === 1 }));
    },
    readTokens: ({ principal, day }: { principal: string; day: number }): number => find(principal, day),
  };
}

export function usageWrites(database: DatabaseSync, checkpoints: Checkpoints) {
  const forget = database.prepare(`
    DELETE FROM usage WHERE (principal, day, username, model) IN (
      SELECT principal, day, username, model FROM usage
      WHERE principal = ? AND username = ifnull(?, username) LIMIT ${mostRows}
    )
  `);
  const pruneUsage = database.prepare(`
    DELETE FROM usage WHERE (principal, day, username, model) IN (
      SELECT principal, day, username, model FROM usage WHERE day < ? LIMIT ${mostRows}
    )
  `);
  const pruneTokens = database.prepare(`
    DELETE FROM spent_tokens WHERE (principal, day) IN (
      SELECT principal, day FROM spent_tokens WHERE day < ? LIMIT ${mostRows}
    )
  `);

  /** Whether that was all. */
  function isAll(...changes: readonly (number | bigint)[]): boolean {
    if (changes.some((count) => count > 0)) checkpoints.emptySoon();
    return changes.every((count) => count < mostRows);
  }

  return {
    forgetUsage: ({ principal, username }: { principal: string; username: string | undefined }): boolean =>
      isAll(forget.run(principal, username ?? null).changes),

    pruneUsage({ today, usageDays }: { today: number; usageDays: number | undefined }): boolean {
      const old = usageDays === undefined ? 0 : pruneUsage.run(today - usageDays).changes;
      return isAll(old, pruneTokens.run(today - sumDays).changes);
    },
  };
}

type StoredRow = Omit<UsageRow, "estimated"> & { readonly estimated: number };
