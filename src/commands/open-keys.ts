import type { Config } from "../config.ts";
import { openSqliteKeys } from "../storage/sqlite/beside.ts";
import type { KeyStore } from "../storage/storage.ts";

export type OpenKeys = { readonly keys: KeyStore; close(): void | Promise<void> };

/**
 * Opens the keys of the storage that is configured, whether or not a server uses it at the same time.
 *
 * @throws Error with a sentence for the operator
 */
export async function openKeys({ storage }: Config): Promise<OpenKeys> {
  if (storage.kind === "sqlite") return openSqliteKeys(storage.path, Date.now);
  const { openRedisStorage } = await import("../storage/redis/open.ts");
  const { url, durability, allowWeak } = storage;
  return openRedisStorage({
    url,
    durability,
    allowWeak,
    onFatal: (error) => {
      throw error;
    },
  });
}
