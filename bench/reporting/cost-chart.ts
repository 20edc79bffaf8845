/** CPU per token as bars, each scenario in units of its own pass-through. */
import type { Cost } from "./section.ts";
import { colours, document, text } from "./svg.ts";
import { microseconds, times } from "./units.ts";

const width = 760;
const left = 190;
const right = 540;
const wordsAt = 552;
const rowHeight = 74;
const barHeight = 22;
const top = 50;

export function costChart(costs: readonly Cost[]): string {
  const longest = Math.max(...costs.flatMap(({ ratio, atMost }) => [ratio, atMost]));
  const length = (ratio: number) => ((right - left) * ratio) / longest;
  const title = "CPU per token; the pass-through measured beside it is 1";
  return document({ width, height: top + costs.length * rowHeight + 20, title }, [
    ...costs.flatMap(({ label, service, passThrough, ratio, atMost }, index) => {
      const y = top + index * rowHeight;
      const bar = (offset: number, share: number, colour: string | undefined, words: string) => [
        `<rect x="${left}" y="${y + offset}" width="${length(share).toFixed(1)}" height="${barHeight}" fill="${colour}"/>`,
        text(words, { x: wordsAt, y: y + offset + 16, anchor: "start" }),
      ];
      const boundX = (left + length(atMost)).toFixed(1);
      return [
        text(label, { x: left - 12, y: y + 28, anchor: "end" }),
        ...bar(0, ratio, colours[0], `service ${microseconds(service)} (${times(ratio)})`),
        ...bar(barHeight + 2, 1, colours[1], `pass-through ${microseconds(passThrough)}`),
        `<line x1="${boundX}" x2="${boundX}" y1="${y - 4}" y2="${y + 2 * barHeight + 6}" stroke="#b3541e" stroke-dasharray="4 3"/>`,
      ];
    }),
    text("dashed: the bound", { x: left, y: top + costs.length * rowHeight + 6, anchor: "start" }),
  ]);
}
