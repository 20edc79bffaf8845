/** What a process has used so far, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

export type ProcessUsage = {
  /** CPU time, user and system, of all threads together, in milliseconds. */
  readonly cpuMs: number;
  /** The same by thread: `main`, each worker by its name, and `V8` for garbage collection and compilation. */
  readonly threadsMs: Readonly<Record<string, number>>;
  /** How long the main thread could have run, but its core was taken. */
  readonly mainWaitedMs: number;
};

const pageBytes = 4_096;

/**
 * From `schedstat`, as the times in `stat` are whole hundredths of a second. It begins with nanoseconds on the CPU, and
 * waiting for one (https://docs.kernel.org/scheduler/sched-stats.html).
 */
export function processUsage(pid: number): ProcessUsage {
  const threadsMs: Record<string, number> = {};
  let mainWaitedMs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ran, waited] = read(`/proc/${pid}/task/${thread}/schedstat`).split(" ").map(Number);
    const name = roleOf(read(`/proc/${pid}/task/${thread}/comm`).trim());
    threadsMs[name] = (threadsMs[name] ?? 0) + (ran ?? 0) / 1e6;
    if (thread === String(pid)) mainWaitedMs = (waited ?? 0) / 1e6;
  }
  const cpuMs = Object.values(threadsMs).reduce((sum, milliseconds) => sum + milliseconds, 0);
  return { cpuMs, threadsMs, mainWaitedMs };
}

/** Resident memory now, in bytes. */
export function memoryOf(pid: number): number {
  return Number(read(`/proc/${pid}/statm`).split(" ")[1]) * pageBytes;
}

function roleOf(threadName: string): string {
  if (threadName === "node-MainThread" || threadName === "node") return "main";
  if (/^(node-V8Worker|DelayedTask|SignalInsp|libuv-worker|iou-)/.test(threadName)) return "V8 and I/O helpers";
  return threadName;
}

/** Empty for a thread that has just ended. */
function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
