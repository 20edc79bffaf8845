/** The SQL of turns that wait for the end of others. Runs in the writer's thread. */
import type { DatabaseSync } from "node:sqlite";
import { emptyLogPosition } from "../../../protocol/positions.ts";
import type { WorkerName } from "./messages.ts";
import type { Begun, RunningTurns } from "./running-turns.ts";

type QueuedRow = Omit<Begun, "key" | "isReplaced"> & { readonly replaced_by: number | null };

export function turnQueue(database: DatabaseSync, worker: WorkerName, running: RunningTurns) {
  // Left to itself the planner reads all turns of the session, at every settle.
  const findNext = database.prepare(`
    SELECT turn, epoch + 1 AS epoch, prompt, replaces, continues, replaced_by, owner, username
    FROM turns INDEXED BY queued_turns JOIN sessions ON sessions.key = turns.session
    WHERE session = ? AND status = 'queued' ORDER BY ahead DESC, turn LIMIT 1
  `);
  const begin = database.prepare(
    "UPDATE turns SET status = 'running', epoch = ?, worker = ?, boot = ? WHERE session = ? AND turn = ?",
  );
  const findWaiting = database.prepare(`
    SELECT DISTINCT session AS key FROM turns AS waiting
    WHERE status = 'queued'
    AND NOT EXISTS (SELECT 1 FROM turns WHERE session = waiting.session AND status = 'running')
  `);

  /** Begins the session's next turn; to be called when none runs. */
  function beginNext(key: number): Begun | undefined {
    const row = findNext.get(key) as QueuedRow | undefined;
    if (row === undefined) return undefined;
    const { replaced_by, ...begun } = row;
    begin.run(begun.epoch, worker.id, worker.boot, key, begun.turn);
    running.add({ key, turn: begun.turn, epoch: begun.epoch }, emptyLogPosition, begun);
    return { key, ...begun, isReplaced: replaced_by !== null };
  }

  return {
    beginNext,
    /** The sessions in which turns wait and none runs. */
    waiting: (): readonly number[] => (findWaiting.all() as { key: number }[]).map(({ key }) => key),
  };
}
