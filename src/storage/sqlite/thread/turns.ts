/** The SQL of writing turns. Runs in the writer's thread; whatever is refused is refused before the first write. */
import type { DatabaseSync } from "node:sqlite";
import type { LoggedEvent, TurnEnded, TurnStatus } from "../../../protocol/events.ts";
import { emptyLogPosition } from "../../../protocol/positions.ts";
import { turnInProgress, turnNotFound } from "../../../protocol/refusals.ts";
import { mergeText, textOf } from "../../event-log.ts";
import { type Access, type LapsedTurn, LeaseLost, type NewTurn, PositionRefused } from "../../storage.ts";
import { eventLog, eventWriter, type TurnKey } from "./events.ts";
import type { WorkerName } from "./messages.ts";
import { sessionFinder } from "./sessions.ts";

/** A lease as the thread knows it. */
export type LeaseKey = TurnKey & { readonly epoch: number };

export type Accepted = LeaseKey & { readonly owner: string };

export type Lapsed = Omit<LapsedTurn, "lease"> &
  LeaseKey & { readonly sessionId: string; readonly owner: string; readonly head: number };

export function turnWrites(database: DatabaseSync, worker: WorkerName) {
  const find = sessionFinder(database);
  const log = eventLog(database);
  const events = eventWriter(database);
  const findRunning = database.prepare("SELECT turn FROM turns WHERE session = ? AND status = 'running'");
  const findTurn = database.prepare("SELECT status, epoch, stop_requested FROM turns WHERE session = ? AND turn = ?");
  const addTurn = database.prepare(`
    INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt)
    VALUES (?, ?, 'running', 1, ?, ?, ?, ?)
  `);
  const touchSession = database.prepare("UPDATE sessions SET newest_turn = ?, updated_at = ? WHERE key = ?");
  const endTurn = database.prepare(
    "UPDATE turns SET status = ?, answered = ?, ended_at = ? WHERE session = ? AND turn = ?",
  );
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

  /** @throws LeaseLost, PositionRefused */
  function checkLease(lease: LeaseKey, position: number): TurnRow {
    const row = findTurn.get(lease.key, lease.turn) as TurnRow | undefined;
    if (row?.status !== "running" || row.epoch !== lease.epoch) throw new LeaseLost();
    const head = log.head(lease);
    if (head !== position) throw new PositionRefused(head);
    return row;
  }

  return {
    acceptTurn({ access, turn, now }: { access: Access; turn: NewTurn; now: number }): Accepted {
      const session = find(access, turn.sessionId);
      const running = findRunning.get(session.key) as { turn: number } | undefined;
      if (running !== undefined) throw turnInProgress(running.turn);
      const number = session.newest_turn + 1;
      addTurn.run(session.key, number, worker.id, worker.boot, now, turn.prompt);
      touchSession.run(number, now, session.key);
      return { key: session.key, turn: number, epoch: 1, owner: session.owner };
    },

    appendEvents({ lease, position, added }: Appending): { stopRequested: boolean } {
      const row = checkLease(lease, position);
      events.append(lease, added);
      return { stopRequested: row.stop_requested === 1 };
    },

    settleTurn({ lease, position, added, now }: Appending & { now: number }): void {
      checkLease(lease, position);
      const end = added.at(-1)?.event as TurnEnded;
      const whole = mergeText([...log.whole(lease), ...added]);
      events.replace(lease, whole);
      endTurn.run(end.status, textOf(whole) === "" ? 0 : 1, now, lease.key, lease.turn);
      endSession.run(now, lease.key);
    },

    claimLapsed(_: object): Lapsed[] {
      return (findLapsed.all(worker.id) as LapsedRow[]).map(({ key, turn, epoch, session_id, owner, ...row }) => {
        claim.run(worker.id, worker.boot, key, turn);
        const events = log.whole({ key, turn });
        const first = events[0]?.event;
        return {
          key,
          turn,
          epoch: epoch + 1,
          sessionId: session_id,
          owner,
          model: first?.type === "turn" ? first.model : null,
          text: textOf(events),
          stopRequested: row.stop_requested === 1,
          tailMayBeLost: row.boot !== worker.boot,
          head: events.at(-1)?.position ?? emptyLogPosition,
        };
      });
    },

    requestStop({ access, sessionId, turn }: { access: Access; sessionId: string; turn: number }): void {
      const { key } = find(access, sessionId);
      const row = findTurn.get(key, turn) as TurnRow | undefined;
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

type TurnRow = { readonly status: TurnStatus; readonly epoch: number; readonly stop_requested: number };

type Appending = {
  readonly lease: LeaseKey;
  /** The head that the lease's holder knows. */
  readonly position: number;
  readonly added: readonly LoggedEvent[];
};
