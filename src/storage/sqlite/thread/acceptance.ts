/** The SQL of accepting a turn. Runs in the writer's thread; whatever is refused is refused before the first write. */
import type { DatabaseSync } from "node:sqlite";
import type { TurnStatus } from "../../../protocol/events.ts";
import { emptyLogPosition } from "../../../protocol/positions.ts";
import {
  notContinuable,
  nothingToRegenerate,
  queueFull,
  staleTurn,
  tooManyTurns,
  turnInProgress,
} from "../../../protocol/refusals.ts";
import { type Access, mostQueued, type NewTurn, type TurnLimits } from "../../storage.ts";
import { budgetsOf, refusalOf } from "../../turn-limits.ts";
import { dayOf } from "../../usage-store.ts";
import type { WorkerName } from "./messages.ts";
import type { Begun, RunningTurns } from "./running-turns.ts";
import { sentFinder, sentWriter } from "./sent.ts";
import { sessionFinder, titledOf } from "./sessions.ts";
import { tokenFinder, type Whose } from "./usage.ts";

export type Accepted =
  | ({ readonly kind: "begun" } & Begun)
  | {
      readonly kind: "queued";
      readonly turn: number;
      /** The running turn, which is to stop for this one. */
      readonly interrupted: number | undefined;
    }
  | { readonly kind: "known"; readonly turn: number };

type TurnRow = {
  readonly turn: number;
  readonly status: TurnStatus;
  readonly answered: number;
  readonly continues: number | null;
  readonly prompt: string;
};

/** What is asked, with all that it says about other turns looked up. */
type Resolved = { readonly prompt: string; readonly replaces: number | null; readonly continues: number | null };

const endedEarly: readonly TurnStatus[] = ["incomplete", "stopped", "interrupted"];

export function acceptance(database: DatabaseSync, worker: WorkerName, running: RunningTurns) {
  const find = sessionFinder(database);
  const findSent = sentFinder(database);
  const keepSent = sentWriter(database);
  const tokensOf = tokenFinder(database);
  const findRunning = database.prepare("SELECT turn FROM turns WHERE session = ? AND status = 'running'");
  const findQueued = database.prepare(
    "SELECT count(*) AS count, min(turn) AS first FROM turns WHERE session = ? AND status = 'queued'",
  );
  const findInHistory = database.prepare(`
    SELECT turn, status, answered, continues, prompt FROM turns
    WHERE session = ? AND turn = ? AND replaced_by IS NULL
  `);
  const replace = database.prepare(`
    UPDATE turns SET replaced_by = ?, answered = 0
    WHERE session = ? AND turn >= ? AND turn < ? AND replaced_by IS NULL
  `);
  const addTurn = database.prepare(`
    INSERT INTO turns (session, turn, status, epoch, worker, boot, created_at, prompt, replaces, continues, ahead)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  `);
  const touchSession = database.prepare("UPDATE sessions SET newest_turn = ?, updated_at = ? WHERE key = ?");
  const nameSession = database.prepare("UPDATE sessions SET title = ?, titled = 'words' WHERE key = ?");
  const markStop = database.prepare("UPDATE turns SET stop_requested = 1 WHERE session = ? AND turn = ?");

  /** The prompt that an answer in pieces began with. */
  function firstOf(key: number, last: TurnRow): TurnRow {
    let first = last;
    while (first.continues !== null) first = findInHistory.get(key, first.continues) as TurnRow;
    return first;
  }

  /** A continuation that came to nothing leaves the answer as it was. */
  function lastWithText(key: number, last: TurnRow): TurnRow {
    let ended = last;
    while (ended.continues !== null && ended.answered === 0) ended = findInHistory.get(key, ended.continues) as TurnRow;
    return ended;
  }

  function refuseSpent(owner: string, limits: TurnLimits, now: number): void {
    const spent = budgetsOf(owner, limits).find(({ principal, tokens }) => tokensOf(principal, dayOf(now)) >= tokens);
    if (spent !== undefined) throw refusalOf(spent, now);
  }

  function refuseMore(whose: Whose, { atOnce }: TurnLimits): void {
    if (atOnce !== undefined && running.count(whose) >= atOnce) throw tooManyTurns(atOnce);
  }

  function resolve(key: number, newest: number, ask: NewTurn["ask"]): Resolved {
    if (ask.kind === "prompt") {
      const { prompt, replaces } = ask;
      if (replaces === undefined) return { prompt, replaces: null, continues: null };
      if (findInHistory.get(key, replaces) === undefined) throw staleTurn(replaces, newest);
      return { prompt, replaces, continues: null };
    }
    // Only newer turns take another's place, so the newest is always in history.
    const last = findInHistory.get(key, newest) as TurnRow | undefined;
    if (ask.kind === "regenerate") {
      if (last === undefined) throw nothingToRegenerate();
      const { prompt, turn } = firstOf(key, last);
      return { prompt, replaces: turn, continues: null };
    }
    const ended = last && lastWithText(key, last);
    if (ended === undefined || ended.answered === 0 || !endedEarly.includes(ended.status)) throw notContinuable();
    return { prompt: ended.prompt, replaces: null, continues: ended.turn };
  }

  return {
    acceptTurn({ access, turn: asked, now }: { access: Access; turn: NewTurn; now: number }): Accepted {
      const { ask, once, ifTurn, ifBusy = "reject", limits = {}, title } = asked;
      const session = find(access, asked.sessionId);
      const { key, newest_turn: newest, owner, username } = session;
      const known = once && findSent(key, ask, once, now);
      if (known !== undefined) return { kind: "known", turn: known };
      if (ifTurn !== undefined && ifTurn !== newest) throw staleTurn(ifTurn, newest);
      const other = (findRunning.get(key) as { turn: number } | undefined)?.turn;
      const queue = findQueued.get(key) as { count: number; first: number | null };
      const isBusy = other !== undefined || queue.count > 0;
      const mayWait = ifBusy !== "reject" && ask.kind !== "continue";
      if (isBusy && !mayWait) throw turnInProgress(other ?? queue.first ?? newest);
      if (isBusy && queue.count >= mostQueued) throw queueFull(mostQueued);
      const { prompt, replaces, continues } = resolve(key, newest, ask);
      refuseSpent(owner, limits, now);
      if (!isBusy) refuseMore({ owner, username }, limits);

      const turn = newest + 1;
      const ahead = ifBusy === "interrupt" ? 1 : 0;
      if (isBusy) addTurn.run(key, turn, "queued", 0, "", "", now, prompt, replaces, continues, ahead);
      else addTurn.run(key, turn, "running", 1, worker.id, worker.boot, now, prompt, replaces, continues, 0);
      if (replaces !== null) replace.run(turn, key, replaces, turn);
      touchSession.run(turn, now, key);
      if (title !== undefined && newest === 0 && titledOf(session) === "no") nameSession.run(title, key);
      if (once !== undefined) keepSent(key, ask, once, turn, now);
      if (isBusy) {
        const interrupted = ifBusy === "interrupt" ? other : undefined;
        if (interrupted !== undefined) markStop.run(key, interrupted);
        return { kind: "queued", turn, interrupted };
      }
      const lease = { key, turn, epoch: 1 };
      running.add(lease, emptyLogPosition, { owner, username });
      return { kind: "begun", ...lease, owner, username, prompt, replaces, continues, isReplaced: false };
    },
  };
}
