/** What a prompt is worth that a Redis server acknowledged, when its replicas or itself fail (faults.md, group G). */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { openRedisStorage, type RedisOptions } from "../../src/storage/redis/open.ts";
import type { NewTurn, Storage } from "../../src/storage/storage.ts";
import { ask, openSession, patiently, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type RedisServer, type RedisServerOptions, startRedisServer } from "../helpers/redis-server.ts";
import { type Service, startService } from "../helpers/service.ts";
import { capability, openTestSession } from "../helpers/storage.ts";
import { startTcpProxy } from "../helpers/tcp-proxy.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options);
  closers.push(() => server.close());
  return server;
}

async function start(environment: Record<string, string>): Promise<Service> {
  const service = await startService(environment);
  closers.push(() => service.end("SIGKILL"));
  return service;
}

async function open(url: string, options: Partial<RedisOptions> = {}): Promise<Storage> {
  const storage = await openRedisStorage({
    url,
    onFatal: (error) => {
      throw error;
    },
    ...options,
  });
  closers.push(() => storage.close());
  return storage;
}

/** As often as it takes: on a busy machine a replica may need longer than the time that it is given. */
async function openDurableSession(storage: Storage): Promise<string> {
  for (;;) {
    try {
      return await openTestSession(storage);
    } catch (error) {
      expect(error).toMatchObject({ code: "not_durable" });
    }
  }
}

async function openSessionPatiently(baseUrl: string): Promise<string> {
  const opened = await patiently(() => fetch(`${baseUrl}/?username=TR`));
  return ((await opened.json()) as { session_id: string }).session_id;
}

async function startPair(): Promise<{ primary: RedisServer; replica: RedisServer }> {
  const primary = await startRedis();
  return { primary, replica: await startRedis({ replicaOf: primary }) };
}

describe("G4: a prompt that no replica confirms", () => {
  test("is refused as not_durable, is answered all the same, and sending it again with its key finds that answer", async () => {
    const { primary, replica } = await startPair();
    const { baseUrl } = await start({ STORAGE_URL: primary.url });
    const ready = (await (await fetch(`${baseUrl}/readyz`)).json()) as { dependencies: object };
    expect(ready.dependencies).toMatchObject({ storage: { durability: "replica" } });
    const sessionId = await openSessionPatiently(baseUrl);
    const headers = { "idempotency-key": "once" };
    // Paused it stays connected, so nobody but it itself can tell that it keeps nothing.
    replica.pause();
    const refused = await send(baseUrl, sessionId, "Hello", { headers });
    expect(await problemOf(refused)).toMatchObject({ status: 503, code: "not_durable" });
    // Known already, and still nobody has it but the primary.
    expect((await send(baseUrl, sessionId, "Hello", { headers })).status).toBe(503);
    replica.resume();
    const again = await patiently(() => send(baseUrl, sessionId, "Hello", { headers }));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const seen = await Array.fromAsync(receive(again));
    expect(seen.at(-1)).toMatchObject({ type: "end", data: { status: "completed" } });
    const history = await readHistory(baseUrl, sessionId);
    expect(history).toHaveLength(2);
    expect(history[1]?.content).toBe(textOf(seen));
  });

  test("with DURABILITY=async is accepted (the negative control)", async () => {
    const { primary, replica } = await startPair();
    const { baseUrl } = await start({ STORAGE_URL: primary.url, DURABILITY: "async" });
    const { sessionId } = await openSession(baseUrl);
    replica.pause();
    expect((await ask(baseUrl, sessionId, "Hello")).at(-1)?.data["status"]).toBe("completed");
    replica.resume();
  });

  test("is refused also where the server did not know the script that stored it, and was asked twice", async () => {
    const { primary, replica } = await startPair();
    const storage = await open(primary.url);
    const sessionId = await openDurableSession(storage);
    // It tells each second how far it is, so that nothing older is left for us to wait for.
    await delay(1_500);
    replica.pause();
    await primary.command("SCRIPT", "FLUSH");
    await expect(storage.turns.accept(capability, prompt(sessionId))).rejects.toMatchObject({ code: "not_durable" });
    replica.resume();
  });

  test("also when the last replica is gone: what was promised is not quietly less", async () => {
    const { primary, replica } = await startPair();
    const storage = await open(primary.url, { leaseTimes: { lease: 10_000, renewal: 3_000, sweep: 100 } });
    await openDurableSession(storage);
    await replica.kill();
    await expect.poll(() => primary.command("INFO", "replication")).toContain("connected_slaves:0");
    // Time to find that out.
    await delay(500);
    await expect(openTestSession(storage)).rejects.toMatchObject({ code: "not_durable" });
    await expect(storage.check()).rejects.toMatchObject({ code: "not_durable" });
    expect(storage.facts().durability).toBe("replica");
  });

  test("a prompt that was acknowledged is on the replica", async () => {
    const { primary, replica } = await startPair();
    const { baseUrl } = await start({ STORAGE_URL: primary.url });
    const sessionId = await openSessionPatiently(baseUrl);
    const headers = { "idempotency-key": "once" };
    await (await patiently(() => send(baseUrl, sessionId, "Kept", { headers }))).body?.cancel();
    await primary.kill();
    expect(await replica.command("HGET", `chat:{${sessionId}}:turns`, "1:prompt")).toBe("Kept");
  });
});

