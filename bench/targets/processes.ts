/** The service and the pass-through as processes, started alike. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { endWithUs } from "./leftovers.ts";
import { onMeasuredCore } from "./pinning.ts";

export const repository = path.join(import.meta.dirname, "../..");

export type Server = {
  readonly origin: string;
  readonly pid: number;
  /** False once it has ended, for whatever reason. */
  readonly isRunning: boolean;
  /** Resolves once the process is gone. */
  stop(): Promise<void>;
};

type Start = {
  readonly entry: string;
  readonly argument?: string;
  readonly directory: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Words before the command, of a program that gives its place to it. */
  readonly wrapper?: readonly string[];
  /** A directory for `--cpu-prof`. */
  readonly cpuProfiles?: string | undefined;
};

/** What `npm start` gives Node before the entry file, so that both run with the flags that users get. */
export const startFlags = readStartFlags();

function readStartFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  const flags = /^node (.*)src\/main\.ts$/.exec(scripts.start)?.[1];
  if (flags === undefined) throw new Error(`The start script is not understood: ${scripts.start}`);
  return flags.split(" ").filter((flag) => flag !== "");
}

/** The same for a process that starts elsewhere: paths among the flags are meant from here. */
export function startFlagsElsewhere(): readonly string[] {
  return startFlags.map((flag) => (flag.startsWith("./") ? path.join(repository, flag) : flag));
}

/** Starts a Node process on the measured core and resolves once a line of its output names the URL that it serves. */
export async function startServer(start: Start): Promise<Server> {
  const { entry, argument, directory, environment, wrapper = [], cpuProfiles } = start;
  const profiling = cpuProfiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${path.resolve(cpuProfiles)}`];
  const [command = "", ...words] = onMeasuredCore([
    ...wrapper,
    process.execPath,
    ...startFlagsElsewhere(),
    ...profiling,
    path.join(repository, entry),
    ...(argument === undefined ? [] : [argument]),
  ]);
  const child = spawn(command, words, {
    // No `.env` of the developer's is read.
    cwd: directory,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const pid = child.pid as number;
  const gone = once(child, "exit");
  endWithUs(pid, gone);
  return {
    origin: await listening(child, entry),
    pid,
    get isRunning() {
      return child.exitCode === null && child.signalCode === null;
    },
    async stop() {
      child.kill("SIGTERM");
      await gone;
    },
  };
}

function listening(child: ChildProcess, entry: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const output: string[] = [];
  if (child.stdout === null || child.stderr === null) throw new Error("The process has no output");
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    output.push(line);
    const url = /"url":"(?<url>[^"]+)"/.exec(line)?.groups?.["url"];
    if (url === undefined) return;
    resolve(url);
    // From here on its log only has to be taken off its hands, as cheaply as can be.
    lines.close();
    child.stdout?.resume();
  });
  child.stderr.on("data", (text: Buffer) => {
    output.push(String(text));
    process.stderr.write(text);
  });
  child.once("exit", (code) => reject(new Error(`${entry} ended with ${code}:\n${output.join("\n")}`)));
  return promise;
}
