/** Many answers at once, each at the pace of a model. */
import { compare, shortAnswers } from "../measuring/comparison.ts";
import { costSection } from "../reporting/cost-section.ts";
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
      const warmUp = [...shortAnswers, load(Math.min(warmUpSeconds, settings.seconds))];
      const { rounds, cpuProfiles } = settings;
      const comparison = await compare({
        load: load(settings.seconds),
        warmUp,
        rounds,
        extraRounds: rounds,
        cpuProfiles,
      });
      return costSection(comparison, {
        title: `${streams} streams at ${tokensPerSecond} tokens/s`,
        about: `${streams} clients ask within a second; each answer has ${load(settings.seconds).tokens} tokens, one every ${1_000 / tokensPerSecond} ms, those of different answers at different moments. CPU counts from before the first request to after the last end.`,
        what: `CPU per token, ${streams} paced streams`,
        label: `${streams} streams, ${tokensPerSecond} tokens/s`,
        atMost: maxRatio,
      });
    },
  };
}
