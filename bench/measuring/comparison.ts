/** The service and what it is compared with in turns, each the first every other time, so that whatever else the machine does meets both alike. */

import { startProvider } from "../provider/provider.ts";
import { startPassThrough } from "../targets/proxy.ts";
import { startService } from "../targets/service.ts";
import type { Target } from "../targets/target.ts";
import { calm } from "./core-shares.ts";
import { type Load, playRound, type Round } from "./round.ts";
import { median } from "./statistics.ts";

export type Comparison = {
  /** What the service is compared with. */
  readonly baselineName: string;
  /** The two of a pair of rounds at the same place. */
  readonly service: readonly Round[];
  readonly baseline: readonly Round[];
};

export type Plan = {
  readonly load: Load;
  /** What both get before anything is measured, one after the other. */
  readonly warmUp: readonly Load[];
  /** How often both take turns. */
  readonly rounds: number;
  /** How many further pairs of rounds may be played when others were disturbed. */
  readonly extraRounds: number;
  readonly cpuProfiles: string | undefined;
  /** Where the service stores; by default in a file of its own. */
  readonly storageUrl?: string;
  /** What it is compared with: the pass-through by default. */
  readonly baseline?: Baseline;
};

/** `start` is given the provider's origin. */
export type Baseline = { readonly name: string; start(providerOrigin: string): Promise<Target> };

const passThrough: Baseline = { name: "pass-through", start: startPassThrough };

type Pair = { readonly service: Round; readonly baseline: Round };

/**
 * Many answers of a few tokens: what happens once in an answer would otherwise not be compiled when it is measured, as it
 * is in a server that has run for some minutes.
 */
export const shortAnswers: readonly Load[] = Array<Load>(5).fill({
  streams: 200,
  tokens: 3,
  intervalMs: 20,
  spreadMs: 500,
});

/** Starts both anew, warms them up and lets them take turns; of more pairs than asked for, the least disturbed count. */
export async function compare(plan: Plan): Promise<Comparison> {
  const { load, warmUp, rounds, extraRounds, cpuProfiles, storageUrl } = plan;
  const { name: baselineName, start } = plan.baseline ?? passThrough;
  const provider = await startProvider();
  const service = await startService({ providerOrigin: provider.origin, cpuProfiles, storageUrl });
  const baseline = await start(provider.origin);
  const pairs: Pair[] = [];
  try {
    for (const target of [service, baseline]) {
      for (const each of warmUp) await playRound(target, provider, each);
    }
    for (let calmPairs = 0; calmPairs < rounds && pairs.length < rounds + extraRounds; ) {
      const serviceFirst = pairs.length % 2 === 0;
      const first = await playRound(serviceFirst ? service : baseline, provider, load);
      const second = await playRound(serviceFirst ? baseline : service, provider, load);
      const pair = serviceFirst ? { service: first, baseline: second } : { service: second, baseline: first };
      pairs.push(pair);
      if (!(disturbanceOf(pair) > calm)) calmPairs += 1;
    }
  } finally {
    await Promise.all([service.stop(), baseline.stop()]);
    await provider.close();
  }
  const kept = pairs.toSorted((one, other) => disturbanceOf(one) - disturbanceOf(other)).slice(0, rounds);
  return { baselineName, service: kept.map((pair) => pair.service), baseline: kept.map((pair) => pair.baseline) };
}

/** Whether the rounds that count were played while others wanted the measured core. */
export function isDisturbed({ service, baseline }: Comparison): boolean {
  return [...service, ...baseline].some((round) => round.disturbance > calm);
}

function disturbanceOf({ service, baseline }: Pair): number {
  return Math.max(service.disturbance, baseline.disturbance);
}

/** A figure of both, and their ratio: the median of the rounds' ratios, with the smallest and the largest. */
export type Compared = {
  readonly service: number;
  readonly baseline: number;
  readonly ratio: number;
  readonly spread: readonly [number, number];
};

export function compareFigure({ service, baseline }: Comparison, figure: (round: Round) => number): Compared {
  const ours = service.map(figure);
  const theirs = baseline.map(figure);
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
  return {
    service: median(ours),
    baseline: median(theirs),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}
