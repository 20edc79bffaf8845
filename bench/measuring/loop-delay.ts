/** How late the event loop of a service is, as the probe inside it tells (targets/loop-probe.ts). */
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Percentiles } from "./round.ts";

/** Milliseconds. */
export type LoopDelay = Percentiles & { readonly max: number };

const lookMs = 5;
const patienceMs = 30_000;

/** What loads the probe into a Node process, which then writes into this file when it is asked. */
export function loopProbe(file: string): Readonly<Record<string, string>> {
  const probe = path.join(import.meta.dirname, "../targets/loop-probe.ts");
  return { NODE_OPTIONS: `--import=${probe}`, LOOP_DELAY_FILE: file };
}

/** Of all the time since it was asked last. Takes as long as the loop is late. @throws Error where it tells nothing at all */
export async function takeLoopDelay(pid: number, file: string): Promise<LoopDelay> {
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const until = performance.now() + patienceMs;
  while (!existsSync(file)) {
    if (performance.now() > until) throw new Error("The service does not tell how late its event loop is");
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return JSON.parse(readFileSync(file, "utf8")) as LoopDelay;
}
