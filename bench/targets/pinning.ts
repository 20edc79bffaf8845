/** One core for what is measured, the other for the provider and the clients, where the system can do that. */
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";

const loadCore = 0;
export const measuredCore = 1;
const allCores = `0-${cpus().length - 1}`;

function hasTaskset(): boolean {
  if (availableParallelism() < 2) return false;
  try {
    execFileSync("taskset", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export const isPinned = hasTaskset();

/** Keeps this process, which plays the provider and the clients, off the core of what it measures. */
export function pinThisProcess(): void {
  moveThisProcess(String(loadCore));
}

/** For work of its own, while nothing is measured. */
export function unpinThisProcess(): void {
  moveThisProcess(allCores);
}

function moveThisProcess(cores: string): void {
  if (isPinned) execFileSync("taskset", ["-a", "-c", "-p", cores, String(process.pid)], { stdio: "ignore" });
}

/** The command line that runs a command on the measured core; the process has the id that `spawn` gives. */
export function onMeasuredCore(command: readonly string[]): readonly string[] {
  return isPinned ? ["taskset", "-c", String(measuredCore), ...command] : command;
}

/** The command line that runs a command as a user would, on whatever core is free. */
export function onAllCores(command: readonly string[]): readonly string[] {
  return isPinned ? ["taskset", "-c", allCores, ...command] : command;
}
