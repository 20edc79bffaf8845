/** How a service process is: alive, whole, and holding no more than it should. */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { ask, openSession, readHistory } from "../helpers/client.ts";
import type { Service } from "../helpers/service.ts";
import { canary } from "./request-generator.ts";

export type Condition = {
  /** Open file descriptors, sockets among them. */
  readonly descriptors: number;
  readonly residentBytes: number;
};

export async function conditionOf({ process: { pid } }: Service): Promise<Condition> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return {
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
    residentBytes: Number(/^VmRSS:\s+(?<kilobytes>\d+) kB$/m.exec(status)?.groups?.["kilobytes"]) * 1_024,
  };
}

/** Waits until a process holds no more descriptors than this; gives how many it holds in the end. */
export async function descriptorsDownTo(service: Service, most: number, withinMs: number): Promise<number> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const { descriptors } = await conditionOf(service);
    if (descriptors <= most || performance.now() > deadline) return descriptors;
    await delay(100);
  }
}

/** Holds a conversation as a new guest does. @throws Error where it does not go as always */
export async function converse(baseUrl: string): Promise<void> {
  const ready = await fetch(`${baseUrl}/readyz`);
  if (ready.status !== 200) throw new Error(`/readyz is ${ready.status}: ${await ready.text()}`);
  const { sessionId } = await openSession(baseUrl);
  const events = await ask(baseUrl, sessionId, "Hello! What is your name?");
  const history = await readHistory(baseUrl, sessionId);
  const last = events.at(-1);
  if (last?.type !== "end" || last.data["status"] !== "completed" || history.length !== 2) {
    throw new Error(`The conversation went wrong: ${JSON.stringify({ events, history })}`);
  }
}

/** Lines of a log that should not be there: faults of the service, and whatever repeats what users said. */
export function suspiciousLines(log: readonly string[]): readonly string[] {
  return log.filter((line) => {
    if (line.includes(canary)) return true;
    // What Node itself writes (a warning, a crash) is no JSON.
    if (!line.startsWith("{")) return true;
    const { level } = JSON.parse(line) as { level: string };
    return level === "error" || level === "fatal";
  });
}
