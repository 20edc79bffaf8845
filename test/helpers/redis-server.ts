/** A real Redis server as a real process, set up as deploy/redis.conf says. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { programPath } from "./debian-packages.ts";
import { onFreePort } from "./free-port.ts";
import { endWithTests } from "./left-over.ts";
import { type RedisReply, sendRedisCommand } from "./redis-commands.ts";

const deployed = path.join(import.meta.dirname, "../../deploy/redis.conf");

export type RedisServerOptions = {
  /** Lines of its configuration file, such as `{ appendonly: "no", requirepass: "secret" }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Starts a replica of this server, and waits until it has everything. */
  readonly replicaOf?: RedisServer;
};

export type RedisServer = {
  /** With the password where there is one; its database 0. */
  readonly url: string;
  readonly port: number;
  readonly password: string | undefined;
  /** The newest process: a restart makes another one. */
  readonly process: ChildProcess;
  /** Where its data is. */
  readonly directory: string;
  /** Everything that it has logged so far, a line each. */
  readonly log: readonly string[];
  /** Starts it again on its port and its data, after ending it properly where it still runs. */
  restart(): Promise<void>;
  /** Sends a signal that ends the process, `SIGKILL` by default, and resolves once it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the process where it is: its connections stay, and nothing answers. */
  pause(): void;
  resume(): void;
  /** Sends a command over a connection of its own. @throws Error with the server's words when it refuses */
  command(...words: readonly string[]): Promise<RedisReply>;
  /** Ends it, whatever it does, and deletes its data. */
  close(): Promise<void>;
};

/** Starts a server on a free port and resolves once it takes connections. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const program = await programPath("redis-server");
  const directory = await mkdtemp(path.join(tmpdir(), "chat-redis-"));
  const log: string[] = [];
  const started = onFreePort(async (port) => {
    await writeFile(path.join(directory, "redis.conf"), configurationOf(options, port, directory));
    const process = await startProcess(program, directory, log);
    return process && { port, process };
  });
  started.catch(() => rm(directory, { recursive: true }));
  const { port, process: first } = await started;
  let child = first;
  const password = options.config?.["requirepass"];

  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    const gone = exitOf(child);
    child.kill(signal);
    // One that is paused would notice nothing but the worst.
    child.kill("SIGCONT");
    await gone;
  };
  const command = (...words: readonly string[]) => sendRedisCommand(port, password, words);
  const server: RedisServer = {
    url: `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    port,
    password,
    get process() {
      return child;
    },
    directory,
    log,
    async restart() {
      await kill("SIGTERM");
      const next = await startProcess(program, directory, log);
      if (next === undefined) throw new Error(`Port ${port} was taken while the Redis server was down`);
      child = next;
    },
    kill,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    command,
    async close() {
      await kill();
      // A child that it had just forked to write its data outlives it for a moment, and writes on.
      await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
  if (options.replicaOf !== undefined) await untilInStep(server);
  return server;
}

function configurationOf({ config, replicaOf }: RedisServerOptions, port: number, directory: string): string {
  const lines = {
    port,
    dir: `"${directory}"`,
    bind: "127.0.0.1",
    // Otherwise the first replica waits five seconds for others.
    "repl-diskless-sync-delay": 0,
    ...(replicaOf !== undefined && { replicaof: `127.0.0.1 ${replicaOf.port}` }),
    ...(replicaOf?.password !== undefined && { masterauth: replicaOf.password }),
    ...config,
  };
  const written = Object.entries(lines).map(([name, value]) => `${name} ${value === "" ? '""' : value}`);
  return `include "${deployed}"\n${written.join("\n")}\n`;
}

/** Undefined when the port is taken. @throws Error with what it has logged when it does not start */
async function startProcess(program: string, directory: string, log: string[]): Promise<ChildProcess | undefined> {
  const child = spawn(program, [path.join(directory, "redis.conf")], { stdio: ["ignore", "pipe", "pipe"] });
  endWithTests(child, () => {
    child.kill("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });
  const before = log.length;
  const ready = Promise.withResolvers<boolean>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      log.push(line);
      if (line.includes("Ready to accept connections")) ready.resolve(true);
    });
  }
  // By then all that it has logged has been read.
  child.once("close", () => ready.resolve(false));
  if (await ready.promise) return child;
  const lines = log.slice(before).join("\n");
  if (lines.includes("Address already in use")) return undefined;
  throw new Error(`The Redis server exited with ${child.exitCode ?? child.signalCode}:\n${lines}`);
}

async function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function untilInStep(replica: RedisServer): Promise<void> {
  while (!String(await replica.command("INFO", "replication")).includes("master_link_status:up")) await delay(5);
}
