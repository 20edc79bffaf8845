/** What a scenario has to say whose measure is the CPU per token. */
import { type Comparison, compareFigure, isDisturbed } from "../measuring/comparison.ts";
import { comparisonTable, conditionsRemark, threadsRemark } from "./comparison-table.ts";
import type { Section } from "./section.ts";
import { times } from "./units.ts";

export type CostFacts = Pick<Section, "title" | "about"> & {
  /** Of the bound. */
  readonly what: string;
  /** In the picture. */
  readonly label: string;
  /** The bound: the most that a token may cost, in units of the pass-through. */
  readonly atMost: number;
};

export function costSection(comparison: Comparison, { title, about, what, label, atMost }: CostFacts): Section {
  const cost = compareFigure(comparison, (round) => round.cpuPerToken);
  return {
    title,
    about,
    tables: [comparisonTable(comparison)],
    bounds: [{ what, measured: cost.ratio, atMost, write: times }],
    remarks: [threadsRemark(comparison), conditionsRemark(comparison)],
    charts: [],
    isDisturbed: isDisturbed(comparison),
    costs: [{ label, service: cost.service, passThrough: cost.baseline, ratio: cost.ratio, atMost }],
  };
}
