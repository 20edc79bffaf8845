import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
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
