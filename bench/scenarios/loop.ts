/** P12: how late the event loop is, and how long users wait, under all kinds of work at once and with a disk that is slow. */
import http from "node:http";
import path from "node:path";
import type { FilledDatabase } from "../database/databases.ts";
import { receiveStreams } from "../measuring/clients.ts";
import { type CoreShares, calm, watchCore } from "../measuring/core-shares.ts";
import { type LoopDelay, takeLoopDelay } from "../measuring/loop-delay.ts";
import type { Percentiles } from "../measuring/round.ts";
import { type Sent, sendOne } from "../measuring/sends.ts";
import { percentilesOf } from "../measuring/statistics.ts";
import { loadSteadily } from "../measuring/steady-load.ts";
import { type Provider, startProvider } from "../provider/provider.ts";
import { newRun } from "../provider/run.ts";
import type { Bound } from "../reporting/section.ts";
import { kibibytes, milliseconds, number, percent } from "../reporting/units.ts";
import { get } from "../targets/get.ts";
import { makeDirectory, removeDirectory } from "../targets/leftovers.ts";
import { startService } from "../targets/service.ts";
import { canSlowSyncs } from "../targets/slow-syncs.ts";
import type { StreamRequest } from "../targets/target.ts";
import type { Scenario } from "./scenario.ts";

const streams = { streams: 500, tokens: 200, intervalMs: 50, spreadMs: 1_000 };
const seconds = (streams.tokens * streams.intervalMs) / 1_000;
const sends = { perSecond: 100, tokens: 20, mostAtOnce: 1_000 };

/** Of the newest messages; the longest page that may be asked for by `limit`. */
const pages = { perSecond: 20, turns: 200, mostAtOnce: 100 };
const slowSyncMs = 20;
const bounds = { p99: 50, max: 250 };

type Measured = Pick<CoreShares, "cpu" | "otherCpu"> & {
  readonly what: string;
  readonly loop: LoopDelay;
  readonly tokens: Percentiles;
  readonly sends: readonly Sent[];
  readonly pages: readonly number[];
  readonly pageBytes: number;
  readonly leftOut: number;
};

export const loop: Scenario = {
  name: "loop",
  async run({ settings, databases }) {
    const filled = await databases.with(1_000);
    const provider = await startProvider();
    const cases = [{ what: "a disk as it is", syncDelayMs: 0 }];
    if (canSlowSyncs) cases.push({ what: `every sync takes ${slowSyncMs} ms longer`, syncDelayMs: slowSyncMs });
    const all: Measured[] = [];
    for (const each of cases) all.push(await measure({ ...each, filled, provider, cpuProfiles: settings.cpuProfiles }));
    await provider.close();
    const [{ pageBytes } = { pageBytes: 0 }] = all;
    return {
      title: "The event loop under all kinds of work",
      about: `${number(streams.streams)} streams at ${1_000 / streams.intervalMs} tokens/s for ${seconds} s, and meanwhile each second ${sends.perSecond} prompts in sessions of their own (answers of ${sends.tokens} tokens that come at once) and ${pages.perSecond} pages of the newest ${pages.turns} turns of a session of 10,000 messages (${kibibytes(pageBytes)} each), asked for at their moments, whether those before were answered or not. The delay of the event loop is what \`monitorEventLoopDelay\` tells in the service, over the whole time. The slow disk is made by strace, which delays the thread that syncs.`,
      tables: [
        {
          head: ["", ...all.map(({ what }) => what)],
          rows: [
            ["loop delay, p50", ...all.map(({ loop }) => milliseconds(loop.p50))],
            ["loop delay, p99", ...all.map(({ loop }) => milliseconds(loop.p99))],
            ["loop delay, longest", ...all.map(({ loop }) => milliseconds(loop.max))],
            ["a token's latency, p50 / p99", ...all.map(({ tokens }) => both(tokens))],
            [
              "a prompt until it is stored, p50 / p99",
              ...all.map((run) => both(percentilesOf(run.sends.map(({ headMs }) => headMs)))),
            ],
            ["a page, p50 / p99", ...all.map((run) => both(percentilesOf(run.pages)))],
            ["prompts answered, and not", ...all.map((run) => answeredAndNot(run.sends))],
            ["left out by the clients", ...all.map(({ leftOut }) => number(leftOut))],
            ["the service's share of its core", ...all.map(({ cpu }) => percent(cpu))],
          ],
        },
      ],
      bounds: all.flatMap(({ what, loop, sends }): readonly Bound[] => [
        { what: `loop delay p99, ${what}`, measured: loop.p99, atMost: bounds.p99, write: milliseconds },
        { what: `loop delay, longest, ${what}`, measured: loop.max, atMost: bounds.max, write: milliseconds },
        {
          what: `prompts that were not answered, ${what}`,
          measured: sends.filter(({ isWhole }) => !isWhole).length,
          atMost: 0,
          write: number,
        },
      ]),
      remarks: canSlowSyncs ? [] : ["Without strace the disk could not be made slow."],
      charts: [],
      isDisturbed: all.some(({ otherCpu }) => otherCpu > calm),
      costs: [],
    };
  },
};

