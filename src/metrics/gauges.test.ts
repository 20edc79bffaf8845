import Registry from "prom-client/lib/registry.js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addGauges, type MetricSources } from "./gauges.ts";

const quiet: MetricSources = {
  version: "1.2.3",
  runningTurns: () => 0,
  waitingTurns: async () => 0,
  openStreams: () => 0,
  modelConditions: () => new Map(),
  overload: () => [],
  storageBacklog: () => 0,
  storageBytes: async () => new Map(),
  openDescriptors: () => 0,
  droppedLogLines: () => 0,
};

/** The lines of one metric that are no comments, with everything else looked at too. */
async function seriesOf(name: string, sources: Partial<MetricSources>): Promise<readonly string[]> {
  const registry = new Registry();
  addGauges(registry, { ...quiet, ...sources });
  const scrape = registry.metrics();
  await vi.advanceTimersByTimeAsync(1_000);
  const lines = (await scrape).split("\n");
  expect(lines).toContain('chat_info{version="1.2.3"} 1');
  return lines.filter((line) => line.startsWith(name));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("chat_turns_waiting", () => {
  it("is what the storage counts", async () => {
    expect(await seriesOf("chat_turns_waiting", { waitingTurns: async () => 3 })).toEqual(["chat_turns_waiting 3"]);
  });

  it.each([
    ["counts none", async () => undefined],
    ["fails", () => Promise.reject(new Error("storage_unavailable"))],
    ["does not answer", () => new Promise<number>(() => undefined)],
  ])("is left out, and nothing else is, where the storage %s", async (_, waitingTurns) => {
    expect(await seriesOf("chat_turns_waiting", { waitingTurns })).toEqual([]);
  });
});

describe("process_open_fds", () => {
  it("is left out where nobody can say how many there are", async () => {
    expect(await seriesOf("process_open_fds", { openDescriptors: () => 7 })).toEqual(["process_open_fds 7"]);
    expect(await seriesOf("process_open_fds", { openDescriptors: () => Number.POSITIVE_INFINITY })).toEqual([]);
  });
});
