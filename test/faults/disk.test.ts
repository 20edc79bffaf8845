/** A disk that is full, fails to sync, fails to write, or gave back other bytes than it was given (faults.md, group F). */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, stat, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import type { Lease } from "../../src/storage/storage.ts";
import { ask, authorized, openSession, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { type Service, startService } from "../helpers/service.ts";
import { beginTurn, openTestSession } from "../helpers/storage.ts";
import { failSystemCalls, noStrace } from "../helpers/system-calls.ts";

let directory: string;
let file: string;
let started: Service[] = [];
let mounted: string | undefined;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-faults-"));
  file = path.join(directory, "chat.db");
});
afterEach(async () => {
  // Most have ended already, and only their working directories are left.
  for (const service of started) await service.end("SIGKILL");
  started = [];
  if (mounted !== undefined) execFileSync("umount", ["--lazy", mounted]);
  mounted = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<Service> {
  const service = await startService({ STORAGE_URL: `sqlite:${file}`, ...environment });
  started.push(service);
  return service;
}

function hasExited({ process: { exitCode, signalCode } }: Service): boolean {
  return exitCode !== null || signalCode !== null;
}

/** The exit code, or "still running" when the process does not end within the time. */
async function exitWithin(service: Service, milliseconds: number): Promise<number | null | "still running"> {
  if (!hasExited(service)) await Promise.race([once(service.process, "exit"), delay(milliseconds)]);
  return hasExited(service) ? service.process.exitCode : "still running";
}

async function prompts({ baseUrl }: Service, sessionId: string): Promise<string[]> {
  const history = await readHistory(baseUrl, sessionId);
  return history.filter(({ role }) => role === "user").map(({ content }) => content);
}

/** Nothing that a client is told holds the words of the database's driver or of the operating system. */
/** Resolves once each of these sessions has the begin of its first answer: what ends before that has failed. */
async function answersBegun({ baseUrl }: Service, sessionIds: readonly string[]): Promise<void> {
  const begun = async (sessionId: string) =>
    (await readHistory(baseUrl, sessionId)).some(({ role, content }) => role === "assistant" && content !== "");
  for (const sessionId of sessionIds) await expect.poll(() => begun(sessionId), { timeout: 10_000 }).toBe(true);
}

const drivers = /sqlite|malformed|disk image|i\/o error|ENOSPC|EIO|errcode|node:|\.ts\b/i;

async function expectRefusal(response: Response, status: number, code: string): Promise<void> {
  const text = await response.clone().text();
  expect(await problemOf(response)).toMatchObject({ status, code });
  expect(text).not.toMatch(drivers);
}

const shapes = ["text/event-stream", "application/json", "text/plain"];

describe("F3: a full disk", () => {
  /** Puts the database on a disk of its own that a file can fill; gives why not where that is not possible. */
  function mountDisk(megabytes: number): string | undefined {
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory], { stdio: "pipe" });
      mounted = directory;
      return undefined;
    } catch {
      return "mounting a small tmpfs needs root and CAP_SYS_ADMIN";
    }
  }

  /** Too small for a reserve. */
  const mountSmallDisk = () => mountDisk(4);

  const reserve = () => stat(`${file}.reserve`).catch(() => undefined);

  /** On a disk that has room for a reserve, once that is made. */
  async function startWithReserve(environment: Record<string, string> = {}): Promise<Service> {
    const service = await start(environment);
    await expect.poll(reserve, { timeout: 10_000 }).toMatchObject({ size: 16 * 1024 * 1024 });
    return service;
  }

  const ballast = () => path.join(directory, "ballast");

  async function fillDisk(): Promise<void> {
    const handle = await open(ballast(), "w");
    // What is free now, and not what the service may free meanwhile: that is for the ends of its turns.
    const { bavail, bsize } = await statfs(path.dirname(ballast()));
    let left = bavail * bsize;
    // Ever smaller pieces, until not one byte is left.
    for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
      while (left > 0) {
        try {
          const { bytesWritten } = await handle.write(Buffer.alloc(Math.min(size, left), "x"));
          left -= bytesWritten;
          if (bytesWritten < size) break;
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
          break;
        }
      }
    }
    await handle.close();
  }

  const freeDisk = () => rm(ballast());

  test("refuses prompts and sessions with 507 storage_full and stores none, reading goes on, and it recovers when space is freed", async ({
    skip,
  }) => {
    const obstacle = mountSmallDisk();
    if (obstacle !== undefined) skip(obstacle);
    const service = await start();
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    await ask(baseUrl, sessionId, "Before");
    const before = await readHistory(baseUrl, sessionId);
    expect(before).toHaveLength(2);

    await fillDisk();
    for (const accept of shapes) {
      const refused = await send(baseUrl, sessionId, "Does not fit", { accept });
      await expectRefusal(refused, 507, "storage_full");
    }
    await expectRefusal(await fetch(`${baseUrl}/?username=TR`), 507, "storage_full");
    const many = Array.from({ length: 20 }, () => send(baseUrl, sessionId, "Does not fit"));
    for (const response of await Promise.all(many)) await expectRefusal(response, 507, "storage_full");
    expect(await readHistory(baseUrl, sessionId)).toEqual(before);
    const replay = await Array.fromAsync(receive(await fetch(`${baseUrl}/chat/${sessionId}/1`)));
    expect(textOf(replay)).toBe(before[1]?.content);
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);

    await freeDisk();
    expect((await ask(baseUrl, sessionId, "After")).at(-1)?.data["status"]).toBe("completed");
    expect((await fetch(`${baseUrl}/?username=TR`)).status).toBe(200);
    expect(await prompts(service, sessionId)).toEqual(["Before", "After"]);
    expect(await service.end("SIGTERM")).toBe(0);
    const restarted = await start();
    expect(await prompts(restarted, sessionId)).toEqual(["Before", "After"]);
    expect(await restarted.end("SIGTERM")).toBe(0);
  });

  test("makes /readyz 503 until there is space", async ({ skip }) => {
    const obstacle = mountSmallDisk();
    if (obstacle !== undefined) skip(obstacle);
    const { baseUrl } = await start();
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
    await fillDisk();
    const status = async () => (await fetch(`${baseUrl}/readyz`)).status;
    await expect.poll(status, { timeout: 4_000, interval: 200 }).toBe(503);
    await freeDisk();
    await expect.poll(status, { timeout: 4_000, interval: 200 }).toBe(200);
  });

  test("without a reserve (the negative control) ends the turn in mid-answer as incomplete with storage_full only once that fits, with the text that was seen, and lets go of the model server", async ({
    skip,
  }) => {
    const obstacle = mountSmallDisk();
    if (obstacle !== undefined) skip(obstacle);
    const provider = await startFakeProvider();
    const service = await start({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "slow-drip" });
    const { sessionId } = await openSession(service.baseUrl);
    let ended = false;
    const events = ask(service.baseUrl, sessionId, "Hello").finally(() => {
      ended = true;
    });
    const upstream = await provider.request();
    await answersBegun(service, [sessionId]);
    await fillDisk();
    await upstream.closed;
    expect(upstream.abortedAt).toBeDefined();
    await delay(2_500);
    expect({ ended, reserve: await reserve() }).toEqual({ ended: false, reserve: undefined });
    expect(service.log.join("\n")).toMatch(
      /"level":"warn".*Less than 32 MiB.*No reserve for a full disk could be made/,
    );
    await freeDisk();

    const seen = await events;
    expect(seen.slice(-2)).toMatchObject([
      { type: "error", data: { code: "storage_full", retryable: true } },
      { type: "end", data: { status: "incomplete", reason: "storage_full" } },
    ]);
    expect(textOf(seen)).toMatch(/^(drip )+$/);
    const history = await readHistory(service.baseUrl, sessionId);
    expect(history[1]).toMatchObject({ status: "incomplete", content: textOf(seen) });
    expect(await service.end("SIGTERM")).toBe(0);
    await provider.close();
  });

  test("in mid-answer ends every running turn as incomplete with storage_full while it is full, with the text that was seen, and lets go of the model server", async ({
    skip,
  }) => {
    const obstacle = mountDisk(64);
    if (obstacle !== undefined) skip(obstacle);
    const provider = await startFakeProvider();
    const service = await startWithReserve({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "slow-drip" });
    const { baseUrl } = service;
    const sessionIds: string[] = [];
    // So few and so soon that the log was never emptied: one that was has room of its own, which lasts for a while.
    for (let index = 0; index < 8; index += 1) sessionIds.push((await openSession(baseUrl)).sessionId);
    const answers = sessionIds.map((sessionId) => ask(baseUrl, sessionId, "Hello"));
    await answersBegun(service, sessionIds);
    await fillDisk();

    for (const [index, seen] of (await Promise.all(answers)).entries()) {
      expect(seen.slice(-2)).toMatchObject([
        { type: "error", data: { code: "storage_full", retryable: true } },
        { type: "end", data: { status: "incomplete", reason: "storage_full" } },
      ]);
      expect(textOf(seen)).toMatch(/^(drip )+$/);
      const history = await readHistory(baseUrl, sessionIds[index] ?? "");
      expect(history[1]).toMatchObject({ status: "incomplete", content: textOf(seen) });
    }
    for (const { closed } of provider.requests) await closed;
    expect(await reserve()).toBeUndefined();
    expect(service.log.join("\n")).toMatch(/"level":"error".*The disk is full: running answers end/);
    await service.end("SIGKILL");

    await freeDisk();
    const restarted = await start();
    for (const sessionId of sessionIds) {
      expect((await readHistory(restarted.baseUrl, sessionId))[1]).toMatchObject({ status: "incomplete" });
    }
    await restarted.end("SIGTERM");
    await provider.close();
  });

  test("with its reserve in use takes nothing new, but reads, stops, deletes and finds what was sent before; with space it goes on by itself", async ({
    skip,
  }) => {
    const obstacle = mountDisk(64);
    if (obstacle !== undefined) skip(obstacle);
    const service = await startWithReserve({ DEMO_WORD_DELAY_MS: "100" });
    const { baseUrl } = service;
    const ready = async () => (await fetch(`${baseUrl}/readyz`)).status;
    const { sessionId } = await openSession(baseUrl);
    const unwanted = await openSession(baseUrl);
    const once = { headers: { "idempotency-key": "sent-before" } };
    const long = "Words to be said again. ".repeat(30);
    const running = Array.fromAsync(receive(await send(baseUrl, sessionId, long, once)));
    const waiting = { headers: { "if-busy": "queue" } };
    const answered = Array.fromAsync(receive(await send(baseUrl, sessionId, "Short", waiting)));
    const stopped = Array.fromAsync(receive(await send(baseUrl, sessionId, "Never mind", waiting)));
    expect(await ready()).toBe(200);
    await answersBegun(service, [sessionId]);
    await fillDisk();

    expect((await running).at(-1)?.data).toMatchObject({ status: "incomplete", reason: "storage_full" });
    await expect.poll(ready, { timeout: 4_000, interval: 200 }).toBe(503);
    for (const accept of shapes) {
      await expectRefusal(await send(baseUrl, sessionId, "Not now", { accept, ...waiting }), 507, "storage_full");
    }
    await expectRefusal(await fetch(`${baseUrl}/?username=TR`), 507, "storage_full");
    expect(textOf(await Array.fromAsync(receive(await send(baseUrl, sessionId, long, once))))).toBe(
      textOf(await running),
    );
    expect((await fetch(`${baseUrl}/chat/${sessionId}/3`, { method: "DELETE" })).status).toBe(200);
    expect((await stopped).at(-1)?.data["status"]).toBe("stopped");
    const headers = authorized(unwanted.token);
    expect((await fetch(`${baseUrl}/sessions/${unwanted.sessionId}`, { method: "DELETE", headers })).status).toBe(204);
    expect((await readHistory(baseUrl, sessionId)).map(({ status }) => status)).toContain("queued");
    // Longer than it takes to look for space again: there is none, so nothing changes.
    await delay(6_000);
    expect([await ready(), await reserve()]).toEqual([503, undefined]);
    expect((await readHistory(baseUrl, sessionId)).map(({ status }) => status)).toContain("queued");

    await freeDisk();
    expect((await answered).at(-1)?.data["status"]).toBe("completed");
    await expect.poll(ready, { timeout: 4_000, interval: 200 }).toBe(200);
    expect(await reserve()).toMatchObject({ size: 16 * 1024 * 1024 });
    expect((await ask(baseUrl, sessionId, "After")).at(-1)?.data["status"]).toBe("completed");
    expect(await prompts(service, sessionId)).toEqual([long, "Short", "Never mind", "After"]);
    expect(await service.end("SIGTERM")).toBe(0);
    expect(await reserve()).toMatchObject({ size: 16 * 1024 * 1024 });
  });

  test("the ends of turns that do not fit into the reserve together are stored one after the other, as many as fit, and the rest with space", async ({
    skip,
  }) => {
    const obstacle = mountDisk(128);
    if (obstacle !== undefined) skip(obstacle);
    const onFatal = (error: Error) => {
      throw error;
    };
    const storage = await openSqliteStorage({ path: file, onFatal });
    await expect.poll(reserve, { timeout: 10_000 }).toMatchObject({ size: 16 * 1024 * 1024 });
    // As large as an answer may be, and nearly twice what fits.
    const text = "x".repeat(1_000_000);
    const running: { lease: Lease; head: number }[] = [];
    for (let index = 0; index < 30; index += 1) {
      const sessionId = await openTestSession(storage);
      const { lease } = await beginTurn(storage, sessionId);
      const events = [
        { type: "turn", session_id: sessionId, turn: 1, model: "m" },
        { type: "text", text },
      ] as const;
      running.push({ lease, head: await storage.turns.append(lease, -1, events) });
    }
    await fillDisk();
    const end = { type: "end", status: "incomplete", finish_reason: null, usage: null, model: "m" } as const;
    /** All at once, as when one commit failed for all of them; gives those that are left. */
    async function settleTogether(turns: typeof running): Promise<typeof running> {
      const settling = turns.map(({ lease, head }) => storage.turns.settle(lease, head, [end], { beginNext: true }));
      const outcomes = await Promise.allSettled(settling);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "storage_full" });
      }
      return turns.filter((_, index) => outcomes[index]?.status === "rejected");
    }
    let left = running;
    for (let round = 0; round < 8; round += 1) left = await settleTogether(left);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThanOrEqual(22);
    await freeDisk();
    expect(await settleTogether(left)).toEqual([]);
    await storage.close();
  });

  test("does not hold up SIGTERM: what cannot be settled now is settled by the next start", async ({ skip }) => {
    const obstacle = mountSmallDisk();
    if (obstacle !== undefined) skip(obstacle);
    const provider = await startFakeProvider();
    const service = await start({
      OPENAI_BASE_URL: provider.baseUrl,
      OPENAI_MODEL: "slow-drip",
      DRAIN_SECONDS: "0.5",
    });
    const { sessionId } = await openSession(service.baseUrl);
    const events = ask(service.baseUrl, sessionId, "Hello");
    await answersBegun(service, [sessionId]);
    await fillDisk();
    service.process.kill("SIGTERM");
    expect(await exitWithin(service, 9_000)).not.toBe("still running");
    const seen = textOf(await events);
    await freeDisk();

    const restarted = await start({ RECOVERY: "interrupt" });
    const [asked, answer] = await readHistory(restarted.baseUrl, sessionId);
    expect(asked?.status).toBe("interrupted");
    expect(answer?.content.startsWith(seen)).toBe(true);
    await restarted.end("SIGTERM");
    await provider.close();
  });
});

