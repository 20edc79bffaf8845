/** H9: whoever should read the log does not, or its disk is full: the service does not wait for either. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ask, openSession } from "./helpers/client.ts";
import { startArguments } from "./helpers/service.ts";

let directory: string;
const running: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-log-"));
});
afterEach(async () => {
  for (const child of running.splice(0)) if (child.exitCode === null) child.kill("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Starts the service with its standard output as a shell command has it: a real pipe, as a container engine gives. */
async function startUnder(shellCommand: string): Promise<{ baseUrl: string; pid: () => Promise<number> }> {
  const port = await freePort();
  const child = spawn("/bin/sh", ["-c", shellCommand, "sh", process.execPath, ...startArguments], {
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      PORT: String(port),
      STORAGE_URL: "sqlite::memory:",
      DEMO_WORD_DELAY_MS: "0",
      LOG_LEVEL: "trace",
    },
    stdio: ["ignore", "ignore", "ignore"],
  });
  running.push(child);
  const baseUrl = `http://127.0.0.1:${port}`;
  const status = () =>
    fetch(`${baseUrl}/healthz`).then(
      (response) => response.status,
      () => 0,
    );
  await expect.poll(status, { timeout: 25_000, interval: 50 }).toBe(200);
  return { baseUrl, pid: async () => Number(await readFile(path.join(directory, "pid"), "utf8")) };
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(?<kilobytes>\d+) kB$/m.exec(status)?.groups?.["kilobytes"]) / 1024;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Many long lines: the request id that a client sends is in its line. */
async function fillLog(baseUrl: string, requests: number): Promise<number> {
  let slowest = 0;
  for (let count = 0; count < requests; count += 50) {
    const asked = performance.now();
    const headers = { "x-request-id": "x".repeat(64) };
    await Promise.all(
      Array.from({ length: 50 }, async () => (await fetch(`${baseUrl}/nothing`, { headers })).arrayBuffer()),
    );
    slowest = Math.max(slowest, performance.now() - asked);
  }
  return slowest;
}

describe("H9", () => {
  test("a pipe that nobody reads holds up no request; lines beyond a limit are dropped and counted, and a signal still ends the process", async () => {
    const fifo = path.join(directory, "log");
    spawn("mkfifo", [fifo]);
    await expect
      .poll(() =>
        open(fifo, 0x800).then(
          (handle) => handle.close().then(() => true),
          () => false,
        ),
      )
      .toBe(true);
    // Held open for reading and writing, so that the service can start; nobody reads.
    const reader = await open(fifo, "r+");
    const { baseUrl, pid } = await startUnder(`echo $$ > pid; exec "$@" > log`);
    const service = await pid();
    const before = await residentMegabytes(service);
    // Some 1.6 MB of lines; the pipe takes 64 KiB, the service keeps 1 MiB.
    const slowest = await fillLog(baseUrl, 6_000);
    // It would be for ever.
    expect(slowest).toBeLessThan(15_000);
    const { sessionId } = await openSession(baseUrl);
    expect((await ask(baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
    expect((await residentMegabytes(service)) - before).toBeLessThan(150);

    const { buffer } = await reader.read(Buffer.alloc(8 * 1024 * 1024));
    expect(buffer.toString().split("\n")[0]).toContain('"level"');
    let seen = "";
    await expect
      .poll(
        async () => {
          // Another line makes the service look at its log again.
          await fillLog(baseUrl, 50);
          seen += (await reader.read(Buffer.alloc(1024 * 1024))).buffer.toString();
          return /"lines":\d+,"msg":"Log lines were dropped/.test(seen);
        },
        { timeout: 10_000, interval: 100 },
      )
      .toBe(true);

    await fillLog(baseUrl, 1_000);
    process.kill(service, "SIGTERM");
    await expect.poll(() => isAlive(service), { timeout: 20_000, interval: 20 }).toBe(false);
    await reader.close();
  });

  test("a full log disk takes nothing from the service", async () => {
    const { baseUrl, pid } = await startUnder(`echo $$ > pid; exec "$@" > /dev/full`);
    const service = await pid();
    await fillLog(baseUrl, 500);
    const { sessionId } = await openSession(baseUrl);
    expect((await ask(baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
    await delay(200);
    expect(isAlive(service)).toBe(true);
    process.kill(service, "SIGTERM");
    await expect.poll(() => isAlive(service), { timeout: 6_000, interval: 20 }).toBe(false);
  });
});
