/** How the process begins and ends: draining, signals, refusing to start with a reason, and logs that give nothing away. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text as readAll } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ask,
  authorized,
  openSession,
  problemOf,
  readHistory,
  receive,
  send,
  startTurn,
  textOf,
} from "../helpers/client.ts";
import { type FakeProvider, startFakeProvider } from "../helpers/fake-provider.ts";
import { exitOf, getWith, type Service, startArguments, startService } from "../helpers/service.ts";

const key = "sk-CANARY-key-51d0";

let provider: FakeProvider;
let directory: string;
let file: string;
const running: Service[] = [];

beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-shutdown-"));
  file = path.join(directory, "chat.db");
});
afterEach(async () => {
  // Most have ended already, and only their working directories are left.
  for (const service of running.splice(0)) await service.end("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<Service> {
  const service = await startService({
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: key,
    STORAGE_URL: `sqlite:${file}`,
    ...environment,
  });
  running.push(service);
  return service;
}

/** Sends the signal and resolves once the process acts on it; it still runs then. */
async function beginShutdown(service: Service, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  service.process.kill(signal);
  await expect.poll(() => service.log.some((line) => line.includes("Shutting down")), { interval: 5 }).toBe(true);
}

describe("SIGTERM", () => {
  test("H2: lets a running turn end within DRAIN_SECONDS, then exits with 0, and the database file alone holds everything", async () => {
    const service = await start({ OPENAI_MODEL: "paced-50-20", DRAIN_SECONDS: "20" });
    const { sessionId, events } = await startTurn(service.baseUrl);
    const signalled = performance.now();
    expect(await service.end("SIGTERM")).toBe(0);
    expect(performance.now() - signalled).toBeLessThan(15_000);
    const seen = await events;
    expect(seen.at(-1)?.data).toMatchObject({ status: "completed", usage: { output_tokens: 50 } });
    expect(await readdir(directory)).not.toContain("chat.db-wal");

    const restarted = await start();
    const [, answer] = await readHistory(restarted.baseUrl, sessionId);
    expect(answer).toMatchObject({ status: "completed", content: textOf(seen) });
    await restarted.end("SIGTERM");
  });

  test("H2: a turn that needs longer is left to the next start, which ends it with all that was said; every follower is let go without an end", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip", DRAIN_SECONDS: "0.5" });
    const { sessionId, events } = await startTurn(service.baseUrl);
    const url = `${service.baseUrl}/chat/${sessionId}`;
    const followers = Array.from({ length: 12 }, async (_, index) =>
      Array.fromAsync(receive(await fetch(index % 2 === 0 ? url : `${url}/1`))),
    );
    const waiting = await openSession(service.baseUrl);
    const waiter = send(service.baseUrl, waiting.sessionId, "Hello", { accept: "application/json" });
    const reading = await openSession(service.baseUrl);
    const text = (await send(service.baseUrl, reading.sessionId, "Hello", { accept: "text/plain" })).text();
    const cut = expect(text).rejects.toThrow();
    await delay(200);

    const signalled = performance.now();
    expect(await service.end("SIGTERM")).toBe(0);
    const took = performance.now() - signalled;
    expect(took).toBeGreaterThan(450);
    expect(took).toBeLessThan(15_000);

    const seen = await events;
    for (const each of [seen, ...(await Promise.all(followers))]) {
      expect(each.at(-1)?.type).toBe("text");
      expect(textOf(each)).toBe(textOf(seen));
    }
    const response = await waiter;
    expect(response.status).toBe(202);
    expect(response.headers.get("location")).toBe(`/chat/${waiting.sessionId}/1`);
    expect(await response.json()).toMatchObject({ status: "running", answer: expect.stringMatching(/^(drip )+$/) });
    await cut;

    const restarted = await start({ RECOVERY: "interrupt" });
    const history = await readHistory(restarted.baseUrl, sessionId);
    expect(history).toMatchObject([
      { role: "user", status: "interrupted" },
      { role: "assistant", status: "interrupted", content: textOf(seen) },
    ]);
    await restarted.end("SIGTERM");
  });

  test("H2: where a start would not take it up, a turn that needs longer ends as interrupted, and every follower is told", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip", DRAIN_SECONDS: "0.5", RECOVERY: "interrupt" });
    const { sessionId, events } = await startTurn(service.baseUrl);
    const url = `${service.baseUrl}/chat/${sessionId}`;
    const follower = Array.fromAsync(receive(await fetch(url)));
    expect(await service.end("SIGTERM")).toBe(0);
    for (const each of [await events, await follower]) {
      expect(each.slice(-2)).toMatchObject([
        { type: "error", data: { code: "turn_interrupted", retryable: true } },
        { type: "end", data: { status: "interrupted" } },
      ]);
    }
  });

  test("H2: a turn without any text is interrupted as well, whatever its model server is doing", async () => {
    for (const model of ["never-headers", "headers-then-silence"]) {
      const service = await start({ OPENAI_MODEL: model, DRAIN_SECONDS: "0", STORAGE_URL: "sqlite::memory:" });
      const { sessionId } = await openSession(service.baseUrl);
      const asked = provider.requests.length;
      const events = ask(service.baseUrl, sessionId, "Hello");
      await provider.request(asked);
      expect(await service.end("SIGTERM")).toBe(0);
      expect((await events).map(({ type }) => type)).toEqual(["turn", "error", "end"]);
      expect((await events).at(-1)?.data["status"]).toBe("interrupted");
    }
  });

  test("H2: while draining, prompts are refused with draining and Retry-After and not stored, /readyz is 503, /healthz 200, and reading goes on", async () => {
    const service = await start({ OPENAI_MODEL: "paced-60-30", DRAIN_SECONDS: "20" });
    const { baseUrl } = service;
    const other = await openSession(baseUrl);
    const { sessionId, events } = await startTurn(service.baseUrl);
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
    await beginShutdown(service);

    const ready = await fetch(`${baseUrl}/readyz`);
    expect(await problemOf(ready)).toMatchObject({ status: 503, code: "draining" });
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    for (const accept of ["text/event-stream", "application/json", "text/plain"]) {
      const refused = await send(baseUrl, other.sessionId, "Too late", { accept });
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await problemOf(refused)).toMatchObject({ status: 503, code: "draining", retryable: true });
    }
    expect(await readHistory(baseUrl, other.sessionId)).toEqual([]);
    const followed = await Array.fromAsync(receive(await fetch(`${baseUrl}/chat/${sessionId}/1`)));
    expect(followed.at(-1)?.data["status"]).toBe("completed");
    expect((await events).at(-1)?.data["status"]).toBe("completed");
    expect(await exitOf(service)).toBe(0);

    const restarted = await start();
    expect(await readHistory(restarted.baseUrl, other.sessionId)).toEqual([]);
    await restarted.end("SIGTERM");
  });

  test("H2: a stop still works while draining", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip", DRAIN_SECONDS: "20" });
    const { sessionId, events } = await startTurn(service.baseUrl);
    await beginShutdown(service);
    const stopped = await fetch(`${service.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
    expect(await stopped.json()).toMatchObject({ turn: 1, status: "stopped" });
    expect((await events).at(-1)?.data["status"]).toBe("stopped");
    expect(await exitOf(service)).toBe(0);
  });

  test("H3: a second signal ends the process at once; the next start settles what was running and keeps its text", async () => {
    for (const [first, second] of [["SIGTERM", "SIGTERM"] as const, ["SIGINT", "SIGTERM"] as const]) {
      const service = await start({ OPENAI_MODEL: "slow-drip", DRAIN_SECONDS: "20" });
      const { sessionId, events } = await startTurn(service.baseUrl);
      await beginShutdown(service, first);
      const signalled = performance.now();
      expect(await service.end(second)).not.toBe(0);
      expect(performance.now() - signalled).toBeLessThan(10_000);

      const restarted = await start({ RECOVERY: "interrupt" });
      const [asked, answer] = await readHistory(restarted.baseUrl, sessionId);
      expect(asked?.status).toBe("interrupted");
      const seen = textOf(await events);
      expect(seen).not.toBe("");
      expect(answer?.content.startsWith(seen)).toBe(true);
      await restarted.end("SIGTERM");
    }
  });

  test("H2: for DRAIN_DELAY_MS /readyz is 503 while prompts are still taken, then they are refused with Retry-After: 1", async () => {
    const service = await start({ OPENAI_MODEL: "paced-200-30", DRAIN_DELAY_MS: "3000", DRAIN_SECONDS: "20" });
    const { baseUrl } = service;
    const { sessionId: late } = await openSession(baseUrl);
    await beginShutdown(service);
    const signalled = performance.now();
    expect(await problemOf(await fetch(`${baseUrl}/readyz`))).toMatchObject({ status: 503, code: "draining" });
    const { sessionId, events } = await startTurn(service.baseUrl);
    // It is still answered when prompts are refused, and a sign that the machine was fast enough for this to mean anything.
    expect(performance.now() - signalled).toBeLessThan(3_000);

    await expect
      .poll(async () => (await send(baseUrl, late, "Late")).status, { interval: 300, timeout: 10_000 })
      .toBe(503);
    const refused = await send(baseUrl, late, "Too late");
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await problemOf(refused)).toMatchObject({ status: 503, code: "draining" });
    expect((await events).at(-1)?.data["status"]).toBe("completed");
    expect(await exitOf(service)).toBe(0);
    expect(performance.now() - signalled).toBeGreaterThan(2_950);

    const restarted = await start();
    expect(await readHistory(restarted.baseUrl, sessionId)).toMatchObject([{}, { status: "completed" }]);
    await restarted.end("SIGTERM");
  });

  test("H3: a second signal ends the process at once, also while prompts are still taken", async () => {
    const service = await start({ OPENAI_MODEL: "echo", DRAIN_DELAY_MS: "20000" });
    await beginShutdown(service);
    const signalled = performance.now();
    expect(await service.end("SIGTERM")).toBe(1);
    expect(performance.now() - signalled).toBeLessThan(10_000);
  });

  test("H4: connections that clients keep alive do not hold up the exit", async () => {
    const service = await start({ OPENAI_MODEL: "echo" });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 5 });
    await Promise.all(Array.from({ length: 5 }, () => getWith(agent, `${service.baseUrl}/healthz`)));
    await delay(50);
    // The negative control: they are there, and the service would keep them for more than a minute.
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(5);
    const signalled = performance.now();
    expect(await service.end("SIGTERM")).toBe(0);
    expect(performance.now() - signalled).toBeLessThan(2_500);
    agent.destroy();
  });

  test("H4: nor do connections that say nothing, half a request, or a stream that nobody reads, beyond a few seconds", async () => {
    const service = await start({ OPENAI_MODEL: "endless" });
    const { hostname, port } = new URL(service.baseUrl);
    const connect = async (bytes: string) => {
      const socket = net.connect(Number(port), hostname).pause();
      socket.on("error", () => undefined);
      await once(socket, "connect");
      if (bytes !== "") socket.write(bytes);
      return socket;
    };
    const { sessionId } = await openSession(service.baseUrl);
    const json = JSON.stringify({ payload: "Hello" });
    const head = `PUT /chat/${sessionId} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\n`;
    const sockets = await Promise.all([
      connect(""),
      connect("GET /healthz HTTP/1.1\r\nHo"),
      connect(`${head}Content-Length: ${json.length}\r\n\r\n${json}`),
    ]);
    await delay(500);
    const signalled = performance.now();
    expect(await service.end("SIGTERM")).toBe(0);
    expect(performance.now() - signalled).toBeLessThan(8_000);
    for (const socket of sockets) socket.destroy();
  });
});

describe("F7: a second server on the same database file", () => {
  test("is refused with a sentence, the first one goes on, and once that is killed the file can be opened", async () => {
    const first = await start({ OPENAI_MODEL: "echo" });
    const { sessionId } = await openSession(first.baseUrl);
    const refused = await runToExit({ STORAGE_URL: `sqlite:${file}` });
    expect(refused.code).toBe(1);
    expectSentence(refused, file, /already uses/, /stop it|another file/);

    const events = await ask(first.baseUrl, sessionId, "Still there?");
    expect(events.at(-1)?.data["status"]).toBe("completed");
    await first.end("SIGKILL");
    const next = await start();
    expect(await readHistory(next.baseUrl, sessionId)).toHaveLength(2);
    expect(await next.end("SIGTERM")).toBe(0);
  });
});

describe("a start that cannot work says in one sentence what to do", () => {
  test("when the port is in use: names it, and PORT", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const exited = await runToExit({ PORT: String(port) });
    server.close();
    expect(exited.code).toBe(1);
    expectSentence(exited, String(port), /in use/, /\bPORT\b/);
  });

  test("H10: a start that fails is no crash of the turns that it took over, however often it is tried", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip" });
    const { sessionId, events } = await startTurn(service.baseUrl);
    await service.end("SIGKILL");
    await events.catch(() => undefined);
    const settings = { OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: key, OPENAI_MODEL: "slow-drip" };
    for (let tries = 0; tries < 2; tries += 1) {
      const exited = await runToExit({ ...settings, STORAGE_URL: `sqlite:${file}`, HOST: "192.0.2.1" });
      expect(exited.code).toBe(1);
    }
    const restarted = await start({ RECOVERY: "interrupt" });
    const [asked] = await readHistory(restarted.baseUrl, sessionId);
    expect(asked).toMatchObject({ status: "interrupted" });
  });

  test("when the address is not this machine's: names it, and HOST", async () => {
    const exited = await runToExit({ HOST: "192.0.2.1" });
    expect(exited.code).toBe(1);
    expectSentence(exited, "192.0.2.1", /\bHOST\b/);
  });

  test("F10: when the directory belongs to somebody else or cannot be made", async () => {
    const locked = path.join(directory, "locked");
    await mkdir(locked);
    await chmod(locked, 0o555);
    const someone = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    await chmod(directory, 0o755);
    for (const wanted of [path.join(locked, "chat.db"), path.join(locked, "new", "chat.db")]) {
      const exited = await runToExit({ STORAGE_URL: `sqlite:${wanted}` }, someone);
      expect(exited.code).toBe(1);
      expectSentence(exited, wanted, /STORAGE_URL|belongs to this user/);
    }
    const plainFile = path.join(directory, "file");
    await writeFile(plainFile, "");
    const exited = await runToExit({ STORAGE_URL: `sqlite:${plainFile}/chat.db` });
    expect(exited.code).toBe(1);
    expectSentence(exited, `${plainFile}/chat.db`, /STORAGE_URL/);
  });

  test("F10: when the directory is where none can ever be made, at once", async () => {
    const exited = await runToExit({ STORAGE_URL: "sqlite:/proc/none/chat.db" });
    expect(exited.code).toBe(1);
    expectSentence(exited, "/proc/none/chat.db", /STORAGE_URL/);
  });

  test("F10: a directory that is merely missing is made, for its owner alone", async () => {
    const service = await start({ STORAGE_URL: `sqlite:${directory}/a/b/chat.db` });
    expect((await fetch(`${service.baseUrl}/readyz`)).status).toBe(200);
    for (const made of [`${directory}/a`, `${directory}/a/b`]) expect((await stat(made)).mode & 0o777).toBe(0o700);
    expect(await service.end("SIGTERM")).toBe(0);
  });

  test("when the file is no database: names it, and leaves it as it was", async () => {
    const content = "Dear diary, this is no database.\n".repeat(500);
    await writeFile(file, content);
    const exited = await runToExit({ STORAGE_URL: `sqlite:${file}` });
    expect(exited.code).toBe(1);
    expectSentence(exited, file, /STORAGE_URL|backup/);
    expect(await readFile(file, "utf8")).toBe(content);
  });

  test("when the file is another program's database: says so, and leaves it as it was", async () => {
    const foreign = new DatabaseSync(file);
    foreign.exec("CREATE TABLE recipes (name TEXT); PRAGMA user_version = 7");
    foreign.close();
    const before = await readFile(file);
    const exited = await runToExit({ STORAGE_URL: `sqlite:${file}` });
    expect(exited.code).toBe(1);
    expectSentence(exited, "", /another program/, /STORAGE_URL/);
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  test("F12: when the database was made by a newer version: says which, and leaves it as it was", async () => {
    await (await start()).end("SIGTERM");
    const database = new DatabaseSync(file);
    database.exec("PRAGMA user_version = 999");
    database.close();
    const before = await readFile(file);
    const exited = await runToExit({ STORAGE_URL: `sqlite:${file}` });
    expect(exited.code).toBe(1);
    expectSentence(exited, "", /schema 999/, /newer version/);
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  test("H12: when the configuration is wrong: lists every bad variable at once, no secret's value, and exits with 78", async () => {
    const exited = await runToExit({
      PORT: "many",
      DRAIN_SECONDS: "5s",
      LOG_LEVEL: "loud",
      OPENAI_API_KEY: `${key} with spaces`,
      OPENAI_BASE_URL: "CANARY.example",
      OPENAI_EXTRA_BODY: '{"model":"CANARY"}',
      STORAGE_URL: "mysql://CANARY",
      MODEL_GAP_TIMEOUT_SECONDS: "-1",
    });
    expect(exited.code).toBe(78);
    const lines = exited.output.trim().split("\n");
    expect(lines.map((line) => line.split(" ", 1)[0]).sort()).toEqual([
      "DRAIN_SECONDS",
      "LOG_LEVEL",
      "MODEL_GAP_TIMEOUT_SECONDS",
      "OPENAI_API_KEY",
      "OPENAI_BASE_URL",
      "OPENAI_EXTRA_BODY",
      "PORT",
      "STORAGE_URL",
    ]);
    for (const line of lines) expect(line).toMatch(/ must .*\.$/);
    expect(exited.output).not.toContain("CANARY");
  });
});

describe("K6, P16: the log at LOG_LEVEL=trace", () => {
  test("holds no session id, prompt, answer, token or key, whatever clients and the model server do", async () => {
    const promptCanary = "prompt-canary-6b1f";
    const service = await start({ OPENAI_MODEL: "moody", LOG_LEVEL: "trace", DRAIN_SECONDS: "0" });
    const { baseUrl } = service;
    provider.model("moody", (exchange) => {
      const [mood] = exchange.prompt.split(" ");
      if (mood === "fail") return exchange.error(401, { message: `${key} ${exchange.prompt}` });
      exchange.text(`answer-canary-93aa, you said ${exchange.prompt}`);
      if (mood === "cut") return exchange.reset();
      return mood === "drip" ? exchange.silence() : exchange.complete(1);
    });
    const { sessionId, token } = await openSession(baseUrl, "username-canary-77d2");
    for (const accept of ["text/event-stream", "application/json", "text/plain"]) {
      for (const mood of ["answer", "fail", "cut"]) {
        const response = await send(baseUrl, sessionId, `${mood} ${promptCanary}`, { accept });
        await response.text().catch(() => undefined);
      }
    }
    // What clients get wrong ends up in many a log.
    const headers = {
      ...authorized(token),
      cookie: `token=${token}`,
      "last-event-id": `${promptCanary}`,
      "content-type": "application/json",
    };
    const requests: [method: string, target: string, body?: string][] = [
      ["GET", `/?username=${promptCanary}&token=${token}`],
      ["GET", `/chat/${sessionId}`],
      ["GET", `/chat/${sessionId}/1?after=${promptCanary}`],
      ["GET", `/chat/${sessionId}/99`],
      ["GET", `/chat/${sessionId}/${promptCanary}`],
      ["GET", `/nothing/${sessionId}/${token}?key=${key}`],
      ["GET", `/chat/${sessionId}%ff`],
      ["POST", `/chat/${sessionId}`],
      ["PUT", `/chat/${sessionId}`, `{"payload": "${promptCanary}`],
      ["PUT", `/chat/${sessionId}`, JSON.stringify({ payload: `${promptCanary}\ud800` })],
      ["PUT", `/chat/${sessionId}`, JSON.stringify({ payload: promptCanary.repeat(20_000) })],
      ["PUT", `/chat/${sessionId}x`, JSON.stringify({ payload: promptCanary })],
      ["POST", "/sessions", JSON.stringify({ username: "", title: promptCanary })],
      ["DELETE", `/sessions/${sessionId.slice(0, -1)}0`],
    ];
    for (const [method, target, body] of requests) {
      const response = await fetch(`${baseUrl}${target}`, { method, headers, ...(body !== undefined && { body }) });
      await response.text();
    }
    const { hostname, port } = new URL(baseUrl);
    const broken = net.connect(Number(port), hostname);
    broken.end(`GET /chat/${sessionId} HTTP/1.1\r\nHost: x\r\nBad header ${token}\r\n\r\n`);
    await readAll(broken).catch(() => undefined);
    const events = await send(baseUrl, sessionId, `drip ${promptCanary}`);
    await delay(100);
    await service.end("SIGTERM");
    await events.text();

    const restarted = await start({ LOG_LEVEL: "trace" });
    await readHistory(restarted.baseUrl, sessionId);
    await restarted.end("SIGTERM");
    const log = [...service.log, ...restarted.log].join("\n");
    expect(log.split("\n").length).toBeGreaterThan(requests.length);
    for (const secret of [
      sessionId,
      sessionId.slice(0, 16),
      token,
      key,
      "CANARY",
      promptCanary,
      "answer-canary",
      "username-canary",
    ]) {
      expect(log, secret).not.toContain(secret);
    }
    for (const line of log.split("\n")) expect(() => JSON.parse(line), line).not.toThrow();
  });
});

type Exited = { readonly code: number | null; readonly output: string };

/** Runs the service where it is expected to refuse to start. */
async function runToExit(
  environment: Record<string, string>,
  user: { uid?: number; gid?: number } = {},
): Promise<Exited> {
  const child = spawn(process.execPath, startArguments, {
    cwd: "/",
    env: { PATH: process.env["PATH"], PORT: "0", STORAGE_URL: "sqlite::memory:", ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 15_000,
    ...user,
  });
  const [output, errors] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return { code: child.exitCode, output: output + errors };
}

/** The last word is a sentence of ours, for a person who can act on it; a stack may stand beside it, never alone. */
function expectSentence({ output }: Exited, names: string, ...says: readonly RegExp[]): void {
  const lines = output.trim().split("\n");
  const { msg } = JSON.parse(lines.at(-1) ?? "") as { msg: string };
  expect(msg).toMatch(/^The service cannot start: [A-Z/].*\.$/);
  expect(msg).toContain(names);
  for (const pattern of says) expect(msg).toMatch(pattern);
  for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
}
