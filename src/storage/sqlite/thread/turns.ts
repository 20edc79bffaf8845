/** The SQL of writing turns. Runs in the writer's thread; whatever is refused is refused before the first write. */
import type { DatabaseSync } from "node:sqlite";
import type { LoggedEvent, TurnEnded, TurnStatus } from "../../../protocol/events.ts";
import { emptyLogPosition } from "../../../protocol/positions.ts";
import { turnNotFound } from "../../../protocol/refusals.ts";
import { placeEvents, textOf } from "../../event-log.ts";
import { type Access, type LapsedTurn, LeaseLost, type UnbegunEnd } from "../../storage.ts";
import type { Spent } from "../../usage-store.ts";
import { eventLog, eventWriter } from "./events.ts";
import type { Journal } from "./journal.ts";
import type { WorkerName } from "./messages.ts";
import { turnQueue } from "./queue.ts";
import type { Begun, LeaseKey, RunningTurns } from "./running-turns.ts";
import type { SearchIndex } from "./search-index.ts";
import { sessionFinder } from "./sessions.ts";
import { spentCounter, type Whose } from "./usage.ts";

export type Lapsed = Omit<LapsedTurn, "lease" | "text" | "tools"> &
  LeaseKey & { readonly sessionId: string; readonly log: readonly LoggedEvent[] };

type Claimed = {
  readonly lapsed: readonly Lapsed[];
  readonly begun: readonly (Begun & { readonly sessionId: string })[];
};

export function turnWrites(
  database: DatabaseSync,
  worker: WorkerName,
  running: RunningTurns,
  journal: Journal,
  search: SearchIndex,
) {
  const find = sessionFinder(database);
  const log = eventLog(database);
  const events = eventWriter(database);
  const queue = turnQueue(database, worker, running);
  const countSpent = spentCounter(database);
  const findStatus = database.prepare("SELECT status FROM turns WHERE session = ? AND turn = ?");
  const findSessionId = database.prepare("SELECT session_id FROM sessions WHERE key = ?");
  const endTurn = database.prepare(`
    UPDATE turns SET status = ?, answered = (? AND replaced_by IS NULL), ended_at = ?
    WHERE session = ? AND turn = ? AND status = 'running' AND epoch = ?
  `);
  const endQueued = database.prepare(
    "UPDATE turns SET status = ?, ended_at = ? WHERE session = ? AND turn = ? AND status = 'queued'",
  );
  const endSession = database.prepare("UPDATE sessions SET updated_at = ? WHERE key = ? RETURNING owner, username");
  const markStop = database.prepare("UPDATE turns SET stop_requested = 1 WHERE session = ? AND turn = ?");
  const markReleased = database.prepare("UPDATE turns SET released = 1 WHERE session = ? AND turn = ?");
  const findLapsed = database.prepare(`
    SELECT session AS key, turn, epoch, boot, stop_requested, crashes + 1 - released AS crashes, prompt, replaces,
      continues, replaced_by, session_id, owner, username
    FROM turns JOIN sessions ON sessions.key = turns.session
    WHERE status = 'running' AND (worker <> ? OR released = 1)
  `);
  const claim = database.prepare(`
    UPDATE turns SET epoch = epoch + 1, crashes = ?, released = 0, worker = ?, boot = ?
    WHERE session = ? AND turn = ?
  `);

  function claimLapsed({
    key,
    turn,
    epoch,
    boot,
    session_id,
    stop_requested,
    replaced_by,
    ...facts
  }: LapsedRow): Lapsed {
    claim.run(facts.crashes, worker.id, worker.boot, key, turn);
    const lease = { key, turn, epoch: epoch + 1 };
    const whole = log.whole(lease);
    const first = whole[0]?.event;
    running.add(lease, whole.at(-1)?.position ?? emptyLogPosition, facts);
    return {
      ...lease,
      ...facts,
      sessionId: session_id,
      model: first?.type === "turn" ? first.model : null,
      stopRequested: stop_requested === 1,
      isReplaced: replaced_by !== null,
      tailMayBeLost: boot !== worker.boot,
      log: whole,
    };
  }

  return {
    /** @param whole the turn's whole log, its text merged, up to and with its end */
    settleTurn({ lease, position, whole, beginNext, spent, now }: Settlement): Begun | undefined {
      running.check(lease, position);
      const end = whole.at(-1)?.event as TurnEnded;
      const answered = textOf(whole) === "" ? 0 : 1;
      const { changes } = endTurn.run(end.status, answered, now, lease.key, lease.turn, lease.epoch);
      if (changes === 0) throw new LeaseLost();
      events.replace(lease, whole);
      search.add(lease);
      const whose = endSession.get(now, lease.key) as Whose;
      if (spent !== undefined) countSpent(whose, spent, now);
      running.remove(lease.key);
      journal.tidy();
      return beginNext ? queue.beginNext(lease.key) : undefined;
    },

    releaseTurn({ lease }: { lease: LeaseKey }): void {
      running.checkHeld(lease);
      // What it was given is in the journal, which only keeps what running turns need.
      journal.empty();
      running.remove(lease.key);
      markReleased.run(lease.key, lease.turn);
    },

    chargeDeleted({ whose, spent, now }: { whose: Whose; spent: Spent; now: number }): void {
      countSpent(whose, spent, now);
    },

    claimTurns(_: object): Claimed {
      journal.empty();
      const lapsed = (findLapsed.all(worker.id) as LapsedRow[]).map(claimLapsed);
      const begun = queue.waiting().flatMap((key) => {
        const next = queue.beginNext(key);
        const { session_id: sessionId } = findSessionId.get(key) as { session_id: string };
        return next === undefined ? [] : [{ ...next, sessionId }];
      });
      return { lapsed, begun };
    },

    /** Gives how the turn stood. */
    requestStop({ access, sessionId, turn, unbegun, now }: StopRequest): TurnStatus {
      const { key } = find(access, sessionId);
      const row = findStatus.get(key, turn) as { status: TurnStatus } | undefined;
      if (row === undefined) throw turnNotFound(turn);
      if (row.status === "running") markStop.run(key, turn);
      if (row.status === "queued") {
        const end = unbegun.at(-1) as TurnEnded;
        endQueued.run(end.status, now, key, turn);
        events.append({ key, turn }, placeEvents(emptyLogPosition, unbegun));
        search.add({ key, turn });
        endSession.run(now, key);
      }
      return row.status;
    },
  };
}

type LapsedRow = LeaseKey &
  Pick<Lapsed, "prompt" | "replaces" | "continues" | "crashes" | "owner" | "username"> & {
    readonly boot: string;
    readonly stop_requested: number;
    readonly replaced_by: number | null;
    readonly session_id: string;
  };

type Settlement = {
  readonly lease: LeaseKey;
  /** The head that the lease's holder knows. */
  readonly position: number;
  readonly whole: readonly LoggedEvent[];
  readonly beginNext: boolean;
  readonly spent?: Spent | undefined;
  readonly now: number;
};

type StopRequest = {
  readonly access: Access;
  readonly sessionId: string;
  readonly turn: number;
  readonly unbegun: UnbegunEnd;
  readonly now: number;
};
