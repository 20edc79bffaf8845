/** One round: some streams through one target, and what that took. */
import type { Provider } from "../provider/provider.ts";
import { newRun } from "../provider/run.ts";
import { isPinned, measuredCore } from "../targets/pinning.ts";
import type { Target } from "../targets/target.ts";
import { type Progress, type Received, receiveStreams } from "./clients.ts";
import { coreBusyMs, memoryOf, type ProcessUsage, processUsage } from "./process-usage.ts";
import { percentilesOf } from "./statistics.ts";

export type Load = {
  readonly streams: number;
  /** Of each stream. */
  readonly tokens: number;
  /** Milliseconds between two tokens of a stream; 0 for as fast as they go. */
  readonly intervalMs: number;
  /** Milliseconds between the start of the first stream and that of the last. */
  readonly spreadMs: number;
};

export type Round = {
  /** Microseconds of CPU for each token, from before the first request to after the last end. */
  readonly cpuPerToken: number;
  /** The same by thread. */
  readonly threads: Readonly<Record<string, number>>;
  /** The same only while all streams were running; NaN where that was too short to be measured. */
  readonly cpuPerTokenMidway: number;
  /** Milliseconds. */
  readonly latency: Percentiles;
  readonly firstToken: Percentiles;
  /** Bytes: resident before the first request of any kind, and at most during the round. */
  readonly memoryBefore: number;
  readonly memoryPeak: number;
  /** The difference of both for each of `mostAtOnce`. */
  readonly memoryPerStream: number;
  /** The most streams that ran at the same time: all, unless the machine was short of time. */
  readonly mostAtOnce: number;
  readonly tokensPerSecond: number;
  /** CPU time of provider and clients as a share of one core. */
  readonly loadOfOtherCore: number;
  /** The share of the time in which something else ran on the measured core; NaN where nothing is pinned to it. */
  readonly disturbance: number;
};

export type Percentiles = { readonly p50: number; readonly p99: number };

const memorySampleMs = 100;

/** Requests are logged and connections closed a little after the last event has arrived. */
const settlingMs = 200;

const shortestMidwayMs = 500;

type Mark = {
  readonly usage: ProcessUsage;
  readonly coreBusyMs: number;
  readonly tokens: number;
  readonly at: number;
};

export async function playRound(target: Target, provider: Provider, load: Load): Promise<Round> {
  const { pid } = target.server;
  const memoryBefore = memoryOf(pid);
  const requests = await target.prepare(load.streams);
  const run = newRun(load);
  provider.play(run);
  const progress: Progress = { tokens: 0, begun: 0, ended: 0, mostAtOnce: 0 };
  const mark = (): Mark => ({
    usage: processUsage(pid),
    coreBusyMs: coreBusyMs(measuredCore),
    tokens: progress.tokens,
    at: performance.now(),
  });
  let begun: Mark | undefined;
  let ending: Mark | undefined;
  const memory: number[] = [];

  const before = mark();
  const ownBefore = process.cpuUsage();
  const sampler = setInterval(() => memory.push(memoryOf(pid)), memorySampleMs);
  const watcher = {
    onAllBegun() {
      begun = mark();
    },
    onFirstEnd() {
      ending = mark();
    },
  };
  let received: Received;
  try {
    received = await receiveStreams(target, requests, run, { spreadMs: load.spreadMs, progress, watcher });
  } finally {
    clearInterval(sampler);
  }
  const endedAt = performance.now();
  const own = process.cpuUsage(ownBefore);
  await new Promise((resolve) => setTimeout(resolve, settlingMs));
  const after = mark();

  const tokens = load.streams * load.tokens;
  const memoryPeak = Math.max(memoryBefore, ...memory, memoryOf(pid));
  const elapsedMs = endedAt - before.at;
  return {
    cpuPerToken: ((after.usage.cpuMs - before.usage.cpuMs) * 1_000) / tokens,
    threads: perToken(before.usage, after.usage, tokens),
    cpuPerTokenMidway: midway(begun, ending),
    latency: percentilesOf(received.latencies),
    firstToken: percentilesOf(received.firstTokens),
    memoryBefore,
    memoryPeak,
    memoryPerStream: (memoryPeak - memoryBefore) / progress.mostAtOnce,
    mostAtOnce: progress.mostAtOnce,
    tokensPerSecond: (tokens / elapsedMs) * 1_000,
    loadOfOtherCore: (own.user + own.system) / 1_000 / elapsedMs,
    disturbance: disturbance(before, after),
  };
}

/** What kept the core busy beside the measured process. */
function disturbance(before: Mark, after: Mark): number {
  if (!isPinned) return Number.NaN;
  const busyMs = after.coreBusyMs - before.coreBusyMs;
  const ownMs = after.usage.cpuMs - before.usage.cpuMs;
  return Math.max(0, busyMs - ownMs) / (after.at - before.at);
}

function midway(begun: Mark | undefined, ending: Mark | undefined): number {
  if (begun === undefined || ending === undefined || ending.at - begun.at < shortestMidwayMs) return Number.NaN;
  return ((ending.usage.cpuMs - begun.usage.cpuMs) * 1_000) / (ending.tokens - begun.tokens);
}

function perToken(before: ProcessUsage, after: ProcessUsage, tokens: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after.threadsMs).map(([name, milliseconds]) => [
      name,
      ((milliseconds - (before.threadsMs[name] ?? 0)) * 1_000) / tokens,
    ]),
  );
}
