/** Answers that come as fast as they go, as from a cache or a very fast model. */
import { compare, shortAnswers } from "../measuring/comparison.ts";
import { costSection } from "../reporting/cost-section.ts";
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
    const warmUp = [...shortAnswers, load];
    const comparison = await compare({ load, warmUp, rounds, extraRounds: rounds, cpuProfiles });
    return costSection(comparison, {
      title: `Bursts: ${load.streams} streams of ${load.tokens.toLocaleString("en")} tokens at once`,
      about:
        "The provider sends each token as an event and HTTP chunk of its own, without a pause. Latency is mostly waiting in line.",
      what: "CPU per token in bursts",
      label: "bursts",
      atMost: maxRatio,
    });
  },
};
