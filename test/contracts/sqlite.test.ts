import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import { beginTurn, capability, openTestSession, unbegunStop } from "../helpers/storage.ts";
import { acceptanceContract } from "./acceptance.ts";
import { gameContract } from "./games.ts";
import { keyContract } from "./keys.ts";
import { limitsContract } from "./limits.ts";
import { ownerContract } from "./owners.ts";
import { retentionContract } from "./retention.ts";
import { searchContract } from "./search.ts";
import { type StoragePlace, storageContract } from "./storage.ts";
import { titleContract } from "./titles.ts";
import { toolContract } from "./tools.ts";
import { turnLimitsContract } from "./turn-limits.ts";
import { usageContract } from "./usage.ts";

function onFatal(error: Error): never {
  throw error;
}

const inFile = async (): Promise<StoragePlace> => {
  const directory = await mkdtemp(join(tmpdir(), "chat-storage-"));
  return {
    open: (clock, retention) => openSqliteStorage({ path: join(directory, "chat.db"), clock, retention, onFatal }),
    clean: () => rm(directory, { recursive: true }),
  };
};
const inMemory = async (): Promise<StoragePlace> => ({
  open: (clock, retention) => openSqliteStorage({ path: ":memory:", clock, retention, onFatal }),
  clean: async () => undefined,
});

for (const contract of [
  storageContract,
  acceptanceContract,
  searchContract,
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
  contract("SQLite in a file", inFile, { keepsWhenClosed: true });
  contract("SQLite in memory", inMemory, { keepsWhenClosed: false });
}

// What Redis does not promise.
test("SQLite counts the turns that wait, until they begin, are stopped, or their session is deleted", async () => {
  const storage = await (await inMemory()).open(Date.now);
  const [one, other] = [await openTestSession(storage), await openTestSession(storage)];
  const wait = (sessionId: string) =>
    storage.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt: "?" }, ifBusy: "queue" });
  const { lease } = await beginTurn(storage, one);
  await beginTurn(storage, other);
  expect(await storage.waitingTurns()).toBe(0);
  for (const sessionId of [one, one, one, other]) await wait(sessionId);
  expect(await storage.waitingTurns()).toBe(4);
  await storage.turns.requestStop(capability, one, 3, unbegunStop(one, 3));
  expect(await storage.waitingTurns()).toBe(3);
  await storage.sessions.delete(capability, other);
  expect(await storage.waitingTurns()).toBe(2);
  await storage.turns.settle(lease, lease.head, unbegunStop(one, 1), { beginNext: true });
  expect(await storage.waitingTurns()).toBe(1);
  await storage.close();
});