describe("F4: an fsync that fails", () => {
  // One at once: a commit of its own. Many: commits that several prompts share.
  test.for([
    { atOnce: 1, nth: 1 },
    { atOnce: 40, nth: 1 },
    { atOnce: 40, nth: 2 },
    { atOnce: 40, nth: 3 },
  ])(
    "the fsync number $nth under $atOnce prompts at once: that batch is not acknowledged, the process exits with 70, and every acknowledged prompt is there after a restart",
    async ({ atOnce, nth }, { skip }) => {
      const service = await start({ DEMO_WORD_DELAY_MS: "0" });
      const sessionIds: string[] = [];
      for (let index = 0; index < atOnce; index += 1) sessionIds.push((await openSession(service.baseUrl)).sessionId);
      const callOff = await failSystemCalls(service, `fsync,fdatasync:error=EIO:when=${nth}`);
      if (callOff === undefined) return skip(noStrace);

      const acknowledged = new Map<string, string[]>(sessionIds.map((id) => [id, []]));
      const refused: Response[] = [];
      let sent = 0;
      const sendUntilGone = async (sessionId: string) => {
        for (let round = 0; round < 5 && !hasExited(service); round += 1) {
          sent += 1;
          const prompt = `Prompt ${sent}`;
          const response = await send(service.baseUrl, sessionId, prompt);
          if (response.status === 200) acknowledged.get(sessionId)?.push(prompt);
          else refused.push(response.clone());
          await response.text();
        }
      };
      // Each until the process takes its connection down with it.
      await Promise.all(sessionIds.map((id) => sendUntilGone(id).catch(() => undefined)));
      expect(await exitWithin(service, 2_000)).toBe(70);
      await callOff();
      for (const response of refused) await expectRefusal(response, 500, "storage_error");
      if (nth === 1) expect([...acknowledged.values()].flat()).toEqual([]);
      expect(service.log.join("\n")).toMatch(/"level":"fatal".*cannot be trusted/);

      const restarted = await start({ RECOVERY: "interrupt" });
      for (const [sessionId, all] of acknowledged) {
        const history = await readHistory(restarted.baseUrl, sessionId);
        expect(history.map(({ content }) => content)).toEqual(expect.arrayContaining(all));
        expect(history.every(({ status }) => status !== "running")).toBe(true);
      }
      expect((await fetch(`${restarted.baseUrl}/readyz`)).status).toBe(200);
      expect(await restarted.end("SIGTERM")).toBe(0);
    },
  );
});

