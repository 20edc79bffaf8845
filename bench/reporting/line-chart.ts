/** A line chart with logarithmic axes, as SVG. */

import { colours, document, text } from "./svg.ts";
import { number } from "./units.ts";

type Point = { readonly x: number; readonly y: number };

export type LineChart = {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** All with the same values of `x`. */
  readonly lines: readonly { readonly label: string; readonly points: readonly Point[] }[];
};

const width = 760;
const height = 420;
const plot = { left: 70, top: 72, right: 500, bottom: 360 };

export function lineChart({ title, xLabel, yLabel, lines }: LineChart): string {
  const points = lines.flatMap((line) => line.points);
  const x = logScale(
    points.map((point) => point.x),
    plot.left + 20,
    plot.right - 20,
  );
  const yTicks = decades(points.map((point) => point.y));
  const y = logScale(yTicks, plot.bottom, plot.top);
  const xTicks = [...new Set(points.map((point) => point.x))];
  return document({ width, height, title }, [
    ...yTicks.flatMap((tick) => [
      `<line x1="${plot.left}" x2="${plot.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/>`,
      text(number(tick), { x: plot.left - 8, y: y(tick) + 4, anchor: "end" }),
    ]),
    ...xTicks.map((tick) => text(number(tick), { x: x(tick), y: plot.bottom + 20, anchor: "middle" })),
    text(xLabel, { x: (plot.left + plot.right) / 2, y: plot.bottom + 44, anchor: "middle" }),
    text(yLabel, { x: plot.left - 8, y: plot.top - 14, anchor: "middle" }),
    ...lines.flatMap(({ label, points }, index) => {
      const colour = colours[index % colours.length] ?? "black";
      const path = points.map((point) => `${round(x(point.x))},${round(y(point.y))}`).join(" ");
      const legendY = plot.top + 20 + index * 24;
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...points.map(
          (point) => `<circle cx="${round(x(point.x))}" cy="${round(y(point.y))}" r="4" fill="${colour}"/>`,
        ),
        `<rect x="${plot.right + 20}" y="${legendY - 10}" width="12" height="12" fill="${colour}"/>`,
        text(label, { x: plot.right + 40, y: legendY, anchor: "start" }),
      ];
    }),
  ]);
}

function logScale(values: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  return (value) => from + ((Math.log(value) - low) / (high - low || 1)) * (to - from);
}

/** The powers of ten that enclose the values. */
function decades(values: readonly number[]): readonly number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
}

function round(value: number): string {
  return value.toFixed(1);
}
