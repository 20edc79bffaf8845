/** From the command that a user types to a service that is ready. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import path from "node:path";
import { median } from "../measuring/statistics.ts";
import { startProvider } from "../provider/provider.ts";
import { milliseconds, number } from "../reporting/units.ts";
import { freePort } from "../targets/free-port.ts";
import { endWithUs, makeDirectory, removeDirectory } from "../targets/leftovers.ts";
import { onAllCores } from "../targets/pinning.ts";
import { repository, startFlags } from "../targets/processes.ts";
import type { Scenario } from "./scenario.ts";
import { databaseSizes } from "./sessions.ts";

const starts = 5;

/** Milliseconds between two looks at whether it is ready. */
const lookMs = 4;

const patienceMs = 30_000;

const maxMs = 1_000;

/** Stands for the port in a command; the service takes it from its environment. */
const portPlace = "{port}";

export const startUp: Scenario = {
  name: "start-up",
  async run({ databases }) {
    const largest = Math.max(...databaseSizes);
    const { file } = await databases.with(largest);
    const provider = await startProvider();
    const npm = ["npm", "start"];
    const bare = [process.execPath, ...startFlags, "src/main.ts"];
    const passThrough = [process.execPath, ...startFlags, "bench/targets/pass-through.ts", provider.origin, portPlace];
    const cases = [
      { what: "`npm start`, new database", command: npm, database: undefined },
      { what: `\`npm start\`, ${number(largest)} sessions`, command: npm, database: file },
      { what: "without npm, new database", command: bare, database: undefined },
      { what: `without npm, ${number(largest)} sessions`, command: bare, database: file },
      { what: "the pass-through", command: passThrough, database: undefined },
    ].map((item) => ({ ...item, took: [] as number[] }));
    // In turns, after one for each that fills the caches.
    for (let start = -1; start < starts; start += 1) {
      for (const { command, database, took } of cases) {
        const milliseconds = await timeStart(command, provider.origin, database);
        if (start >= 0) took.push(milliseconds);
      }
    }
    await provider.close();
    return {
      title: "Start-up",
      about: `From the command to the first 200 of \`/readyz\`, ${starts} times each, on all cores.`,
      tables: [
        {
          head: ["", "p50", "fastest", "slowest"],
          rows: cases.map(({ what, took }) => [
            what,
            milliseconds(median(took)),
            milliseconds(Math.min(...took)),
            milliseconds(Math.max(...took)),
          ]),
        },
      ],
      bounds: cases
        .filter(({ command }) => command === npm)
        .map(({ what, took }) => ({
          what: `ready after ${what}`,
          measured: median(took),
          atMost: maxMs,
          write: milliseconds,
        })),
      remarks: [],
      charts: [],
      isDisturbed: false,
      costs: [],
    };
  },
};

async function timeStart(command: readonly string[], provider: string, database: string | undefined): Promise<number> {
  const directory = await makeDirectory();
  const port = await freePort();
  const [program = "", ...words] = onAllCores(command.map((word) => (word === portPlace ? String(port) : word)));
  const startedAt = performance.now();
  const child = spawn(program, words, {
    cwd: repository,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PORT: String(port),
      OPENAI_BASE_URL: `${provider}/v1`,
      OPENAI_API_KEY: "none",
      OPENAI_MODEL: "bench",
      STORAGE_URL: `sqlite:${database ?? path.join(directory, "chat.db")}`,
    },
    stdio: "ignore",
    // A process group of its own, so that npm and what it started can be ended together.
    detached: true,
  });
  const gone = once(child, "exit");
  const group = -(child.pid as number);
  endWithUs(group, gone);
  try {
    while (!(await isReady(port))) {
      if (child.exitCode !== null || performance.now() - startedAt > patienceMs) {
        throw new Error(`${command.join(" ")} did not become ready`);
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    return performance.now() - startedAt;
  } finally {
    if (child.exitCode === null) process.kill(group, "SIGTERM");
    await gone;
    await untilClosed(port);
    await removeDirectory(directory);
  }
}

/** npm may be gone before the service that it started. */
async function untilClosed(port: number): Promise<void> {
  while (await isReady(port)) await new Promise((resolve) => setTimeout(resolve, lookMs));
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: "127.0.0.1", port, path: "/readyz", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("error", () => resolve(false));
  });
}