describe("F4: an fsync that fails while the write-ahead log is brought into the file", () => {
  test("ends the process with 70 as well, although the commits themselves were synced; every acknowledged prompt is there after a restart", async ({
    skip,
  }) => {
    const service = await start({ DEMO_WORD_DELAY_MS: "0" });
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    const callOff = await failSystemCalls(service, "fsync,fdatasync:error=EIO:when=1+", file);
    if (callOff === undefined) return skip(noStrace);
    const acknowledged: string[] = [];
    const sendUntilGone = async () => {
      // Some 4 MB, after which the log is brought in.
      for (let count = 0; count < 200 && !hasExited(service); count += 1) {
        const prompt = `${count} ${"x".repeat(60_000)}`;
        const response = await send(baseUrl, sessionId, prompt);
        if (response.status === 200) acknowledged.push(prompt);
        await response.text();
      }
    };
    await sendUntilGone().catch(() => undefined);
    expect(await exitWithin(service, 2_000)).toBe(70);
    await callOff();
    expect(acknowledged.length).toBeGreaterThan(10);
    const restarted = await start();
    expect(await prompts(restarted, sessionId)).toEqual(expect.arrayContaining(acknowledged));
    expect(await restarted.end("SIGTERM")).toBe(0);
  });
});

describe("F4: an fsync that fails while the write-ahead log is emptied after a deletion", () => {
  test("ends the process with 70, although nobody waits for it", async ({ skip }) => {
    const service = await start();
    const { baseUrl } = service;
    const { sessionId, token } = await openSession(baseUrl);
    const callOff = await failSystemCalls(service, "fsync,fdatasync:error=EIO:when=1+", file);
    if (callOff === undefined) return skip(noStrace);
    const headers = authorized(token);
    expect((await fetch(`${baseUrl}/sessions/${sessionId}`, { method: "DELETE", headers })).status).toBe(204);
    expect(await exitWithin(service, 5_000)).toBe(70);
    await callOff();
    const restarted = await start();
    expect((await fetch(`${restarted.baseUrl}/chat_history/${sessionId}`)).status).toBe(404);
    expect(await restarted.end("SIGTERM")).toBe(0);
  });
});

