import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedisStorage } from "../../src/storage/redis/open.ts";
import { type RedisServer, startRedisServer } from "../helpers/redis-server.ts";
import { acceptanceContract } from "./acceptance.ts";
import { gameContract } from "./games.ts";
import { keyContract } from "./keys.ts";
import { limitsContract } from "./limits.ts";
import { ownerContract } from "./owners.ts";
import { retentionContract } from "./retention.ts";
import { type StoragePlace, storageContract } from "./storage.ts";
import { titleContract } from "./titles.ts";
import { toolContract } from "./tools.ts";
import { turnLimitsContract } from "./turn-limits.ts";
import { usageContract } from "./usage.ts";

/** Alone in its cluster, so that it has all slots: it refuses a script that touches the keys of two of them (G10). */
async function startClusterNode(): Promise<RedisServer> {
  const server = await startRedisServer({ config: { "cluster-enabled": "yes" } });
  await server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
  while (!String(await server.command("CLUSTER", "INFO")).includes("cluster_state:ok")) await setTimeout(5);
  return server;
}

for (const [name, start] of [
  ["Redis", startRedisServer],
  ["G10: a Redis cluster's node", startClusterNode],
] as const) {
  let server: RedisServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.close());

  const onServer = async (): Promise<StoragePlace> => {
    await server.command("FLUSHALL");
    return {
      open: (clock, retention) =>
        openRedisStorage({
          url: server.url,
          clock,
          retention,
          onFatal: (error) => {
            throw error;
          },
        }),
      clean: async () => undefined,
    };
  };
  for (const contract of [
    storageContract,
    acceptanceContract,
    titleContract,
    toolContract,
    usageContract,
    turnLimitsContract,
    limitsContract,
    retentionContract,
    ownerContract,
    keyContract,
    gameContract,
  ]) {
    contract(name, onServer, { keepsWhenClosed: true });
  }

  // Its exceptions from the contract: each session's queue is in a slot of its own, so all of them would have to be asked.
  test(`${name} does not count the turns that wait`, async () => {
    const storage = await (await onServer()).open(Date.now);
    expect(await storage.waitingTurns()).toBeUndefined();
    await storage.close();
  });

  // An index takes RediSearch, which a server may have or not.
  test(`${name} tells that it cannot search`, async () => {
    const storage = await (await onServer()).open(Date.now);
    await expect(storage.search.find("guest:alice", { text: "words", limit: 1 })).rejects.toMatchObject({
      code: "search_unavailable",
      detail: expect.stringContaining("STORAGE_URL"),
    });
    await storage.close();
  });
}
