/** A disk that misbehaves: system calls of a real process, tampered with by strace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { expect } from "vitest";
import type { Service } from "./service.ts";

/** Lets system calls of a running service fail, or take long, until it is called off; undefined without strace. */
export async function failSystemCalls(
  service: Service,
  injection: string,
  file?: string,
): Promise<(() => Promise<void>) | undefined> {
  try {
    await access("/usr/bin/strace");
  } catch {
    return undefined;
  }
  const calls = injection.split(":", 1)[0];
  const trace = ["-f", "-p", String(service.process.pid), "-e", `trace=${calls}`, "-e", `inject=${injection}`];
  // Only the calls on one file, where one is named.
  if (file !== undefined) trace.push("-P", file);
  const strace = spawn("/usr/bin/strace", trace, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  strace.stderr.on("data", (chunk) => {
    said += chunk;
  });
  await expect.poll(() => said).toMatch(/attached|ptrace/);
  if (!said.includes("attached")) return undefined;
  return async () => {
    if (strace.exitCode !== null || strace.signalCode !== null) return;
    strace.kill("SIGTERM");
    await once(strace, "exit");
  };
}

export const noStrace = "needs strace, and the right to attach it";