type Case = {
  readonly what: string;
  readonly syncDelayMs: number;
  readonly filled: FilledDatabase;
  readonly provider: Provider;
  readonly cpuProfiles: string | undefined;
};

async function measure({ what, syncDelayMs, filled, provider, cpuProfiles }: Case): Promise<Measured> {
  const directory = await makeDirectory();
  const loopDelayFile = path.join(directory, "loop-delay");
  const service = await startService({
    providerOrigin: provider.origin,
    storageUrl: `sqlite:${filled.file}`,
    syncDelayMs,
    loopDelayFile,
    cpuProfiles,
  });
  const { pid, origin } = service.server;
  const agent = new http.Agent({ keepAlive: true });
  try {
    const run = newRun({ ...streams, shortTokens: sends.tokens });
    const requests = await service.prepare(streams.streams + sends.perSecond * seconds);
    provider.play(run);
    const pageUrl = `${origin}/chat_history/${filled.sessionIds.at(-1)}?limit=${pages.turns}`;
    let pageBytes = 0;
    const askPage = async () => {
      const askedAt = performance.now();
      const body = await get(pageUrl, agent);
      pageBytes = body.length;
      return performance.now() - askedAt;
    };
    // Code that has not run yet is not what this is about.
    for (let count = 0; count < pages.perSecond; count += 1) await askPage();
    await takeLoopDelay(pid, loopDelayFile);
    const sharesOfCore = watchCore(pid);
    const [received, sent, paged] = await Promise.all([
      receiveStreams(service, requests.slice(0, streams.streams), run, {
        spreadMs: streams.spreadMs,
        progress: { tokens: 0, begun: 0, ended: 0, mostAtOnce: 0 },
        watcher: { onAllBegun: () => undefined, onFirstEnd: () => undefined },
      }),
      loadSteadily({ ...sends, seconds }, (index) => {
        const stream = streams.streams + index;
        return sendOne(service, agent, requests[stream] as StreamRequest, { stream, tokens: sends.tokens });
      }),
      loadSteadily({ ...pages, seconds }, askPage),
    ]);
    const loop = await takeLoopDelay(pid, loopDelayFile);
    const { cpu, otherCpu } = sharesOfCore();
    return {
      what,
      loop,
      tokens: percentilesOf(received.latencies),
      sends: sent.results,
      pages: paged.results,
      pageBytes,
      leftOut: sent.leftOut + paged.leftOut,
      cpu,
      otherCpu,
    };
  } finally {
    agent.destroy();
    await service.stop();
    await removeDirectory(directory);
  }
}

function both({ p50, p99 }: Percentiles): string {
  return `${milliseconds(p50)} / ${milliseconds(p99)}`;
}

function answeredAndNot(all: readonly Sent[]): string {
  const answered = all.filter(({ isWhole }) => isWhole).length;
  return `${number(answered)} / ${number(all.length - answered)}`;
}
