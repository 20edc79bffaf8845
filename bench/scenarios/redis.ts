/** What the service itself spends where a Redis server keeps its sessions, beside what it spends with SQLite. */
import { compare, shortAnswers } from "../measuring/comparison.ts";
import { costSection } from "../reporting/cost-section.ts";
import { startRedisServer } from "../targets/redis-server.ts";
import { startService } from "../targets/service.ts";
import type { Scenario } from "./scenario.ts";

const streams = 200;
const tokensPerSecond = 20;

const maxRatio = 1.5;

export const redis: Scenario = {
  name: "redis",
  async run({ settings }) {
    const { rounds, cpuProfiles, seconds } = settings;
    const load = (length: number) => ({
      streams,
      tokens: Math.max(1, length * tokensPerSecond),
      intervalMs: 1_000 / tokensPerSecond,
      spreadMs: 1_000,
    });
    const server = await startRedisServer();
    try {
      const comparison = await compare({
        load: load(seconds),
        warmUp: [...shortAnswers, load(Math.min(4, seconds))],
        rounds,
        extraRounds: rounds,
        cpuProfiles,
        storageUrl: server.url,
        baseline: { name: "with SQLite", start: (providerOrigin) => startService({ providerOrigin }) },
      });
      const section = costSection(comparison, {
        title: `Redis: ${streams} streams at ${tokensPerSecond} tokens/s`,
        about:
          "The service with its sessions on a Redis server (durability `async`, as that has no replica) beside the same service with SQLite. CPU is the service's own; the Redis server runs on the other core.",
        what: "CPU per token with Redis, in units of SQLite's",
        label: "Redis",
        atMost: maxRatio,
      });
      // The picture compares with the pass-through.
      return { ...section, costs: [] };
    } finally {
      await server.stop();
    }
  },
};
