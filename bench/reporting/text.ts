/** Sections as Markdown, which also reads well in a terminal. */
import type { Bound, Chart, Section, Table } from "./section.ts";

/** @param pictureText how a chart is shown, if it is */
export function sectionText(
  { title, about, tables, bounds, remarks, charts }: Section,
  pictureText: ((chart: Chart) => string) | undefined,
): string {
  return [
    `## ${title}`,
    about,
    ...tables.map(tableText),
    ...(bounds.length === 0 ? [] : [tableText(boundsTable(bounds))]),
    ...(pictureText === undefined ? [] : charts.map(pictureText)),
    ...remarks,
  ].join("\n\n");
}

export function boundsTable(bounds: readonly Bound[]): Table {
  return {
    head: ["Bound", "at most", "measured", ""],
    rows: bounds.map(({ what, measured, atMost, write }) => [
      what,
      write(atMost),
      write(measured),
      measured <= atMost ? "met" : "**not met**",
    ]),
  };
}

export function tableText({ head, rows }: Table): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? "").padEnd(width) : (row[column] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? `${"-".repeat(width + 2)}` : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
