/** A Redis server that is away, hangs, is full, weak or refuses us (faults.md, group G). */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { ask, openSession, problemOf, readHistory, receive, send, startTurn, textOf } from "../helpers/client.ts";
import { runVerb } from "../helpers/commands.ts";
import { programPath } from "../helpers/debian-packages.ts";
import { onFreePort } from "../helpers/free-port.ts";
import { type RedisServer, type RedisServerOptions, startRedisServer } from "../helpers/redis-server.ts";
import { exitOf, type Service, startService } from "../helpers/service.ts";

let servers: RedisServer[] = [];
let services: Service[] = [];

afterEach(async () => {
  for (const service of services) await service.end("SIGKILL");
  for (const server of servers) await server.close();
  services = [];
  servers = [];
});

async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options);
  servers.push(server);
  return server;
}

async function start(redis: RedisServer, environment: Record<string, string> = {}): Promise<Service> {
  const service = await startService({ STORAGE_URL: redis.url, ...environment });
  services.push(service);
  return service;
}

/** The sentence that a start ends with that is refused. */
async function refusalOf(environment: Record<string, string>): Promise<string> {
  const error = await startService(environment).then(
    async (service) => {
      await service.end("SIGKILL");
      return new Error("It started");
    },
    (failure: Error) => failure,
  );
  expect(error.message).toMatch(/exited with 1:/);
  return error.message;
}

const readiness = async ({ baseUrl }: Service) => (await fetch(`${baseUrl}/readyz`)).status;
const untilReady = (service: Service) =>
  expect.poll(() => readiness(service), { timeout: 15_000, interval: 100 }).toBe(200);

/** Milliseconds after which a client would say that it hangs; the service gives up after two seconds. */
const hanging = 6_000;

async function expectUnavailable(response: Promise<Response>): Promise<void> {
  const answer = await Promise.race([response, delay(hanging)]);
  if (answer === undefined) throw new Error("There was no answer");
  const text = await answer.clone().text();
  expect(await problemOf(answer)).toMatchObject({ status: 503, code: "storage_unavailable" });
  expect(text).not.toMatch(/redis|ECONN|127\.0\.0\.1|socket|\.ts\b/i);
}

