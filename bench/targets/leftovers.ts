/** What must not outlive this process, however it ends: the processes that it started, and their files. */
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

const directories = new Set<string>();

/** Ids as `kill` takes them: negative for a group. */
const processes = new Set<number>();

export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-bench-"));
  directories.add(directory);
  return directory;
}

export async function removeDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  directories.delete(directory);
}

/** Until `gone` resolves, the process or group is killed when this process ends. */
export function endWithUs(id: number, gone: Promise<unknown>): void {
  processes.add(id);
  gone.finally(() => processes.delete(id));
}

process.on("exit", () => {
  for (const id of processes) killQuietly(id);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

function killQuietly(id: number): void {
  try {
    process.kill(id, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
