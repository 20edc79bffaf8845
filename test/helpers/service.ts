/** The real service as a real process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { generousLimits } from "./generous-limits.ts";
import { judgeAnswers } from "./judged-services.ts";
import { endWithTests } from "./left-over.ts";

/** As `npm start` and the image start it. */
export const startArguments = [
  "--import",
  path.join(import.meta.dirname, "../../src/compile-cache.js"),
  path.join(import.meta.dirname, "../../src/main.ts"),
];

export type Service = {
  readonly baseUrl: string;
  readonly process: ChildProcess;
  /** Everything that the process has logged so far, a line each. */
  readonly log: readonly string[];
  /** Sends a signal and resolves with the exit code once the process is gone; null when the signal killed it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
};

/** What the process may have at most. */
export type ProcessLimits = { readonly descriptors?: number };

/** Starts the service on a free port and resolves once it listens. */
export async function startService(environment: Record<string, string>, limits: ProcessLimits = {}): Promise<Service> {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-service-"));
  const command = [process.execPath, ...startArguments];
  // The shell gives its place to the service, so that signals reach that.
  const limited =
    limits.descriptors === undefined
      ? command
      : ["/bin/sh", "-c", `ulimit -n ${limits.descriptors} && exec "$@"`, "sh", ...command];
  const [program = "", ...programArguments] = limited;
  const child = spawn(program, programArguments, {
    // An empty working directory: no `.env` of the developer's is read.
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      STORAGE_URL: "sqlite::memory:",
      DEMO_WORD_DELAY_MS: "1",
      ...generousLimits,
      ...environment,
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  const listening = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    log.push(line);
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) listening.resolve(url);
  });
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  endWithTests(child, () => child.kill("SIGKILL"));
  const gone = once(child, "exit").finally(() => rm(directory, { recursive: true, force: true }));
  gone.then(([code]) => listening.reject(new Error(`The service exited with ${code}:\n${log.join("\n")}`)));
  listening.promise.catch(() => undefined);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    const [code] = (await gone) as [number | null];
    return code;
  };
  const baseUrl = await listening.promise;
  judgeAnswers(baseUrl);
  return { baseUrl, process: child, log, end };
}

/** Waits for the end of the process; null when a signal killed it. */
export async function exitOf({ process }: Service): Promise<number | null> {
  if (process.exitCode === null && process.signalCode === null) await once(process, "exit");
  return process.exitCode;
}

/** A request on connections of the test's own choice, which `fetch` does not leave to it. Gives the status. */
export function getWith(agent: http.Agent, url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    request.on("error", reject);
  });
}
