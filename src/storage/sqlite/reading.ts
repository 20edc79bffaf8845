import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { LiveTurns } from "../live/live-turns.ts";
import type { OwnerStore, TurnStore, UsageStore } from "../storage.ts";
import { inMemory } from "./connection.ts";
import { Database } from "./database.ts";
import { noDatabase, openingFailure } from "./failures.ts";
import { ownerReader } from "./owners.ts";
import { isCurrent, refuseForeignFile } from "./schema.ts";
import { turnStore } from "./turns.ts";
import { usageStore } from "./usage.ts";

/** What can be read of a file beside the server that has it: what is in its tables, without the last words of running answers. */
export type ReadableStorage = {
  readonly owners: Pick<OwnerStore, "groups" | "sessions" | "players" | "games">;
  readonly turns: Pick<TurnStore, "history">;
  readonly usage: Pick<UsageStore, "read">;
  close(): Promise<void>;
};

/** @throws Error with a sentence for the operator */
export async function openSqliteForReading(path: string, clock: () => number): Promise<ReadableStorage> {
  refuseOtherVersions(path);
  const database = await Database.openForReading(path, (error) => {
    throw error;
  });
  const { history } = turnStore(database, new LiveTurns(), clock);
  const { read } = usageStore(database, clock, {});
  return { owners: ownerReader(database), turns: { history }, usage: { read }, close: () => database.close() };
}

function refuseOtherVersions(path: string): void {
  if (path === inMemory)
    throw new Error("STORAGE_URL=sqlite::memory: keeps nothing that could be read beside its service.");
  if (!existsSync(path)) throw noDatabase(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    refuseForeignFile(database);
    if (!isCurrent(database)) throw new Error(`${path} is of an older version; start the service once.`);
  } catch (error) {
    const { message, errcode } = error as Error & { errcode?: number };
    throw openingFailure(path, { message, errcode });
  } finally {
    database?.close();
  }
}
