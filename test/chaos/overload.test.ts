/** A service with more to do than it can, as a real process under a real shortage (faults.md, H6, H7 and F6). */
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession, problemOf, readHistory, receive, send } from "../helpers/client.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { faultEnvironment } from "../helpers/faults.ts";
import { type Service, startService } from "../helpers/service.ts";
import { failSystemCalls, noStrace } from "../helpers/system-calls.ts";

let directory: string;
const running: Service[] = [];
const closing: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-overload-"));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  for (const service of running.splice(0)) await service.end("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function start(environment: Record<string, string>, limits: { descriptors?: number } = {}): Promise<Service> {
  const service = await startService({ STORAGE_URL: `sqlite:${directory}/chat.db`, ...environment }, limits);
  running.push(service);
  return service;
}

async function startWithProvider(environment: Record<string, string>, limits: { descriptors?: number } = {}) {
  const provider = await startFakeProvider({ record: false });
  closing.push(() => provider.close());
  return start({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "slow-drip", ...environment }, limits);
}

async function loadOf({ baseUrl }: Service): Promise<readonly string[]> {
  const response = await fetch(`${baseUrl}/readyz`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { load: { reasons: readonly string[] } }).load.reasons;
}

/** What holds in every overload: new work is refused, a turn that runs goes on, is followed and is stopped. */
async function expectOnlyNewWorkIsRefused({ baseUrl }: Service, sessionId: string, idle: string): Promise<void> {
  const refused = await send(baseUrl, idle, "Too much");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await problemOf(refused)).toMatchObject({ status: 503, code: "overloaded", retryable: true });
  expect((await fetch(`${baseUrl}/?username=TR`)).status).toBe(503);
  expect(await readHistory(baseUrl, idle)).toEqual([]);
  expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
  const followed = await fetch(`${baseUrl}/chat/${sessionId}`);
  expect(followed.status).toBe(200);
  const types: string[] = [];
  for await (const { type } of receive(followed)) {
    types.push(type);
    if (types.length === 1) {
      const stopped = await fetch(`${baseUrl}/chat/${sessionId}`, { method: "DELETE" });
      expect(await stopped.json()).toMatchObject({ status: "stopped" });
    }
  }
  expect(types.at(-1)).toBe("end");
}

describe("H6", () => {
  test("an event loop that is held up again and again is noticed within 10 s; new turns are refused, the rest goes on", async () => {
    const service = await startWithProvider(faultEnvironment("blocks-its-loop"));
    const { sessionId } = await openSession(service.baseUrl);
    const { sessionId: idle } = await openSession(service.baseUrl);
    expect((await send(service.baseUrl, sessionId, "Hello")).status).toBe(200);
    // The negative control: an ordinary load is none, for longer than it takes to notice one.
    const before = performance.now();
    while (performance.now() - before < 5_500) expect(await loadOf(service)).toEqual([]);
    service.process.kill("SIGUSR2");
    await expect.poll(() => loadOf(service), { timeout: 12_000, interval: 500 }).toEqual(["event_loop"]);
    await expectOnlyNewWorkIsRefused(service, sessionId, idle);
    expect(service.log.join("\n")).toMatch(/"level":"warn".*"reasons":\["event_loop"\].*Overloaded/);
  });

  test("a heap that is nearly full is noticed; new turns are refused, the rest goes on", async () => {
    const service = await startWithProvider(faultEnvironment("fills-its-heap", "--max-old-space-size=100"));
    const { sessionId } = await openSession(service.baseUrl);
    const { sessionId: idle } = await openSession(service.baseUrl);
    expect((await send(service.baseUrl, sessionId, "Hello")).status).toBe(200);
    expect(await loadOf(service)).toEqual([]);
    service.process.kill("SIGUSR2");
    await expect.poll(() => loadOf(service), { timeout: 5_000, interval: 200 }).toEqual(["memory"]);
    await expectOnlyNewWorkIsRefused(service, sessionId, idle);
  });
});

