/** Everything that the main thread can ask of a database thread, by name. */
import type { DatabaseSync } from "node:sqlite";
import { historyReads } from "./history.ts";
import type { WorkerName } from "./messages.ts";
import { sessionReads, sessionWrites } from "./sessions.ts";
import { turnWrites } from "./turns.ts";

export function readOperations(database: DatabaseSync) {
  const ping = database.prepare("SELECT count(*) FROM sqlite_schema");
  return {
    ...sessionReads(database),
    ...historyReads(database),
    ping: (_: object): void => void ping.get(),
  };
}

export function writeOperations(database: DatabaseSync, worker: WorkerName) {
  const touch = database.prepare("UPDATE checks SET count = count + 1");
  return {
    ...sessionWrites(database),
    ...turnWrites(database, worker),
    /** Really writes: succeeds only where every other write can. */
    checkWrite: (_: object): void => void touch.run(),
  };
}

export type ReadOperations = ReturnType<typeof readOperations>;
export type WriteOperations = ReturnType<typeof writeOperations>;

/**
 * What a write must survive before it is acknowledged. A running answer's pieces need to survive the process only
 * (`reset` announces the loss after a power failure); everything else needs to survive a power failure.
 */
export const durableAgainstPowerFailure: Readonly<Record<keyof WriteOperations, boolean>> = {
  openSession: true,
  deleteSession: true,
  acceptTurn: true,
  appendEvents: false,
  settleTurn: true,
  claimLapsed: true,
  requestStop: true,
  checkWrite: true,
};
