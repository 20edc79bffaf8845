import type { Config } from "../config.ts";

/** The file that the configuration names. @throws Error where conversations are kept elsewhere */
export function databaseFile({ storage }: Pick<Config, "storage">): string {
  if (storage.kind === "sqlite") return storage.path;
  throw new Error("STORAGE_URL names a Redis server, which has its own backups (docs/data.md).");
}
