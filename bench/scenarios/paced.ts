/** Many answers at once, each at the pace of a model. */
import { compare, compareFigure, isDisturbed } from "../measuring/comparison.ts";
import { comparisonTable, conditionsRemark, threadsRemark } from "../reporting/comparison-table.ts";
import { times } from "../reporting/units.ts";
import type { Scenario } from "./scenario.ts";

const tokensPerSecond = 20;
const spreadMs = 1_000;
const warmUpSeconds = 4;

const maxRatio = 1.6;

export function paced(streams: number): Scenario {
  return {
    name: `paced-${streams}`,
    async run({ settings }) {
      const load = (seconds: number) => ({
        streams,
        tokens: Math.max(1, Math.round(seconds * tokensPerSecond)),
        intervalMs: 1_000 / tokensPerSecond,
        spreadMs,
      });
      const warmUp = load(Math.min(warmUpSeconds, settings.seconds));
      const { rounds, cpuProfiles } = settings;
      const comparison = await compare({
        load: load(settings.seconds),
        warmUp,
        rounds,
        extraRounds: rounds,
        cpuProfiles,
      });
      const cost = compareFigure(comparison, (round) => round.cpuPerToken);
      return {
        title: `${streams} streams at ${tokensPerSecond} tokens/s`,
        about: `${streams} clients ask within a second; each answer has ${load(settings.seconds).tokens} tokens, one every ${1_000 / tokensPerSecond} ms, those of different answers at different moments. CPU counts from before the first request to after the last end.`,
        tables: [comparisonTable(comparison)],
        bounds: [
          {
            what: `CPU per token, ${streams} paced streams`,
            measured: cost.ratio,
            atMost: maxRatio,
            write: times,
          },
        ],
        remarks: [threadsRemark(comparison), conditionsRemark(comparison)],
        charts: [],
        isDisturbed: isDisturbed(comparison),
        costs: [{ label: `${streams} streams, ${tokensPerSecond} tokens/s`, ...cost, atMost: maxRatio }],
      };
    },
  };
}
