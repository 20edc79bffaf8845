/** Service and pass-through in turns, so that whatever else the machine does meets both alike. */
import { startProvider } from "../provider/provider.ts";
import type { Settings } from "../settings.ts";
import { startPassThrough } from "../targets/proxy.ts";
import { startService } from "../targets/service.ts";
import { type Load, playRound, type Round } from "./round.ts";
import { median } from "./statistics.ts";

export type Comparison = {
  /** Round by round, the two in the same order. */
  readonly service: readonly Round[];
  readonly passThrough: readonly Round[];
};

/**
 * Starts both anew, warms them up (code is compiled and memory taken in the first seconds), and lets them take turns.
 *
 * @param warmUp what both get before anything is measured
 */
export async function compare(load: Load, warmUp: Load, settings: Settings): Promise<Comparison> {
  const provider = await startProvider();
  const service = await startService({ providerOrigin: provider.origin, cpuProfiles: settings.cpuProfiles });
  const passThrough = await startPassThrough(provider.origin);
  const rounds = { service: [] as Round[], passThrough: [] as Round[] };
  try {
    await playRound(service, provider, warmUp);
    await playRound(passThrough, provider, warmUp);
    for (let round = 0; round < settings.rounds; round += 1) {
      rounds.service.push(await playRound(service, provider, load));
      rounds.passThrough.push(await playRound(passThrough, provider, load));
    }
  } finally {
    await Promise.all([service.stop(), passThrough.stop()]);
    await provider.close();
  }
  return rounds;
}

/** A figure of both, and their ratio: the median of the rounds' ratios, with the smallest and the largest. */
export type Compared = {
  readonly service: number;
  readonly passThrough: number;
  readonly ratio: number;
  readonly spread: readonly [number, number];
};

export function compareFigure({ service, passThrough }: Comparison, figure: (round: Round) => number): Compared {
  const ours = service.map(figure);
  const theirs = passThrough.map(figure);
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
  return {
    service: median(ours),
    passThrough: median(theirs),
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}
