/** Processes that a test has started and, because it failed, not ended: they go with the tests' own process. */
import type { ChildProcess } from "node:child_process";

const leftOver = new Set<() => void>();

process.on("exit", endAll);
// Vitest ends a worker that something keeps alive by this signal, and then Node announces no exit.
process.once("SIGTERM", () => {
  endAll();
  process.kill(process.pid, "SIGTERM");
});

function endAll(): void {
  for (const end of leftOver) end();
  leftOver.clear();
}

/** Has `end` called, which must not wait for anything, unless the child is gone by then. */
export function endWithTests(child: ChildProcess, end: () => void): void {
  leftOver.add(end);
  child.once("exit", () => leftOver.delete(end));
}
