/** Everything that the main thread can ask of a database thread, by name. */
import type { DatabaseSync } from "node:sqlite";
import { acceptance } from "./acceptance.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { purge, sessionRemover } from "./deletion.ts";
import { expiryWrites } from "./expiry.ts";
import { gameExpiry } from "./game-deletion.ts";
import { gameReads, gameWrites } from "./games.ts";
import { historyReads } from "./history.ts";
import type { Journal } from "./journal.ts";
import { keyReads, keyWrites } from "./keys.ts";
import type { WorkerName } from "./messages.ts";
import { ownerReads, ownerWrites } from "./owners.ts";
import { playerReads, playerWrites } from "./players.ts";
import type { RunningTurns } from "./running-turns.ts";
import { searchReads } from "./search.ts";
import { searchIndex } from "./search-index.ts";
import { sessionReads, sessionWrites } from "./sessions.ts";
import { turnWrites } from "./turns.ts";
import { usageReads, usageWrites } from "./usage.ts";

export function readOperations(database: DatabaseSync) {
  const ping = database.prepare("SELECT count(*) FROM sqlite_schema");
  const countWaiting = database.prepare("SELECT count(*) AS count FROM turns WHERE status = 'queued'");
  return {
    ...sessionReads(database),
    ...historyReads(database),
    ...searchReads(database),
    ...ownerReads(database),
    ...usageReads(database),
    ...keyReads(database),
    ...gameReads(database),
    ...playerReads(database),
    ping: (_: object): void => void ping.get(),
    countWaiting: (_: object): number => (countWaiting.get() as { count: number }).count,
  };
}

export function writeOperations(
  database: DatabaseSync,
  worker: WorkerName,
  running: RunningTurns,
  journal: Journal,
  checkpoints: Checkpoints,
) {
  const search = searchIndex(database);
  const remove = sessionRemover(database, { running, journal, checkpoints, search });
  const touch = database.prepare("UPDATE checks SET count = count + 1");
  return {
    ...sessionWrites(database, remove),
    ...expiryWrites(database, remove),
    ...purge(database, checkpoints, search),
    ...ownerWrites(database),
    ...acceptance(database, worker, running),
    ...turnWrites(database, worker, running, journal, search),
    ...usageWrites(database, checkpoints),
    ...keyWrites(database),
    ...gameWrites(database),
    ...playerWrites(database),
    ...gameExpiry(database, checkpoints),
    indexOlder: (_: object): boolean => search.addOlder(),
    /** Really writes: succeeds only where every other write can. */
    checkWrite: (_: object): void => void touch.run(),
  };
}

export type ReadOperations = ReturnType<typeof readOperations>;
export type WriteOperations = ReturnType<typeof writeOperations>;
