import type { Log } from "../../log.ts";
import type { Observer } from "../../observer.ts";
import { LiveTurns } from "../live/live-turns.ts";
import { LocalLimits } from "../local-limits.ts";
import { steadyClock } from "../steady-clock.ts";
import type { Retention, Storage } from "../storage.ts";
import { type BackupPlan, Backups } from "./backups.ts";
import { inMemory } from "./connection.ts";
import { Database } from "./database.ts";
import { gameStore } from "./games.ts";
import { keyStore } from "./key-store.ts";
import { lockDatabaseFile } from "./lock.ts";
import { OlderTurns } from "./older-turns.ts";
import { ownerStore } from "./owners.ts";
import { Reserve } from "./reserve.ts";
import { sessionStore } from "./sessions.ts";
import type { LeaseKey } from "./thread/running-turns.ts";
import { turnStore } from "./turns.ts";
import { usageStore } from "./usage.ts";
import { WantedDeletions } from "./wanted-deletions.ts";

export type SqliteOptions = {
  /** A file, made if it is missing, or `:memory:`. */
  readonly path: string;
  /** Milliseconds since 1970, instead of the machine's time. */
  readonly clock?: () => number;
  /** For ever, where nothing is said. */
  readonly retention?: Retention | undefined;
  /** None are made by themselves, where nothing is said. */
  readonly backups?: BackupPlan | undefined;
  /**
   * Called when nothing more may be acknowledged: an fsync failed (the next one would falsely report success) or a
   * database thread died. The process must end; what was acknowledged is safe.
   */
  readonly onFatal: (error: Error) => void;
  /** Is told when the disk is full, and when it has space again. */
  readonly log?: Log | undefined;
  /**
   * Called when there may be turns to claim: when a full disk has space again, as turns that waited for the end of others
   * were not begun meanwhile.
   */
  readonly onClaimable?: (() => void) | undefined;
  readonly observer?: Pick<Observer, "committed"> | undefined;
};

/**
 * Opens the embedded storage.
 *
 * @throws Error with a sentence for the operator when the file is in use, cannot be written, or is not ours
 */
export async function openSqliteStorage(options: SqliteOptions): Promise<Storage> {
  const { path, clock = steadyClock(), retention = {}, onFatal, log, onClaimable, observer } = options;
  const lock = path === inMemory ? undefined : await lockDatabaseFile(path);
  const reserve = path === inMemory ? undefined : new Reserve(path, { log, onRestored: onClaimable });
  let database: Database;
  try {
    database = await Database.open(path, onFatal, { reserve, observer });
  } catch (error) {
    await reserve?.close();
    lock?.release();
    throw error;
  }
  const liveTurns = new LiveTurns<LeaseKey>();
  const backups =
    options.backups === undefined || path === inMemory
      ? undefined
      : new Backups({ ...options.backups, path, clock, log });
  const olderTurns = new OlderTurns(database, log);
  const sessions = sessionStore({ database, liveTurns, clock, retention });
  const owners = ownerStore(database, clock);
  const wanted =
    path === inMemory ? undefined : new WantedDeletions({ database, storage: { owners, sessions }, clock, log });
  let closing: Promise<void> | undefined;
  return {
    sessions,
    owners,
    turns: turnStore(database, liveTurns, clock),
    search: { find: (principal, query) => database.read("findMessages", { principal, query }) },
    usage: usageStore(database, clock, retention),
    games: gameStore(database, clock, retention),
    keys: keyStore(database, clock),
    limits: new LocalLimits(),
    clock,
    async check() {
      await Promise.all([database.read("ping", {}), database.write("checkWrite", {})]);
    },
    facts: () => ({ kind: "sqlite", durability: path === inMemory ? "memory" : "disk" }),
    backlog: () => database.backlog,
    waitingTurns: () => database.read("countWaiting", {}),
    close() {
      closing ??= Promise.all([olderTurns.close(), wanted?.close(), database.close()]).then(async () => {
        liveTurns.closed();
        await backups?.close();
        await reserve?.close();
        lock?.release();
      });
      return closing;
    },
  };
}
