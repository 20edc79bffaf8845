/** The figures that every scenario of streams has. */
import { type Comparison, compareFigure } from "../measuring/comparison.ts";
import type { Round } from "../measuring/round.ts";
import { median } from "../measuring/statistics.ts";
import type { Table } from "./section.ts";
import { mebibytes, microseconds, milliseconds, number, percent, times } from "./units.ts";

type Row = {
  readonly label: string;
  readonly figure: (round: Round) => number;
  readonly write: (value: number) => string;
};

const rows: readonly Row[] = [
  { label: "CPU per token", figure: (round) => round.cpuPerToken, write: microseconds },
  { label: "… while all streams run", figure: (round) => round.cpuPerTokenMidway, write: microseconds },
  { label: "latency of a token, p50", figure: (round) => round.latency.p50, write: milliseconds },
  { label: "latency of a token, p99", figure: (round) => round.latency.p99, write: milliseconds },
  { label: "time to first token, p50", figure: (round) => round.firstToken.p50, write: milliseconds },
  { label: "time to first token, p99", figure: (round) => round.firstToken.p99, write: milliseconds },
  { label: "memory before (RSS)", figure: (round) => round.memoryBefore, write: mebibytes },
  { label: "memory at peak (RSS)", figure: (round) => round.memoryPeak, write: mebibytes },
  { label: "tokens per second", figure: (round) => round.tokensPerSecond, write: number },
];

export function comparisonTable(comparison: Comparison): Table {
  return {
    head: ["", "service", comparison.baselineName, "ratio", "of the rounds"],
    rows: rows.flatMap(({ label, figure, write }) => {
      const { service, baseline, ratio, spread } = compareFigure(comparison, figure);
      if (Number.isNaN(service)) return [];
      return [[label, write(service), write(baseline), times(ratio), spread.map(times).join("–")]];
    }),
  };
}

/** Where the service's CPU time goes, by thread, in microseconds for each token. */
export function threadsRemark({ service }: Comparison): string {
  const names = Object.keys(service[0]?.threads ?? {});
  const figures = names
    .map((name) => ({ name, value: median(service.map((round) => round.threads[name] ?? 0)) }))
    .sort((a, b) => b.value - a.value)
    .map(({ name, value }) => `${name} ${microseconds(value)}`);
  return `The service's CPU per token by thread: ${figures.join(", ")}.`;
}

/** The figures are only worth something while the other core has time left and nobody else uses the measured one. */
export function conditionsRemark({ service, baseline }: Comparison): string {
  const rounds = [...service, ...baseline];
  const load = Math.max(...rounds.map((round) => round.loadOfOtherCore));
  const disturbance = rounds.map((round) => round.disturbance);
  return [
    `Provider and clients together took at most ${percent(load)} of the other core.`,
    ...(disturbance.some(Number.isNaN)
      ? []
      : [
          `Other programs took ${percent(median(disturbance))} of the measured core, ${percent(Math.max(...disturbance))} in the worst round.`,
        ]),
  ].join(" ");
}
