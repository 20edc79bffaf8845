/** Thousands of answers that hardly move: what a stream costs in memory. */
import { compare, compareFigure, isDisturbed } from "../measuring/comparison.ts";
import type { Load } from "../measuring/round.ts";
import { comparisonTable, conditionsRemark, threadsRemark } from "../reporting/comparison-table.ts";
import { kibibytes, number, times } from "../reporting/units.ts";
import type { Scenario } from "./scenario.ts";

const intervalMs = 2_000;

const load: Load = { streams: 5_000, tokens: 14, intervalMs, spreadMs: 20_000 };

/** Enough to load the code, and too little to take the memory beforehand. */
const warmUp: Load = { streams: 50, tokens: 2, intervalMs, spreadMs: 1_000 };

const maxRatio = 2.5;

export const many: Scenario = {
  name: "many-5000",
  async run({ settings }) {
    const { cpuProfiles } = settings;
    const comparison = await compare({ load, warmUp: [warmUp], rounds: 1, extraRounds: 0, cpuProfiles });
    const memory = compareFigure(comparison, (round) => round.memoryPerStream);
    const atOnce = compareFigure(comparison, (round) => round.mostAtOnce);
    return {
      title: `${number(load.streams)} streams at one token per ${intervalMs / 1_000} s`,
      about: `One round for each, in a process that has just started. All streams run together for ${(load.tokens * intervalMs - load.spreadMs) / 1_000} s. Memory per stream is the peak, less what was resident before the first session was opened, divided by the streams that ran at once; so it includes what a garbage collector has not yet collected.`,
      tables: [comparisonTable(comparison)],
      bounds: [
        {
          what: "memory per stream",
          measured: memory.ratio,
          atMost: maxRatio,
          write: times,
        },
      ],
      remarks: [
        `Memory per stream: service ${kibibytes(memory.service)} with ${number(atOnce.service)} at once, pass-through ${kibibytes(memory.baseline)} with ${number(atOnce.baseline)} at once.`,
        threadsRemark(comparison),
        conditionsRemark(comparison),
      ],
      charts: [],
      isDisturbed: isDisturbed(comparison),
      costs: [],
    };
  },
};
