/** What a caller spent: by day and username, with what that costs where the operator says. */
import type { UsageEntry, UsageList } from "../protocol/usage.ts";
import { dayMs, type UsageQuery, type UsageRow, type UsageStore } from "../storage/usage-store.ts";

/** In one currency, for a million tokens. */
export type Price = { readonly input: number; readonly output: number };

export type Prices = {
  /** As in ISO 4217. */
  readonly currency: string;
  readonly models: Readonly<Record<string, Price>>;
};

/** So many rows of the storage are read for one answer: a megabyte of it. */
const mostRows = 10_000;

/** @param prices undefined where nobody set any: none is made up */
export async function listUsage(
  store: UsageStore,
  principal: string,
  query: Omit<UsageQuery, "limit">,
  prices: Prices | undefined,
): Promise<UsageList> {
  const rows = await store.read(principal, { ...query, limit: mostRows + 1 });
  const hasMore = rows.length > mostRows;
  const groups = grouped(rows);
  // The last one may lack some of its models.
  if (hasMore) groups.pop();
  return {
    usage: groups.map((group) => entryOf(group, prices)),
    ...(prices !== undefined && { currency: prices.currency }),
    has_more: hasMore,
  };
}

export function dayFrom(date: string): number {
  return Date.parse(date) / dayMs;
}

export function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}

type Group = [UsageRow, ...UsageRow[]];

/** Rows of the same day and username stand together. */
function grouped(rows: readonly UsageRow[]): Group[] {
  const groups: Group[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0].day === row.day && last[0].username === row.username) last.push(row);
    else groups.push([row]);
  }
  return groups;
}

function entryOf(rows: Group, prices: Prices | undefined): UsageEntry {
  const sum = (count: (row: UsageRow) => number) => rows.reduce((total, row) => total + count(row), 0);
  const cost = prices && costOf(rows, prices);
  return {
    day: dateOf(rows[0].day),
    username: rows[0].username,
    turns: sum(({ turns }) => turns),
    input_tokens: sum(({ inputTokens }) => inputTokens),
    output_tokens: sum(({ outputTokens }) => outputTokens),
    ...(rows.some(({ estimated }) => estimated) && { estimated: true }),
    ...(cost !== undefined && { cost }),
  };
}

/** To a millionth; undefined where a model has no price. */
function costOf(rows: Group, { models }: Prices): number | undefined {
  let total = 0;
  for (const { model, inputTokens, outputTokens } of rows) {
    if (!Object.hasOwn(models, model)) return undefined;
    const price = models[model];
    if (price === undefined) return undefined;
    total += inputTokens * price.input + outputTokens * price.output;
  }
  return Math.round(total) / 1_000_000;
}
