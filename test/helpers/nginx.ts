/** A real nginx as a real process, with the configuration of deploy/nginx in front of whatever a test has. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { programPath } from "./debian-packages.ts";
import { onFreePort } from "./free-port.ts";
import { endWithTests } from "./left-over.ts";

const deployed = path.join(import.meta.dirname, "../../deploy/nginx");

export type NginxOptions = {
  /** Base URLs of the replicas. */
  readonly upstreams: readonly string[];
  /** For controls: a line of the configuration that is taken out, or another one in its place. */
  readonly replace?: { readonly line: string; readonly by?: string };
};

export type Nginx = {
  /** Such as `http://127.0.0.1:21234`. */
  readonly baseUrl: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** What it has written to its error log so far. */
  readonly errorLog: string;
  /** The lines of its access log so far; a request has one once it is over. */
  accessLog(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Takes other replicas, and resolves once no new request goes to the old ones. */
  reload(upstreams: readonly string[]): Promise<void>;
  /** Cuts all connections and resolves once it is gone. */
  close(): Promise<void>;
};

/** Starts nginx on a free port and resolves once it takes connections. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const program = await programPath("nginx");
  const directory = await mkdtemp(path.join(tmpdir(), "chat-nginx-"));
  // Started by root, its workers are nobody.
  await chmod(directory, 0o755);
  const started = onFreePort(async (port) => {
    await writeConfiguration(directory, port, options);
    const process = await startProcess(program, directory, port);
    return process && { port, ...process };
  });
  started.catch(() => rm(directory, { recursive: true }));
  const { port, child, errors } = await started;
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    port,
    process: child,
    get errorLog() {
      return errors.join("");
    },
    async accessLog() {
      const text = await readFile(path.join(directory, "access.log"), "utf8");
      return text.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line)));
    },
    async reload(upstreams) {
      await writeConfiguration(directory, port, { ...options, upstreams });
      const workers = workersOf(child);
      child.kill("SIGHUP");
      while (workers.some(takesConnections)) await delay(5);
    },
    async close() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGTERM");
      await gone;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The files as they are deployed, but for the port, the replicas, and what a control replaces. */
async function writeConfiguration(directory: string, port: number, { upstreams, replace }: NginxOptions) {
  const local = await readFile(path.join(deployed, "local.conf"), "utf8");
  const files = {
    "nginx.conf": withPorts(local, port, upstreams),
    "chat-http.conf": await readFile(path.join(deployed, "chat-http.conf"), "utf8"),
    "chat-server.conf": await readFile(path.join(deployed, "chat-server.conf"), "utf8"),
  };
  const written = Object.entries(files).map(([name, text]) => ({ name, text: without(text, replace) }));
  if (replace !== undefined && written.every(({ name, text }) => text === files[name as keyof typeof files])) {
    throw new Error(`No line of deploy/nginx is "${replace.line}"`);
  }
  for (const { name, text } of written) await writeFile(path.join(directory, name), text);
}

function withPorts(configuration: string, port: number, upstreams: readonly string[]): string {
  const replicas = /(?:^ *server 127\.0\.0\.1:\d+(?<parameters>.*);\n)+/m;
  const parameters = replicas.exec(configuration)?.groups?.["parameters"];
  const listen = "listen 127.0.0.1:8000;";
  if (parameters === undefined || !configuration.includes(listen)) throw new Error("local.conf is not as it was");
  const lines = upstreams.map((url) => `server ${new URL(url).host}${parameters};\n`);
  return configuration.replace(replicas, lines.join("")).replace(listen, `listen 127.0.0.1:${port};`);
}

function without(text: string, replace: NginxOptions["replace"]): string {
  if (replace === undefined) return text;
  return text.replace(new RegExp(`^ *${RegExp.escape(replace.line)}$`, "m"), replace.by ?? "");
}

type Started = { readonly child: ChildProcess; readonly errors: readonly string[] };

/** Undefined when the port is taken. @throws Error with what it has said when it does not start */
async function startProcess(program: string, directory: string, port: number): Promise<Started | undefined> {
  const configuration = path.join(directory, "nginx.conf");
  const child = spawn(program, ["-p", directory, "-c", configuration, "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const errors: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  endWithTests(child, () => {
    // By SIGKILL its workers would stay.
    child.kill("SIGTERM");
    rmSync(directory, { recursive: true, force: true });
  });
  const over = once(child, "close").then(() => false);
  while (!(await takesConnection(port))) {
    if (await Promise.race([over, delay(5, true)])) continue;
    if (errors.join("").includes("Address already in use")) return undefined;
    throw new Error(`nginx exited with ${child.exitCode ?? child.signalCode}:\n${errors.join("")}`);
  }
  return { child, errors };
}

async function takesConnection(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function workersOf({ pid }: ChildProcess): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
}

/** A worker that is told to go finishes what it has, and says so in its title. */
function takesConnections(worker: string): boolean {
  try {
    return !/shutting down|^$/.test(readFileSync(`/proc/${worker}/cmdline`, "utf8"));
  } catch {
    return false;
  }
}
