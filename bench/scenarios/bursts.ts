/** Answers that come as fast as they go, as from a cache or a very fast model. */
import { compare, compareFigure, isDisturbed } from "../measuring/comparison.ts";
import { comparisonTable, conditionsRemark, threadsRemark } from "../reporting/comparison-table.ts";
import { times } from "../reporting/units.ts";
import type { Scenario } from "./scenario.ts";

const load = { streams: 50, tokens: 2_000, intervalMs: 0, spreadMs: 0 };

/** A round is short, so there are more of them. */
const roundsFactor = 3;

const maxRatio = 3;

export const bursts: Scenario = {
  name: "bursts",
  async run({ settings }) {
    const rounds = settings.rounds * roundsFactor;
    const { cpuProfiles } = settings;
    const comparison = await compare({ load, warmUp: load, rounds, extraRounds: rounds, cpuProfiles });
    const cost = compareFigure(comparison, (round) => round.cpuPerToken);
    return {
      title: `Bursts: ${load.streams} streams of ${load.tokens.toLocaleString("en")} tokens at once`,
      about:
        "The provider sends each token as an event and HTTP chunk of its own, without a pause. Latency is mostly waiting in line.",
      tables: [comparisonTable(comparison)],
      bounds: [
        {
          what: "CPU per token in bursts",
          measured: cost.ratio,
          atMost: maxRatio,
          write: times,
        },
      ],
      remarks: [threadsRemark(comparison), conditionsRemark(comparison)],
      charts: [],
      isDisturbed: isDisturbed(comparison),
      costs: [{ label: "bursts", ...cost, atMost: maxRatio }],
    };
  },
};
