/** The benchmark works: a second of three streams, in which only wholeness counts. */
import { expect, it } from "vitest";
import { compare } from "../bench/measuring/comparison.ts";
import { type Load, playRound } from "../bench/measuring/round.ts";
import { startProvider } from "../bench/provider/provider.ts";
import { comparisonTable } from "../bench/reporting/comparison-table.ts";
import { startPassThrough } from "../bench/targets/proxy.ts";

const load: Load = { streams: 3, tokens: 20, intervalMs: 50, spreadMs: 100 };

it("compares whole streams of the service with whole streams of the pass-through", async () => {
  const warmUp = [{ ...load, intervalMs: 0 }];
  const comparison = await compare({ load, warmUp, rounds: 1, extraRounds: 0, cpuProfiles: undefined });
  expect(comparison.service).toHaveLength(1);
  expect(comparison.baseline).toHaveLength(1);
  const { rows } = comparisonTable(comparison);
  expect(rows.length).toBeGreaterThan(6);
  for (const [label, ...figures] of rows) {
    for (const figure of figures) expect(`${label}: ${figure}`).toMatch(/: [\d.,]+/);
  }
});

it("refuses a stream that brings another text than was sent, or that does not end as complete", async () => {
  const provider = await startProvider();
  const target = await startPassThrough(provider.origin);
  try {
    const deaf = { ...target, newReader: () => ({ take: () => "", isWhole: true }) };
    await expect(playRound(deaf, provider, load)).rejects.toThrow("another text");
    const endless = { ...target, newReader: () => ({ take: () => "", isWhole: false }) };
    await expect(playRound(endless, provider, load)).rejects.toThrow("did not end");
  } finally {
    await target.stop();
    await provider.close();
  }
});
