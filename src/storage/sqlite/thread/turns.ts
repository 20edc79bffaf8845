/** The SQL of writing turns. Runs in the writer's thread; whatever is refused is refused before the first write. */
import type { DatabaseSync } from "node:sqlite";
import type { LoggedEvent, TurnEnded, TurnStatus } from "../../../protocol/events.ts";
import { emptyLogPosition } from "../../../protocol/positions.ts";
import { turnInProgress, turnNotFound } from "../../../protocol/refusals.ts";
import { textOf } from "../../event-log.ts";
import { type Access, type LapsedTurn, LeaseLost, type NewTurn } from "../../storage.ts";
import { eventLog, eventWriter } from "./events.ts";
import type { Journal } from "./journal.ts";
import type { WorkerName } from "./messages.ts";
import type { LeaseKey, RunningTurns } from "./running-turns.ts";
import { sessionFinder } from "./sessions.ts";

export type Accepted = LeaseKey & { readonly owner: string };

export type Lapsed = Omit<LapsedTurn, "lease" | "text"> &
  LeaseKey & { readonly sessionId: string; readonly owner: string; readonly log: readonly LoggedEvent[] };

export function turnWrites(database: DatabaseSync, worker: WorkerName, running: RunningTurns, journal: Journal) {
  const find = sessionFinder(database);
  const log = eventLog(database);
  const events = eventWriter(database);
  const findRunning = database.prepare("SELECT turn FROM turns WHERE session = ? AND status = 'running'");
  const findStatus = database.prepare("SELECT status FROM turns WHERE session = ? AND turn = ?");
  const addTurn = database.prepare(`
    INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt)
    VALUES (?, ?, 'running', 1, ?, ?, ?, ?)
  `);
  const touchSession = database.prepare("UPDATE sessions SET newest_turn = ?, updated_at = ? WHERE key = ?");
  const endTurn = database.prepare(`
    UPDATE turns SET status = ?, answered = ?, ended_at = ?
    WHERE session = ? AND turn = ? AND status = 'running' AND epoch = ?
  `);
  const endSession = database.prepare("UPDATE sessions SET updated_at = ? WHERE key = ?");
  const markStop = database.prepare("UPDATE turns SET stop_requested = 1 WHERE session = ? AND turn = ?");
  const findLapsed = database.prepare(`
    SELECT session AS key, turn, epoch, boot, stop_requested, session_id, owner
    FROM turns JOIN sessions ON sessions.key = turns.session
    WHERE status = 'running' AND worker <> ?
  `);
  const claim = database.prepare(
    "UPDATE turns SET epoch = epoch + 1, worker = ?, boot = ? WHERE session = ? AND turn = ?",
  );

  return {
    acceptTurn({ access, turn, now }: { access: Access; turn: NewTurn; now: number }): Accepted {
      const session = find(access, turn.sessionId);
      const other = findRunning.get(session.key) as { turn: number } | undefined;
      if (other !== undefined) throw turnInProgress(other.turn);
      const accepted = { key: session.key, turn: session.newest_turn + 1, epoch: 1, owner: session.owner };
      addTurn.run(accepted.key, accepted.turn, worker.id, worker.boot, now, turn.prompt);
      touchSession.run(accepted.turn, now, session.key);
      running.add(accepted, emptyLogPosition);
      return accepted;
    },

    /** @param whole the turn's whole log, its text merged, up to and with its end */
    settleTurn({ lease, position, whole, now }: Settling): void {
      running.check(lease, position);
      const end = whole.at(-1)?.event as TurnEnded;
      const answered = textOf(whole) === "" ? 0 : 1;
      const { changes } = endTurn.run(end.status, answered, now, lease.key, lease.turn, lease.epoch);
      if (changes === 0) throw new LeaseLost();
      events.replace(lease, whole);
      endSession.run(now, lease.key);
      running.remove(lease.key);
      journal.tidy();
    },

    claimLapsed(_: object): Lapsed[] {
      journal.empty();
      return (findLapsed.all(worker.id) as LapsedRow[]).map(({ key, turn, epoch, session_id, owner, ...row }) => {
        claim.run(worker.id, worker.boot, key, turn);
        const lease = { key, turn, epoch: epoch + 1 };
        const whole = log.whole(lease);
        const first = whole[0]?.event;
        running.add(lease, whole.at(-1)?.position ?? emptyLogPosition);
        return {
          ...lease,
          sessionId: session_id,
          owner,
          model: first?.type === "turn" ? first.model : null,
          stopRequested: row.stop_requested === 1,
          tailMayBeLost: row.boot !== worker.boot,
          log: whole,
        };
      });
    },

    requestStop({ access, sessionId, turn }: { access: Access; sessionId: string; turn: number }): void {
      const { key } = find(access, sessionId);
      const row = findStatus.get(key, turn) as { status: TurnStatus } | undefined;
      if (row === undefined) throw turnNotFound(turn);
      if (row.status === "running" || row.status === "queued") markStop.run(key, turn);
    },
  };
}

type LapsedRow = LeaseKey & {
  readonly boot: string;
  readonly stop_requested: number;
  readonly session_id: string;
  readonly owner: string;
};

type Settling = {
  readonly lease: LeaseKey;
  /** The head that the lease's holder knows. */
  readonly position: number;
  readonly whole: readonly LoggedEvent[];
  readonly now: number;
};