describe("G5, G7: a failover", () => {
  test("a server that was demoted takes nothing, and the one behind the same address is found", async () => {
    const { primary, replica } = await startPair();
    const storage = await open(primary.url, { durability: "async" });
    const sessionId = await openTestSession(storage);
    await expect.poll(() => replica.command("EXISTS", `chat:{${sessionId}}`), { timeout: 10_000 }).toBe(1);
    await primary.command("REPLICAOF", "127.0.0.1", String(replica.port));
    await expect(storage.turns.accept(capability, prompt(sessionId))).rejects.toMatchObject({
      code: "storage_unavailable",
    });
    await primary.command("REPLICAOF", "NO", "ONE");
    const accepted = () => storage.turns.accept(capability, prompt(sessionId)).catch(() => ({ kind: "refused" }));
    await expect.poll(async () => (await accepted()).kind, { timeout: 10_000 }).toBe("begun");
  });

  test("one that was demoted is no reason to end, and is read from no longer than until the other one is there", async () => {
    const { primary, replica } = await startPair();
    const proxy = await startTcpProxy(primary.port);
    closers.push(() => proxy.close());
    const fatal: Error[] = [];
    const storage = await open(`redis://127.0.0.1:${proxy.port}`, {
      durability: "async",
      leaseTimes: { lease: 10_000, renewal: 3_000, sweep: 100 },
      onFatal: (error) => fatal.push(error),
    });
    await openTestSession(storage);
    await replica.command("REPLICAOF", "NO", "ONE");
    await primary.command("REPLICAOF", "127.0.0.1", String(replica.port));
    // As Sentinel does, before anybody knows the other one's address.
    await primary.command("CLIENT", "KILL", "TYPE", "normal");
    await expect.poll(async () => String(await primary.command("CLIENT", "LIST"))).toContain("chat-reads");
    await delay(1_500);
    expect(fatal).toEqual([]);
    proxy.target(replica.port);
    await expect
      .poll(async () => String(await replica.command("CLIENT", "LIST")), { timeout: 10_000 })
      .toContain("chat-reads");
    await expect
      .poll(
        async () =>
          openTestSession(storage).then(
            () => "opened",
            () => "refused",
          ),
        { timeout: 10_000 },
      )
      .toBe("opened");
  });

  test("the end of a log that the new primary lost is written again by the worker that has it, at the same places", async () => {
    const redis = await startRedis();
    const storage = await open(redis.url);
    const sessionId = await openTestSession(storage);
    const accepted = await storage.turns.accept(capability, prompt(sessionId));
    if (accepted.kind !== "begun") throw new Error(accepted.kind);
    const { lease } = accepted.begun;
    const begun = { type: "turn", session_id: sessionId, turn: 1, model: "m" } as const;
    let head = await storage.turns.append(lease, -1, [begun]);
    const key = `chat:{${sessionId}}`;
    for (const text of ["to ", "be ", "kept "])
      head = await storage.turns.append(lease, head, [{ type: "text", text }]);
    // What a failover leaves: the state of a moment ago.
    await redis.command("DEL", `${key}:log`);
    await redis.command(
      "XADD",
      `${key}:log`,
      "0-1",
      "turn",
      JSON.stringify({ session_id: sessionId, turn: 1, model: "m" }),
    );
    await redis.command("HSET", key, "head", "0");
    head = await storage.turns.append(lease, head, [{ type: "text", text: "whole" }]);
    expect(await storage.turns.read(capability, sessionId, 1)).toMatchObject({ answer: "to be kept whole", head });
  });

  test("whoever takes a turn over from another run of the server begins with a reset, as its tail may be lost", async () => {
    const redis = await startRedis();
    const first = await open(redis.url);
    const sessionId = await openTestSession(first);
    const accepted = await first.turns.accept(capability, prompt(sessionId));
    if (accepted.kind !== "begun") throw new Error(accepted.kind);
    await first.turns.release(accepted.begun.lease);
    expect((await first.turns.claim()).lapsed).toMatchObject([{ tailMayBeLost: false }]);
    await first.close();
    await redis.restart();
    const second = await open(redis.url);
    expect((await second.turns.claim()).lapsed).toMatchObject([{ tailMayBeLost: true }]);
  });
});

test("G20: while a replica is brought up to date prompts are refused or accepted, and none is lost", async () => {
  const primary = await startRedis();
  const { baseUrl } = await start({ STORAGE_URL: primary.url, DURABILITY: "replica" });
  const refused = await fetch(`${baseUrl}/?username=TR`);
  expect(await problemOf(refused)).toMatchObject({ status: 503, code: "not_durable" });
  await startRedis({ replicaOf: primary });
  await expect.poll(async () => (await fetch(`${baseUrl}/?username=TR`)).status, { timeout: 10_000 }).toBe(200);
  const sessionId = await openSessionPatiently(baseUrl);
  const headers = { "idempotency-key": "once" };
  const answer = await patiently(() => send(baseUrl, sessionId, "Hello", { headers }));
  expect((await Array.fromAsync(receive(answer))).at(-1)?.data["status"]).toBe("completed");
  expect(await readHistory(baseUrl, sessionId)).toHaveLength(2);
});

function prompt(sessionId: string): NewTurn {
  return { sessionId, ask: { kind: "prompt", prompt: "?" } };
}
