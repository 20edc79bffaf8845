/** What a process has used so far, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

export type ProcessUsage = {
  /** CPU time, user and system, of all threads together, in milliseconds. */
  readonly cpuMs: number;
  /** The same by thread: `main`, each worker by its name, and `V8` for garbage collection and compilation. */
  readonly threadsMs: Readonly<Record<string, number>>;
};

const pageBytes = 4_096;

/** Nanoseconds on the CPU come first (https://docs.kernel.org/scheduler/sched-stats.html); `stat` has hundredths. */
export function processUsage(pid: number): ProcessUsage {
  const threadsMs: Record<string, number> = {};
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [nanoseconds] = read(`/proc/${pid}/task/${thread}/schedstat`).split(" ");
    const name = roleOf(read(`/proc/${pid}/task/${thread}/comm`).trim());
    threadsMs[name] = (threadsMs[name] ?? 0) + Number(nanoseconds) / 1e6;
  }
  const cpuMs = Object.values(threadsMs).reduce((sum, milliseconds) => sum + milliseconds, 0);
  return { cpuMs, threadsMs };
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