describe("P21: writes that fail", () => {
  test("are refused with storage_error, nothing of them is stored, reading goes on, and it recovers with the disk", async ({
    skip,
  }) => {
    const service = await start();
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    await ask(baseUrl, sessionId, "Before");
    const callOff = await failSystemCalls(service, "pwrite64:error=EIO:when=1+");
    if (callOff === undefined) return skip(noStrace);
    for (const accept of shapes) {
      await expectRefusal(await send(baseUrl, sessionId, "Lost", { accept }), 500, "storage_error");
    }
    await expectRefusal(await fetch(`${baseUrl}/?username=TR`), 500, "storage_error");
    expect(await prompts(service, sessionId)).toEqual(["Before"]);
    await callOff();

    expect((await ask(baseUrl, sessionId, "After")).at(-1)?.data["status"]).toBe("completed");
    await service.end("SIGKILL");
    const restarted = await start();
    expect(await prompts(restarted, sessionId)).toEqual(["Before", "After"]);
    await restarted.end("SIGTERM");
  });
});

describe("F5: a file whose bytes were overwritten", () => {
  const pageBytes = 4_096;

  let sessionIds: string[] = [];
  let whole: Uint8Array;

  beforeAll(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "chat-faults-"));
    const original = path.join(folder, "chat.db");
    const service = await startService({ STORAGE_URL: `sqlite:${original}`, DEMO_WORD_DELAY_MS: "0" });
    sessionIds = [];
    for (let index = 0; index < 8; index += 1) {
      const { sessionId } = await openSession(service.baseUrl);
      await ask(service.baseUrl, sessionId, "A long prompt. ".repeat(1_000));
      sessionIds.push(sessionId);
    }
    await service.end("SIGTERM");
    // Everything into the one file: what a log beside it holds could not be damaged here.
    const database = new DatabaseSync(original);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    whole = await readFile(original);
    await rm(folder, { recursive: true });
  });

  beforeEach(() => writeFile(file, whole));

  /** Overwrites every page of a table or an index; the file is a database still. */
  async function damagePages(name: string): Promise<void> {
    const database = new DatabaseSync(file);
    const pages = database.prepare("SELECT pageno FROM dbstat WHERE name = ?").all(name) as { pageno: number }[];
    database.close();
    expect(pages.length).toBeGreaterThan(0);
    const handle = await open(file, "r+");
    for (const { pageno } of pages)
      await handle.write(Buffer.alloc(pageBytes, 0xff), 0, pageBytes, (pageno - 1) * pageBytes);
    await handle.close();
  }

  const damaged = ["events", "turns", "sessions", "sqlite_autoindex_sessions_1"];

  test.for(damaged)(
    "in %s: reading says storage_corrupt, in no driver's words, as often as it is tried; the process lives on, and the file is not thrown away",
    async (name) => {
      await damagePages(name);
      const service = await start();
      for (const sessionId of [...sessionIds, ...sessionIds.slice(0, 2)]) {
        const history = await fetch(`${service.baseUrl}/chat_history/${sessionId}`);
        await expectRefusal(history, 500, "storage_corrupt");
        const follow = await fetch(`${service.baseUrl}/chat/${sessionId}/1`);
        await expectRefusal(follow, 500, "storage_corrupt");
        const state = await fetch(`${service.baseUrl}/chat/${sessionId}/1`, {
          headers: { accept: "application/json" },
        });
        await expectRefusal(state, 500, "storage_corrupt");
      }
      expect((await fetch(`${service.baseUrl}/healthz`)).status).toBe(200);
      expect(await service.end("SIGTERM")).toBe(0);
      expect((await stat(file)).size).toBe(whole.byteLength);
    },
  );

  test("once that was noticed, /readyz is 503 and writes are refused instead of making it worse", async () => {
    const [sessionId = ""] = sessionIds;
    await damagePages("events");
    const { baseUrl } = await start();
    await expectRefusal(await fetch(`${baseUrl}/chat_history/${sessionId}`), 500, "storage_corrupt");
    const refused = await send(baseUrl, sessionId, "More", { signal: AbortSignal.timeout(3_000) });
    expect(refused.status).toBe(500);
    await expectRefusal(refused, 500, "storage_corrupt");
    await expectRefusal(await fetch(`${baseUrl}/?username=TR`), 500, "storage_corrupt");
    const status = async () => (await fetch(`${baseUrl}/readyz`)).status;
    await expect.poll(status, { timeout: 3_000, interval: 200 }).toBe(503);
  });

  test.for<readonly [name: string, damage: () => Promise<void>]>([
    ["the first page is not SQLite's", async () => overwriteStart()],
    ["the file was cut in half", async () => truncate(file, Math.floor(whole.byteLength / 2 / pageBytes) * pageBytes)],
    ["what every start needs is damaged", async () => damagePages("running_turns")],
  ])("when %s, the start is refused with a sentence that names the file and the backup", async ([_name, damage]) => {
    await damage();
    const { size } = await stat(file);
    const failure = await start().then(
      () => expect.unreachable("The service started"),
      (error: Error) => error.message,
    );
    expect(failure).toMatch(/^The service exited with 1:/);
    const { msg } = JSON.parse(failure.trim().split("\n").at(-1) ?? "") as { msg: string };
    expect(msg).toMatch(/^The service cannot start: .*\.$/);
    expect(msg).toContain(file);
    expect(msg).toMatch(/backup/);
    expect(msg).not.toMatch(/malformed|not a database|disk image/);
    expect((await stat(file)).size).toBe(size);
  });

  async function overwriteStart(): Promise<void> {
    const handle = await open(file, "r+");
    await handle.write(Buffer.alloc(pageBytes, 0xff), 0, pageBytes, 0);
    await handle.close();
  }
});
