/** P13: what becomes of a service that is sent three times what it can answer. */
import http from "node:http";
import { type CoreShares, calm, watchCore } from "../measuring/core-shares.ts";
import { type Sent, sendOne } from "../measuring/sends.ts";
import { percentilesOf } from "../measuring/statistics.ts";
import { loadSteadily } from "../measuring/steady-load.ts";
import { type Provider, startProvider } from "../provider/provider.ts";
import { newRun } from "../provider/run.ts";
import { milliseconds, number, percent, times } from "../reporting/units.ts";
import { startService } from "../targets/service.ts";
import type { Target } from "../targets/target.ts";
import type { Scenario } from "./scenario.ts";

const tokens = 20;

/** Clients that send one prompt after the other, more and more of them until no more is answered. */
const ramp = { clients: [8, 16, 32, 64, 128], seconds: 2 };
const overload = { factor: 3, seconds: 20, mostAtOnce: 1_500 };

/** More than `mostAtOnce`, so that one that is not answering is there for every prompt. */
const sessionCount = 2_000;
const bounds = { lostGoodput: 0.2, refusalMs: 50, slower: 2 };

/** What was sent and answered in some seconds. */
type Phase = CoreShares & {
  readonly sent: readonly Sent[];
  readonly leftOut: number;
  /** The share of a core that the clients and the provider had: where that is all they could get, it is they who are slow. */
  readonly loadCpu: number;
};

export const overloadScenario: Scenario = {
  name: "overload",
  async run({ settings }) {
    const provider = await startProvider();
    const service = await startService({ providerOrigin: provider.origin, cpuProfiles: settings.cpuProfiles });
    try {
      const { peak, over, isRunning } = await measure(service, provider);
      const capacity = goodputOf(peak);
      const refusals = refusalsOf(over);
      const refused = percentilesOf(refusals.map(({ wholeMs }) => wholeMs));
      const row = (what: string, value: (phase: Phase) => string) => [what, value(peak), value(over)];
      const slower = wholeOf(over).p99 / wholeOf(peak).p99;
      return {
        title: `${overload.factor} times as many prompts as can be answered`,
        about: `Prompts in sessions of their own, with answers of ${tokens} tokens that come at once, so that all there is to do is the service's. Its capacity is the most that ${ramp.clients.join(", ")} clients, which send one after the other, get answered in ${ramp.seconds} s. Then ${overload.factor} times as many are sent in each of ${overload.seconds} s, each at its moment, by clients that do not come back when they are refused.`,
        tables: [
          {
            head: ["", "at its capacity", "beyond"],
            rows: [
              row("sent a second", ({ sent, seconds }) => number(sent.length / seconds)),
              row("answered whole a second", (phase) => number(goodputOf(phase))),
              row("the same for each second of the service's CPU", (phase) => number(goodputOf(phase) / phase.cpu)),
              row("refused a second", (phase) => number(refusalsOf(phase).length / phase.seconds)),
              row("without any answer", (phase) => number(unansweredOf(phase))),
              row("a prompt until it is stored, p50", (phase) => milliseconds(storedOf(phase).p50)),
              row("a prompt until it is stored, p99", (phase) => milliseconds(storedOf(phase).p99)),
              row("an answer, p50", (phase) => milliseconds(wholeOf(phase).p50)),
              row("an answer, p99", (phase) => milliseconds(wholeOf(phase).p99)),
              row("the service's share of its core", ({ cpu }) => percent(cpu)),
              row("other programs' share of that core", ({ otherCpu }) => percent(otherCpu)),
              row("clients' and provider's share of theirs", ({ loadCpu }) => percent(loadCpu)),
              row("left out by the clients", ({ leftOut }) => number(leftOut)),
            ],
          },
        ],
        bounds: [
          {
            what: "answers lost to overload",
            measured: Math.max(0, 1 - goodputOf(over) / capacity),
            atMost: bounds.lostGoodput,
            write: percent,
          },
          { what: "a refusal, p99", measured: refused.p99 || 0, atMost: bounds.refusalMs, write: milliseconds },
          {
            what: "refusals without Retry-After",
            measured: refusals.filter(({ hasRetryAfter }) => !hasRetryAfter).length,
            atMost: 0,
            write: number,
          },
          { what: "prompts without any answer", measured: unansweredOf(over), atMost: 0, write: number },
          { what: "an accepted answer beyond capacity, p99", measured: slower, atMost: bounds.slower, write: times },
          { what: "crashes", measured: isRunning ? 0 : 1, atMost: 0, write: number },
        ],
        remarks: [],
        charts: [],
        isDisturbed: [peak, over].some(({ otherCpu }) => otherCpu > calm),
        costs: [],
      };
    } finally {
      if (service.server.isRunning) await service.stop();
      await provider.close();
    }
  },
};