describe("H7: a process that may have 256 descriptors", () => {
  test("that are nearly all open: new turns and streams are refused, stops and health are not", async () => {
    const service = await startWithProvider(faultEnvironment("opens-descriptors"), { descriptors: 256 });
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    const { sessionId: idle } = await openSession(baseUrl);
    expect((await send(baseUrl, sessionId, "Hello")).status).toBe(200);
    expect(await loadOf(service)).toEqual([]);
    service.process.kill("SIGUSR2");
    await expect.poll(() => loadOf(service), { timeout: 5_000, interval: 100 }).toEqual(["descriptors"]);
    for (const response of [await send(baseUrl, idle, "Too much"), await fetch(`${baseUrl}/chat/${sessionId}`)]) {
      expect(await problemOf(response)).toMatchObject({ status: 503, code: "overloaded" });
    }
    const stopped = await fetch(`${baseUrl}/chat/${sessionId}`, { method: "DELETE" });
    expect(await stopped.json()).toMatchObject({ status: "stopped" });
    expect(await readHistory(baseUrl, sessionId)).toHaveLength(2);
  });

  test("takes streams until about 100 connections are left, and stops and health beyond; more than 0.8 of the limit are refused, and it survives", async () => {
    const service = await startWithProvider({}, { descriptors: 256 });
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    expect((await send(baseUrl, sessionId, "Hello")).status).toBe(200);
    const agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
    closing.push(() => agent.destroy());
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 130; count += 1) {
      statuses.push(await statusWith(agent, `${baseUrl}/chat/${sessionId}`));
    }
    const streams = statuses.filter((status) => status === 200).length;
    // 0.8 × 256 − 100, less the few connections of this test's own.
    expect(streams).toBeGreaterThan(90);
    expect(streams).toBeLessThanOrEqual(105);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));

    const { hostname, port } = new URL(baseUrl);
    const crowd = await Promise.all(Array.from({ length: 300 }, () => connectOrNot(Number(port), hostname)));
    closing.push(() => {
      for (const socket of crowd) socket.destroy();
    });
    await expect.poll(() => crowd.filter((socket) => socket.closed).length).toBeGreaterThan(150);
    expect(crowd.filter((socket) => !socket.closed).length).toBeGreaterThan(50);
    for (const socket of crowd.splice(0)) socket.destroy();

    await expect
      .poll(() =>
        fetch(`${baseUrl}/chat/${sessionId}`, { method: "DELETE" }).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
    expect(service.log.join("\n")).not.toMatch(/EMFILE|"level":"(fatal|error)"/);
  });
});

/** Leaves the answer open. */
function statusWith(agent: http.Agent, url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (response) => {
      resolve(response.statusCode);
      if (response.statusCode === 200) response.on("error", () => undefined);
      else response.resume();
    });
    request.on("error", reject);
  });
}

async function connectOrNot(port: number, host: string): Promise<net.Socket> {
  const socket = net.connect(port, host).on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  socket.resume();
  return socket;
}

describe("F6: a disk that takes long to sync", () => {
  test("when a write has waited for 2 s, prompts are refused with 503 overloaded before acceptance; the loop stays quick, and what was accepted is there", async ({
    skip,
  }) => {
    const service = await start({ DEMO_WORD_DELAY_MS: "0" });
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    const { sessionId: other } = await openSession(baseUrl);
    // Of no use to the storage, so it waits for nothing: 400, or 503 where new work is refused before it is looked at.
    const probe = () => fetch(`${baseUrl}/chat/${other}`, { method: "PUT", body: "no JSON" });
    const callOff = await failSystemCalls(service, "fsync,fdatasync:delay_enter=5000000:when=1+");
    if (callOff === undefined) return skip(noStrace);
    closing.push(callOff);
    const sent = performance.now();
    const accepted = send(baseUrl, sessionId, "Slow");
    let probed = await probe();
    expect(probed.status).toBe(415);
    let slowest = 0;
    while (probed.status !== 503 && performance.now() - sent < 4_500) {
      await delay(50);
      const asked = performance.now();
      probed = await probe();
      slowest = Math.max(slowest, performance.now() - asked);
    }
    expect(performance.now() - sent).toBeGreaterThan(2_000);
    expect(slowest).toBeLessThan(1_000);
    expect(await problemOf(probed)).toMatchObject({ status: 503, code: "overloaded" });
    expect(await problemOf(await send(baseUrl, other, "Too late"))).toMatchObject({ code: "overloaded" });
    expect((await accepted).status).toBe(200);
    await callOff();
    await (await accepted).text();
    expect(await readHistory(baseUrl, sessionId)).toMatchObject([{ status: "completed" }, {}]);
    expect(await readHistory(baseUrl, other)).toEqual([]);
    await expect.poll(async () => (await send(baseUrl, other, "Now")).status, { timeout: 5_000 }).toBe(200);
  });
});
