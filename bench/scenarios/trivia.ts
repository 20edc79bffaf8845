/** The game: how long a question takes, with the starter pack alone and with a large import beside it; and the import. */
import path from "node:path";
import { writeDump } from "../database/wiki-dump.ts";
import { type Import, importDump, importedShow } from "../measuring/importing.ts";
import { type Played, play } from "../measuring/playing.ts";
import { startProvider } from "../provider/provider.ts";
import { mebibytes, milliseconds, number, times } from "../reporting/units.ts";
import { makeDirectory, removeDirectory } from "../targets/leftovers.ts";
import { startService } from "../targets/service.ts";
import type { Scenario } from "./scenario.ts";

/** Passages of the dumps that are imported, smallest first. */
const dumpSizes = [20_000, 100_000] as const;

const games = 50;

const maxMs = { starterPack: 20, imported: 50 } as const;

const maxMemoryRatio = 1.5;

type Case = { readonly knowledge: string; readonly about: string; readonly atMost: number; readonly played: Played };

export const trivia: Scenario = {
  name: "trivia",
  async run({ settings: { cpuProfiles } }) {
    const directory = await makeDirectory();
    const provider = await startProvider();
    const imports: (Import & { readonly passages: number })[] = [];
    let knowledgeFile = "";
    for (const passages of dumpSizes) {
      const dump = path.join(directory, `${passages}.xml`);
      knowledgeFile = path.join(directory, `${passages}.db`);
      await writeDump(dump, passages);
      imports.push({ passages, ...(await importDump(dump, knowledgeFile, directory)) });
    }
    const largest = `${number(Math.max(...dumpSizes))} passages imported`;
    const cases: Case[] = [];
    for (const [knowledge, file, atMost, shows] of [
      ["starter pack", undefined, maxMs.starterPack, [undefined, "frasier"]],
      [largest, knowledgeFile, maxMs.imported, [undefined, "frasier", importedShow]],
    ] as const) {
      const service = await startService({
        providerOrigin: provider.origin,
        cpuProfiles,
        ...(file !== undefined && { knowledgeFile: file }),
      });
      for (const show of shows) {
        const about = show === undefined ? "all shows" : show === importedShow ? "the imported show" : "one show";
        cases.push({ knowledge, about, atMost, played: await play(service.server.origin, show, games) });
      }
      await service.stop();
    }
    await provider.close();
    await removeDirectory(directory);
    return {
      title: "The trivia game",
      about: `${number(games)} games of ten questions for each line, one request at a time, durability included. A dump has a page for each fifty passages, and two facts a page; it is imported by \`npm run trivia:import -- --file\`, as fast as one core can.`,
      tables: [
        {
          head: [
            "knowledge",
            "about",
            "start a game p50",
            "p99",
            "answer, and the next question p50",
            "p99",
            "the first",
          ],
          rows: cases.map(({ knowledge, about, played: { start, answer, first } }) => [
            knowledge,
            about,
            milliseconds(start.p50),
            milliseconds(start.p99),
            milliseconds(answer.p50),
            milliseconds(answer.p99),
            about === "all shows" ? milliseconds(first) : "",
          ]),
        },
        {
          head: ["passages imported", "time", "passages a second", "memory at peak (RSS)"],
          rows: imports.map(({ passages, milliseconds: took, peakBytes }) => [
            number(passages),
            milliseconds(took),
            number((passages / took) * 1_000),
            mebibytes(peakBytes),
          ]),
        },
      ],
      bounds: [
        ...["starter pack", largest].map((name) => {
          const own = cases.filter(({ knowledge }) => knowledge === name);
          return {
            what: `a question, ${name}`,
            measured: Math.max(...own.flatMap(({ played: { start, answer } }) => [start.p50, answer.p50])),
            atMost: own[0]?.atMost ?? 0,
            write: milliseconds,
          };
        }),
        {
          what: "memory of an import, smallest to largest dump",
          measured: (imports.at(-1)?.peakBytes ?? 0) / (imports[0]?.peakBytes ?? 0),
          atMost: maxMemoryRatio,
          write: times,
        },
      ],
      remarks: [
        "A bound's figure is the slowest p50 of its lines. The first question after a start waits until the facts are loaded and looked through.",
      ],
      charts: [],
      isDisturbed: false,
      costs: [],
    };
  },
};