async function measure(service: Target, provider: Provider) {
  const requests = await service.prepare(sessionCount);
  provider.play(newRun({ streams: 0, tokens: 1, intervalMs: 1, shortTokens: tokens }));
  const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  /** Sessions in which nothing is answered at the moment; the one that waits longest comes first. */
  const idle = requests.map((request, stream) => ({ request, stream }));
  const sendNext = (): Promise<Sent> | undefined => {
    const next = idle.shift();
    if (next === undefined) return undefined;
    const { request, stream } = next;
    return sendOne(service, agent, request, { stream, tokens }).finally(() => void idle.push(next));
  };
  try {
    const steps: Phase[] = [];
    // The first step once more beforehand, while code is compiled.
    for (const clients of [ramp.clients[0] ?? 1, ...ramp.clients]) {
      steps.push(await phaseOf(service, () => sendOneByOne(clients, ramp.seconds, sendNext)));
    }
    const peak = steps.reduce((best, step) => (goodputOf(step) > goodputOf(best) ? step : best));
    const perSecond = Math.round(goodputOf(peak) * overload.factor);
    const over = await phaseOf(service, () => loadSteadily({ ...overload, perSecond }, sendNext));
    return { peak, over, isRunning: service.server.isRunning };
  } finally {
    agent.destroy();
  }
}

async function phaseOf(
  service: Target,
  load: () => Promise<{ readonly results: readonly Sent[]; readonly leftOut: number }>,
): Promise<Phase> {
  const sharesOfCore = watchCore(service.server.pid);
  const ownBefore = process.cpuUsage();
  const { results, leftOut } = await load();
  const shares = sharesOfCore();
  const own = process.cpuUsage(ownBefore);
  return {
    ...shares,
    sent: results,
    leftOut,
    loadCpu: (own.user + own.system) / 1_000_000 / shares.seconds,
  };
}

async function sendOneByOne(clients: number, seconds: number, send: () => Promise<Sent> | undefined) {
  const until = performance.now() + seconds * 1_000;
  const results: Sent[] = [];
  const sendUntilOver = async () => {
    while (performance.now() < until) {
      const sent = await send();
      if (sent !== undefined) results.push(sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, sendUntilOver));
  return { results, leftOut: 0 };
}

/** Whole answers a second. */
function goodputOf({ sent, seconds }: Phase): number {
  return sent.filter(({ isWhole }) => isWhole).length / seconds;
}

function refusalsOf({ sent }: Phase): readonly Sent[] {
  return sent.filter(({ status }) => status >= 400);
}

/** In half a minute. */
function unansweredOf({ sent }: Phase): number {
  return sent.filter(({ status }) => status === 0).length;
}

function wholeOf({ sent }: Phase) {
  return percentilesOf(sent.filter(({ isWhole }) => isWhole).map(({ wholeMs }) => wholeMs));
}

function storedOf({ sent }: Phase) {
  return percentilesOf(sent.filter(({ isWhole }) => isWhole).map(({ headMs }) => headMs));
}
