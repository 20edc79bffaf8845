/** `bench/report.md` and its pictures. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem } from "node:os";
import path from "node:path";
import { isPinned } from "../targets/pinning.ts";
import { repository, startFlags } from "../targets/processes.ts";
import { costChart } from "./cost-chart.ts";
import type { Chart, Section } from "./section.ts";
import { boundsTable, sectionText, tableText } from "./text.ts";
import { mebibytes, number } from "./units.ts";

const directory = path.join(repository, "bench");
const picturesFolder = "pictures";

/** @param command what was typed */
export async function writeReport(sections: readonly Section[], command: string): Promise<void> {
  const cost: Chart = {
    file: "cpu-per-token.svg",
    alternative: "CPU per token, service and pass-through, in each scenario",
    svg: costChart(sections.flatMap(({ costs }) => costs)),
  };
  const notes = await readFile(path.join(directory, "notes.md"), "utf8");
  await mkdir(path.join(directory, picturesFolder), { recursive: true });
  for (const { file, svg } of [cost, ...sections.flatMap(({ charts }) => charts)]) {
    await writeFile(path.join(directory, picturesFolder, file), svg);
  }
  const parts = [
    "# What it costs",
    `Written by \`${command}\`; the part "Where the rest goes" is from [notes.md](notes.md).`,
    howText(),
    ...disturbedTexts(sections),
    "## In short",
    tableText(boundsTable(sections.flatMap(({ bounds }) => bounds))),
    pictureText(cost),
    notes.trim(),
    ...sections.map((section) => sectionText(section, pictureText)),
    "## The machine",
    machineText(),
  ];
  await writeFile(path.join(directory, "report.md"), `${parts.join("\n\n")}\n`);
}

function disturbedTexts(sections: readonly Section[]): readonly string[] {
  const titles = sections.filter(({ isDisturbed }) => isDisturbed).map(({ title }) => title);
  if (titles.length === 0) return [];
  return [
    `**The machine was not quiet** during: ${titles.join("; ")}. Other programs took much of the measured core, so tokens came in heaps where they would have come one by one, and those figures say little.`,
  ];
}

function pictureText({ file, alternative }: Chart): string {
  return `![${alternative}](${picturesFolder}/${file})`;
}

function howText(): string {
  return [
    "The service runs with its database in a file on the disk, durability included, in front of a fake provider. In the same run a bare pass-through stands in front of the same provider: a `node:http` server that pipes each request and answer on and does nothing else (bench/targets/pass-through.ts).",
    "Both are warmed up, then measured in turns. A figure is the median of its rounds, a ratio the median of the rounds' ratios; the smallest and the largest stand beside it. When other programs took more than 15 % of the measured core, the pair of rounds is played again, at most twice as many in all; the least disturbed count. Every stream is checked: each character, and one end.",
    "CPU is user and system time of all threads of the process. The latency of a token runs from the provider's write to the client's receipt.",
  ].join(" ");
}

function machineText(): string {
  const cores = cpus();
  const [, fiveMinutes = 0] = loadavg();
  const facts = [
    `${cores[0]?.model ?? "an unknown processor"}, ${cores.length} cores, ${mebibytes(totalmem())} of memory, Linux ${release()}`,
    `Node ${process.version}, with \`${startFlags.join(" ")}\` for service and pass-through`,
    isPinned
      ? "What is measured is pinned to one core, provider and clients to another."
      : "Nothing is pinned to a core, as `taskset` or a second core is missing: the figures are less steady.",
    `A load average of ${number(fiveMinutes)} in the last five minutes of the run`,
    `${new Date().toISOString().slice(0, 10)}`,
  ];
  return facts.map((fact) => `- ${fact}`).join("\n");
}
