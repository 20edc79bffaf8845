/**
 * Loaded into the real service before its own code (`NODE_OPTIONS=--import`), as the product has no door for it: on
 * SIGUSR2 the process gets the trouble that `FAULT` names.
 */
import { openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { BroadcastChannel, isMainThread, workerData } from "node:worker_threads";

const channelName = "faults";

const hoard: unknown[] = [];

function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

const faults = {
  throws: () => {
    throw new Error("Thrown by a test");
  },
  rejects: () => void Promise.reject(new Error("Rejected by a test")),
  "keeps-throwing": () => {
    setInterval(() => {
      throw new Error("Thrown by a test, again and again");
    }, 20);
  },
  "blocks-its-loop": () => void setInterval(() => block(300), 310),
  "fills-its-heap": () => {
    // To 90 of the 100 MB that it may have, in small pieces.
    while (process.memoryUsage().heapUsed < 90 * 1024 * 1024) {
      hoard.push(Array.from({ length: 1_000 }, (_, index) => ({ index })));
    }
  },
  "opens-descriptors": () => {
    for (let index = 0; index < 200; index += 1) hoard.push(openSync("/dev/null", "r"));
  },
  "loses-its-writer": () => new BroadcastChannel(channelName).postMessage("end"),
  /** Not on a signal: the database threads find it when they start. */
  "has-an-old-database": () => undefined,
} as const;

export type Fault = keyof typeof faults;

/** What to start the service with so that `SIGUSR2` causes it. */
export function faultEnvironment(fault: Fault, options = ""): Record<string, string> {
  return { NODE_OPTIONS: `--import ${import.meta.filename} ${options}`.trim(), FAULT: fault };
}

const fault = process.env["FAULT"] as Fault | undefined;
if (!isMainThread && (workerData as { role?: string } | null)?.role === "writer") {
  if (fault === "loses-its-writer") {
    const channel = new BroadcastChannel(channelName);
    channel.onmessage = () => {
      throw new Error("Ended by a test");
    };
    // Alone it keeps no thread alive.
    (channel as unknown as { unref(): void }).unref();
  }
  if (fault === "has-an-old-database") {
    const prepare = DatabaseSync.prototype.prepare;
    DatabaseSync.prototype.prepare = function (sql, ...rest) {
      return prepare.call(this, sql.replace("sqlite_version()", "'3.51.2'"), ...rest);
    };
  }
}
if (isMainThread && fault !== undefined) {
  process.on("SIGUSR2", () => {
    // Outside of the signal's own turn, like any other callback.
    setTimeout(() => faults[fault](), 1);
  });
}
