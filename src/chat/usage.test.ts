import { expect, test } from "vitest";
import type { UsageRow, UsageStore } from "../storage/storage.ts";
import { dayFrom, listUsage, type Prices } from "./usage.ts";

const day = dayFrom("2026-11-28");
const row = { day, username: "TR", model: "small", turns: 1, inputTokens: 1_000, outputTokens: 500, estimated: false };
const prices: Prices = {
  currency: "EUR",
  models: { small: { input: 0.5, output: 1.5 }, large: { input: 10, output: 30.3 }, free: { input: 0, output: 0 } },
};

function usageOf(rows: readonly UsageRow[], priced: Prices | "none" = prices) {
  const store: UsageStore = {
    today: day,
    read: async (_principal, { limit }) => rows.slice(0, limit),
    tokens: async () => 0,
    countTitle: async () => undefined,
    prune: async () => undefined,
  };
  return listUsage(store, "guest:a", { from: 0, to: day }, priced === "none" ? undefined : priced);
}

test("models of one day and username are told together, with their cost", async () => {
  const large = { ...row, model: "large", turns: 2, inputTokens: 3, outputTokens: 1, estimated: true };
  expect(await usageOf([row, large, { ...row, username: "Zoë" }])).toEqual({
    usage: [
      {
        day: "2026-11-28",
        username: "TR",
        turns: 3,
        input_tokens: 1_003,
        output_tokens: 501,
        estimated: true,
        cost: 0.00131,
      },
      { day: "2026-11-28", username: "Zoë", turns: 1, input_tokens: 1_000, output_tokens: 500, cost: 0.00125 },
    ],
    currency: "EUR",
    has_more: false,
  });
});

test("a model that costs nothing is known to; one without a price leaves the cost out, also beside others", async () => {
  const free = { ...row, model: "free" };
  expect((await usageOf([free])).usage[0]).toMatchObject({ cost: 0 });
  for (const model of ["new", "toString"]) {
    expect((await usageOf([free, { ...row, model }])).usage[0]).not.toHaveProperty("cost");
  }
});

test("without prices there is neither a cost nor a currency", async () => {
  const list = await usageOf([row], "none");
  expect(list).not.toHaveProperty("currency");
  expect(list.usage[0]).not.toHaveProperty("cost");
});

test("what is too much for one answer says so, and its last username is not told in part", async () => {
  const many = Array.from({ length: 10_002 }, (_, index) => ({ ...row, username: `${Math.floor(index / 3)}` }));
  const { usage, has_more } = await usageOf(many);
  expect(has_more).toBe(true);
  expect(usage).toHaveLength(3_333);
  expect(usage.every(({ turns }) => turns === 3)).toBe(true);
});
