/** The storage that is configured, for whoever reads everybody's data or deletes somebody's, whether or not it is served. */
import type { Config } from "../config.ts";
import { deleteAllOf } from "../storage/owner-store.ts";
import { DatabaseInUse } from "../storage/sqlite/lock.ts";
import { openSqliteStorage } from "../storage/sqlite/open.ts";
import { openSqliteForReading, type ReadableStorage } from "../storage/sqlite/reading.ts";
import { haveDeleted } from "../storage/sqlite/wanted-deletions.ts";
import type { Storage, Whose } from "../storage/storage.ts";
import { databaseFile } from "./database-file.ts";

export type Data = Pick<ReadableStorage, "owners" | "turns" | "usage" | "close">;

/** @throws Error with a sentence for the operator */
export async function openData(config: Config): Promise<Data> {
  return config.storage.kind === "sqlite" ? openSqliteForReading(config.storage.path, Date.now) : openRedis(config);
}

/** Deletes sessions, also while they are served, and gives how many they were. @throws Error with a sentence for the operator */
export async function deleteData(config: Config, whose: Whose): Promise<number> {
  if (config.storage.kind === "redis") return deleteIn(await openRedis(config), whose);
  const path = databaseFile(config);
  for (;;) {
    const storage = await openUnserved(path);
    if (storage !== undefined) return deleteIn(storage, whose);
    const isServed = async () => {
      const opened = await openUnserved(path);
      await opened?.close();
      return opened === undefined;
    };
    const count = await haveDeleted(path, whose, isServed);
    if (count !== undefined) return count;
  }
}

async function deleteIn(storage: Storage, whose: Whose): Promise<number> {
  try {
    return await deleteAllOf(storage, whose);
  } finally {
    await storage.close();
  }
}

/** Undefined where a server has the file. */
async function openUnserved(path: string): Promise<Storage | undefined> {
  try {
    return await openSqliteStorage({ path, onFatal });
  } catch (error) {
    if (error instanceof DatabaseInUse) return undefined;
    throw error;
  }
}

async function openRedis({ storage }: Config): Promise<Storage> {
  if (storage.kind !== "redis") throw new Error("STORAGE_URL names no Redis server.");
  const { openRedisStorage } = await import("../storage/redis/open.ts");
  const { url, durability, allowWeak } = storage;
  return openRedisStorage({ url, durability, allowWeak, onFatal });
}

function onFatal(error: Error): never {
  throw error;
}
