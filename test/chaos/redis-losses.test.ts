/** P1, P3: what becomes of acknowledged prompts when Redis servers die. The figures of docs/replicas.md are printed here. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Durability } from "../../src/storage/redis/durability.ts";
import { openRedisStorage } from "../../src/storage/redis/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { type RedisServer, startRedisServer } from "../helpers/redis-server.ts";
import { capability, openTestSession } from "../helpers/storage.ts";
import { startTcpProxy } from "../helpers/tcp-proxy.ts";
import { size } from "./sizes.ts";

const senders = 20;

type Losses = { readonly acknowledged: number; readonly refused: number; readonly lost: number };

const open = (url: string, durability: Durability) =>
  openRedisStorage({
    url,
    durability,
    onFatal: (error) => {
      throw error;
    },
  });

/** Sends prompts without end; gives the sessions whose prompt was acknowledged. */
function sendPrompts(storage: Storage) {
  const acknowledged: string[] = [];
  const counts = { refused: 0 };
  let stopping = false;
  const loops = Array.from({ length: senders }, async () => {
    while (!stopping) {
      try {
        const sessionId = await openTestSession(storage);
        await storage.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt: "?" } });
        acknowledged.push(sessionId);
      } catch {
        counts.refused += 1;
        await delay(5);
      }
    }
  });
  return {
    acknowledged,
    counts,
    async stop() {
      stopping = true;
      await Promise.all(loops);
    },
  };
}

async function lostOn(server: RedisServer, sessions: readonly string[]): Promise<number> {
  let lost = 0;
  for (const sessionId of sessions) {
    if ((await server.command("HEXISTS", `chat:{${sessionId}}:turns`, "1:prompt")) !== 1) lost += 1;
  }
  return lost;
}

function tell(what: string, { acknowledged, refused, lost }: Losses): void {
  const told = `${acknowledged} prompts acknowledged, ${refused} refused, ${lost} of the acknowledged lost`;
  process.stdout.write(`${what}: ${told}\n`);
}

/** A primary whose replica hears nothing any more, although its connection stands; then the primary dies. */
async function failOver(durability: Durability): Promise<Losses> {
  const primary = await startRedisServer();
  const proxy = await startTcpProxy(primary.port);
  const replica = await startRedisServer({ config: { replicaof: `127.0.0.1 ${proxy.port}` } });
  try {
    const isInStep = async () => String(await replica.command("INFO", "replication")).includes("master_link_status:up");
    await expect.poll(isInStep, { timeout: 20_000 }).toBe(true);
    const storage = await open(primary.url, durability);
    const sending = sendPrompts(storage);
    await delay(1_000);
    proxy.stall();
    await delay(1_000);
    await primary.kill();
    await sending.stop();
    await storage.close();
    await replica.command("REPLICAOF", "NO", "ONE");
    const lost = await lostOn(replica, sending.acknowledged);
    return { acknowledged: sending.acknowledged.length, refused: sending.counts.refused, lost };
  } finally {
    await replica.close();
    await proxy.close();
    await primary.close();
  }
}

test(`P1, P3, G4: with \`replica\` no acknowledged prompt is lost when the primary dies and its replica takes over, ${size.failovers} times; with \`async\` many are (the negative control)`, {
  timeout: 60 * 60_000,
}, async () => {
  for (let failover = 0; failover < size.failovers; failover += 1) {
    const replica = await failOver("replica");
    tell("The primary dies, cut off from its replica, DURABILITY=replica", replica);
    expect(replica).toMatchObject({ lost: 0 });
    expect(replica.acknowledged).toBeGreaterThan(100);
    expect(replica.refused).toBeGreaterThan(0);
  }
  const asynchronous = await failOver("async");
  tell("The primary dies, cut off from its replica, DURABILITY=async", asynchronous);
  expect(asynchronous.lost).toBeGreaterThan(0);
});

test.each([
  ["everysec", true],
  ["no log at all", false],
] as const)(
  "P1: after a kill -9 of a server that keeps its log (%s) acknowledged prompts are there: %s",
  {
    timeout: 120_000,
  },
  async (sync, isKept) => {
    const server = await startRedisServer({ config: isKept ? { appendfsync: sync } : { appendonly: "no" } });
    try {
      const storage = await openRedisStorage({ url: server.url, allowWeak: true, onFatal: () => undefined });
      const sending = sendPrompts(storage);
      await delay(2_000);
      await server.kill();
      await sending.stop();
      await storage.close();
      await server.restart();
      const lost = await lostOn(server, sending.acknowledged);
      const losses = { acknowledged: sending.acknowledged.length, refused: sending.counts.refused, lost };
      tell(`The server is killed and started again, appendfsync ${sync}`, losses);
      expect(losses.acknowledged).toBeGreaterThan(100);
      expect(lost === 0).toBe(isKept);
    } finally {
      await server.close();
    }
  },
);
