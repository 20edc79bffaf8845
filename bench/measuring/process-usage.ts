/** What a process has used so far, from Linux's /proc. */
import { readdirSync, readFileSync } from "node:fs";

export type ProcessUsage = {
  /** CPU time, user and system, of all threads together, in milliseconds. */
  readonly cpuMs: number;
  /** The same by thread: `main`, each worker by its name, and `V8` for garbage collection and compilation. */
  readonly threadsMs: Readonly<Record<string, number>>;
};

const pageBytes = 4_096;
const clockTickMs = 10;

/**
 * From `schedstat`, which begins with the nanoseconds on the CPU (https://docs.kernel.org/scheduler/sched-stats.html);
 * the times in `stat` are whole hundredths of a second.
 */
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

/** How long a core has been busy since the machine started, with whatever, in milliseconds (proc_stat(5)). */
export function coreBusyMs(core: number): number {
  const line = read("/proc/stat")
    .split("\n")
    .find((line) => line.startsWith(`cpu${core} `));
  const [user = 0, nice = 0, system = 0, _idle, _iowait, irq = 0, softirq = 0, steal = 0] = (line ?? "")
    .split(" ")
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * clockTickMs;
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
