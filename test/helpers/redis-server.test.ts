/** A server that did not lose, keep or refuse what it is told to would make every test that uses it prove nothing. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type RedisServer, type RedisServerOptions, startRedisServer } from "./redis-server.ts";

const shared = await startRedisServer();
afterAll(() => shared.close());

async function start(options: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function configOf(server: RedisServer, names: readonly string[]): Promise<Record<string, unknown>> {
  const reply = (await server.command("CONFIG", "GET", ...names)) as readonly string[];
  return Object.fromEntries(names.map((name) => [name, reply[reply.indexOf(name) + 1]]));
}

describe("a Redis server for tests", () => {
  it("is set up as deploy/redis.conf says, with the lines of its own over that", async () => {
    const deployed = { appendonly: "yes", appendfsync: "everysec", save: "", "maxmemory-policy": "noeviction" };
    expect(await configOf(shared, Object.keys(deployed))).toEqual(deployed);
    const weak = await start({ config: { appendonly: "no", "maxmemory-policy": "allkeys-lru" } });
    const changed = { ...deployed, appendonly: "no", "maxmemory-policy": "allkeys-lru" };
    expect(await configOf(weak, Object.keys(deployed))).toEqual(changed);
  });

  it("answers every kind of reply", async () => {
    expect(await shared.command("SET", "größe", "日本\r\n🦊")).toBe("OK");
    expect(await shared.command("GET", "größe")).toBe("日本\r\n🦊");
    expect(await shared.command("GET", "nothing")).toBeNull();
    expect(await shared.command("INCR", "count")).toBe(1);
    expect(await shared.command("EVAL", "return {1, {'two', false}, {}}", "0")).toEqual([1, ["two", null], []]);
    await shared.command("SET", "large", "x".repeat(1_000_000));
    expect(await shared.command("GET", "large")).toHaveLength(1_000_000);
    await expect(shared.command("HGET", "count", "field")).rejects.toThrow(/^WRONGTYPE/);
  });

  it("keeps its port and what was written through SIGKILL, and loses it without the log", async () => {
    const lossy = await start({ config: { appendonly: "no" } });
    for (const server of [shared, lossy]) {
      const before = { url: server.url, id: server.process.pid };
      await server.command("SET", "kept", "yes");
      await server.kill();
      await expect(server.command("PING")).rejects.toThrow("ECONNREFUSED");
      await server.restart();
      expect(server.url).toBe(before.url);
      expect(server.process.pid).not.toBe(before.id);
    }
    expect(await shared.command("GET", "kept")).toBe("yes");
    expect(await lossy.command("GET", "kept")).toBeNull();
  });

  it("falls silent while it is paused, and answers after it", async () => {
    shared.pause();
    let answered = false;
    const answer = shared.command("PING").finally(() => {
      answered = true;
    });
    await delay(100);
    expect(answered).toBe(false);
    shared.resume();
    expect(await answer).toBe("PONG");
  });

  it("can be ended and started again while it is paused", async () => {
    shared.pause();
    await shared.restart();
    expect(await shared.command("PING")).toBe("PONG");
  });

  it("asks for a password where it has one, and its replica knows it", async () => {
    const primary = await start({ config: { requirepass: "s3cret/!" } });
    expect(primary.url).toBe(`redis://:s3cret%2F!@127.0.0.1:${primary.port}`);
    await primary.command("SET", "name", "TR");
    const replica = await start({ replicaOf: primary });
    expect(await replica.command("GET", "name")).toBe("TR");
    await expect(replica.command("SET", "name", "other")).rejects.toThrow(/^READONLY/);
    expect(await primary.command("WAIT", "1", "0")).toBe(1);
  });

  it("leaves nothing behind", async () => {
    const server = await startRedisServer();
    expect(existsSync(server.directory)).toBe(true);
    await server.close();
    expect(existsSync(server.directory)).toBe(false);
    await expect(server.command("PING")).rejects.toThrow("ECONNREFUSED");
  });

  it("says why it does not start", async () => {
    await expect(startRedisServer({ config: { appendfsync: "sometimes" } })).rejects.toThrow(
      /exited with 1:.*appendfsync/s,
    );
  });
});