describe("G1: a server that is away at the start", () => {
  test("leaves the service alive and not ready, until it comes", async () => {
    const redis = await startRedis();
    await redis.kill();
    const service = await start(redis);
    const { baseUrl } = service;
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    expect(await readiness(service)).toBe(503);
    await expectUnavailable(fetch(`${baseUrl}/?username=TR`));
    await redis.restart();
    await untilReady(service);
    const { sessionId } = await openSession(baseUrl);
    expect((await ask(baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
    expect(service.log.join("\n")).toMatch(/"level":"error".*The Redis server cannot be reached; trying again/);
    expect(service.log.filter((line) => line.includes("cannot be reached"))).toHaveLength(1);
  });
});

describe("G2, G17: a server that is lost while serving", () => {
  test("new prompts and reads are refused at once, and everything goes on when it is back", async () => {
    const redis = await startRedis();
    const service = await start(redis);
    const { baseUrl } = service;
    const { sessionId } = await openSession(baseUrl);
    await ask(baseUrl, sessionId, "Before");
    await redis.kill();
    await expectUnavailable(send(baseUrl, sessionId, "Lost"));
    await expectUnavailable(fetch(`${baseUrl}/chat_history/${sessionId}`));
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    // Longer than the longest pause between two tries.
    await delay(4_000);
    await redis.restart();
    await untilReady(service);
    expect((await ask(baseUrl, sessionId, "After")).at(-1)?.data["status"]).toBe("completed");
    const prompts = (await readHistory(baseUrl, sessionId)).filter(({ role }) => role === "user");
    expect(prompts.map(({ content }) => content)).toEqual(["Before", "After"]);
    expect(service.log.join("\n")).toMatch(/The Redis server is there again/);
  });

  test("a running answer waits for it, and its reader sees one unbroken text", async () => {
    const redis = await startRedis();
    const service = await start(redis, { DEMO_WORD_DELAY_MS: "30" });
    const { baseUrl } = service;
    const { sessionId, events } = await startTurn(baseUrl);
    await redis.kill();
    await delay(1_500);
    await redis.restart();
    const seen = await events;
    // Each of its connections comes back in its own time.
    await untilReady(service);
    expect(seen.at(-1)).toMatchObject({ type: "end", data: { status: "completed" } });
    expect(seen.filter(({ type }) => type === "reset")).toEqual([]);
    expect((await readHistory(baseUrl, sessionId))[1]).toMatchObject({ status: "completed", content: textOf(seen) });
  });

  test("an answer that waited too long is interrupted, with the text that was seen, and can be continued", async () => {
    const redis = await startRedis();
    const service = await start(redis, { DEMO_WORD_DELAY_MS: "30" });
    const { baseUrl } = service;
    const { sessionId, events } = await startTurn(baseUrl);
    await redis.kill();
    await expect.poll(() => service.log.join("\n"), { timeout: 20_000 }).toMatch(/An answer failed/);
    await redis.restart();
    const seen = await events;
    await untilReady(service);
    expect(seen.slice(-2)).toMatchObject([
      { type: "error", data: { code: "storage_unavailable", retryable: true } },
      { type: "end", data: { status: "interrupted" } },
    ]);
    expect((await readHistory(baseUrl, sessionId))[1]).toMatchObject({ status: "interrupted", content: textOf(seen) });
    const again = await fetch(`${baseUrl}/chat/${sessionId}/continue`, { method: "POST" });
    expect((await Array.fromAsync(receive(again))).at(-1)?.data["status"]).toBe("completed");
  }, 60_000);

  test("one that hangs is as good as lost", async () => {
    const redis = await startRedis();
    const service = await start(redis, { DEMO_WORD_DELAY_MS: "30" });
    const { baseUrl } = service;
    const { sessionId, events } = await startTurn(baseUrl);
    const other = await openSession(baseUrl);
    redis.pause();
    await expectUnavailable(send(baseUrl, other.sessionId, "Lost"));
    redis.resume();
    await untilReady(service);
    const seen = await events;
    expect(seen.at(-1)).toMatchObject({ type: "end", data: { status: "completed" } });
    expect((await readHistory(baseUrl, sessionId))[1]?.content).toBe(textOf(seen));
  });
});

describe("G8: a server that may lose or forget what it acknowledged", () => {
  test.each([
    [{ appendonly: "no" }, /appendonly yes/],
    [{ "maxmemory-policy": "allkeys-lru" }, /maxmemory-policy noeviction/],
  ])("%j is refused, naming what to set; ALLOW_WEAK_REDIS=1 starts and warns", async (config, sentence) => {
    const redis = await startRedis({ config: config as unknown as Record<string, string> });
    const refusal = await refusalOf({ STORAGE_URL: redis.url });
    expect(refusal).toMatch(sentence);
    expect(refusal).toMatch(/ALLOW_WEAK_REDIS=1/);
    const service = await start(redis, { ALLOW_WEAK_REDIS: "1" });
    const { sessionId } = await openSession(service.baseUrl);
    expect((await ask(service.baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
    expect(service.log.join("\n")).toMatch(/"level":"warn".*may lose what was acknowledged/);
  });

  test("one that becomes weak later ends the service when it finds out", async () => {
    const redis = await startRedis();
    const service = await start(redis);
    await redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    await redis.command("CLIENT", "KILL", "TYPE", "normal");
    expect(await exitOf(service)).toBe(70);
    expect(service.log.join("\n")).toMatch(/noeviction/);
  });

  test("one that does not tell is used, with a warning, and /readyz says that its durability is unknown", async () => {
    const redis = await startRedis();
    await redis.command("ACL", "SETUSER", "chat", "on", ">word", "~chat:*", "&chat:*", "+@all", "-config");
    const service = await startService({ STORAGE_URL: redis.url.replace("redis://", "redis://chat:word@") });
    services.push(service);
    expect(service.log.join("\n")).toMatch(/"level":"warn".*durability is unknown/);
    expect(service.log.join("\n")).not.toContain("word");
    const ready = (await (await fetch(`${service.baseUrl}/readyz`)).json()) as { dependencies: object };
    expect(ready.dependencies).toMatchObject({ storage: { kind: "redis", durability: "unknown" } });
  });
});

describe("G9: a server whose memory is full", () => {
  test("refuses prompts and sessions with 507, lets running answers end, and goes on when it has room", async () => {
    const redis = await startRedis({ config: { maxmemory: "0" } });
    const { baseUrl } = await start(redis, { DEMO_WORD_DELAY_MS: "20" });
    const { sessionId: old } = await openSession(baseUrl);
    await ask(baseUrl, old, "Before");
    const { sessionId, events } = await startTurn(baseUrl);
    await redis.command("CONFIG", "SET", "maxmemory", "1mb");
    const seen = await events;
    expect(seen.slice(-2)).toMatchObject([
      { type: "error", data: { code: "storage_full" } },
      { type: "end", data: { status: "incomplete", reason: "storage_full" } },
    ]);
    for (const refused of [await send(baseUrl, old, "Does not fit"), await fetch(`${baseUrl}/?username=TR`)]) {
      expect(await problemOf(refused)).toMatchObject({ status: 507, code: "storage_full" });
    }
    expect((await readHistory(baseUrl, sessionId))[1]).toMatchObject({ status: "incomplete", content: textOf(seen) });
    expect(await readHistory(baseUrl, old)).toHaveLength(2);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    expect((await ask(baseUrl, old, "After")).at(-1)?.data["status"]).toBe("completed");
  });
});

describe("G19: a user who may do nothing but what the service needs", () => {
  test("is enough, and reaches nothing else", async () => {
    const redis = await startRedis();
    const line = /^ACL SETUSER (?<words>chat .*)$/m.exec(await readFile("docs/replicas.md", "utf8"))?.groups?.["words"];
    await redis.command("ACL", "SETUSER", ...(line ?? "").replace(">choose-a-password", ">word").split(" "));
    const environment = { STORAGE_URL: redis.url.replace("redis://", "redis://chat:word@") };
    const service = await startService({ ...environment, DEMO_WORD_DELAY_MS: "10", RETENTION_GUEST_DAYS: "30" });
    services.push(service);
    const { baseUrl } = service;
    const { sessionId, events } = await startTurn(baseUrl);
    expect((await events).at(-1)?.data["status"]).toBe("completed");
    expect(await readHistory(baseUrl, sessionId)).toHaveLength(2);
    expect(await readiness(service)).toBe(200);
    await expect.poll(() => redis.command("EXISTS", "chat:retention"), { timeout: 10_000 }).toBe(1);
    expect(await runVerb("data", ["delete", "--username", "TR"], environment)).toMatchObject({ code: 0 });
    // On a busy machine it may say that it has too much to do.
    const complaints = service.log.filter((logged) => /"level":"(warn|error)"/.test(logged));
    expect(complaints.filter((logged) => !/demo model|"msg":"Overloaded/.test(logged))).toEqual([]);
    const refused = (await redis.command("ACL", "LOG")) as unknown[];
    expect(refused).toEqual([]);
    for (const command of [["SET", "other", "1"], ["FLUSHALL"], ["CONFIG", "SET", "appendonly", "no"], ["KEYS", "*"]]) {
      expect(await redis.command("ACL", "DRYRUN", "chat", ...command)).toMatch(/no permissions/);
    }
  });
});

describe("G18: a server that refuses us", () => {
  test("with a wrong password the start ends with a sentence that does not hold it", async () => {
    const redis = await startRedis({ config: { requirepass: "right" } });
    const url = `redis://:canary-7f3a@127.0.0.1:${redis.port}`;
    const refusal = await refusalOf({ STORAGE_URL: url });
    expect(refusal).toMatch(/cannot start.*refuses the name or the password/);
    expect(refusal).not.toContain("canary-7f3a");
    expect(await refusalOf({ STORAGE_URL: `redis://127.0.0.1:${redis.port}` })).toMatch(
      /refuses the name or the password/,
    );
  });

  test("with a certificate that nobody signed the start ends with a sentence; with one that we trust TLS works", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "chat-tls-"));
    const [key, certificate] = [path.join(directory, "key.pem"), path.join(directory, "certificate.pem")];
    const names = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"];
    const request = [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-keyout",
      key,
      "-out",
      certificate,
    ];
    execFileSync(await programPath("openssl"), [...request, ...names], { stdio: "pipe" });
    const redis = await onFreePort(async (tlsPort) => {
      const files = { "tls-cert-file": certificate, "tls-key-file": key };
      return {
        tlsPort,
        server: await startRedis({
          config: { ...files, "tls-port": String(tlsPort), "tls-auth-clients": "no" },
        }),
      };
    });
    const environment = { STORAGE_URL: `rediss://127.0.0.1:${redis.tlsPort}` };
    expect(await refusalOf(environment)).toMatch(/cannot start.*TLS failed/);
    const service = await startService({ ...environment, NODE_EXTRA_CA_CERTS: certificate });
    services.push(service);
    const { sessionId } = await openSession(service.baseUrl);
    expect((await ask(service.baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
    await rm(directory, { recursive: true });
  });

  test("a replica, which takes no writes, is refused", async () => {
    const primary = await startRedis();
    const replica = await startRedis({ replicaOf: primary });
    expect(await refusalOf({ STORAGE_URL: replica.url })).toMatch(/It is a replica.*primary/);
  });

  test("DURABILITY=disk is refused by a server without WAITAOF, and kept by one that has it", async () => {
    const redis = await startRedis();
    const [waitAof] = (await redis.command("COMMAND", "INFO", "WAITAOF")) as unknown[];
    if (waitAof === null) {
      expect(await refusalOf({ STORAGE_URL: redis.url, DURABILITY: "disk" })).toMatch(/needs WAITAOF/);
      return;
    }
    const { baseUrl } = await start(redis, { DURABILITY: "disk" });
    const { sessionId } = await openSession(baseUrl);
    expect((await ask(baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
  });
});
