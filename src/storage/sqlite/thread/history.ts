/** The SQL of reading turns, alone and as a dialogue. Runs in a reader's thread. */
import type { DatabaseSync } from "node:sqlite";
import type { LoggedEvent, TurnStatus } from "../../../protocol/events.ts";
import { sessionDeleted, turnNotFound } from "../../../protocol/refusals.ts";
import { factsOf, type TextSoFar, textSoFar } from "../../event-log.ts";
import type { Access, HistoryWindow, Memory, NewTurn, SendOnce, Session, Turn } from "../../storage.ts";
import { eventLog, type TurnKey } from "./events.ts";
import { sentFinder } from "./sent.ts";
import { sessionFinder, sessionViewer } from "./sessions.ts";

type TurnRow = {
  readonly turn: number;
  readonly status: TurnStatus;
  readonly created_at: number;
  readonly ended_at: number | null;
  readonly continues: number | null;
  readonly replaces: number | null;
  readonly prompt: string;
};

/** The turns between two numbers, both exclusive. */
export type TurnRange = { readonly key: number; readonly above: number; readonly below: number };

export type LogStart = { readonly key: number; readonly status: TurnStatus; readonly head: number };

const pageTurns = 100;
/** UTF-16 code units of text after which a page ends. */
const pageLength = 1024 * 1024;

export function historyReads(database: DatabaseSync) {
  const find = sessionFinder(database);
  const view = sessionViewer(database);
  const log = eventLog(database);
  const sent = sentFinder(database);
  const selectTurn = database.prepare("SELECT * FROM turns WHERE session = ? AND turn = ?");
  const columns = "turn, status, created_at, ended_at, continues, replaces, prompt";
  const selectPage = database.prepare(`
    SELECT ${columns} FROM turns
    WHERE session = ? AND turn > ? AND turn < ? AND replaced_by IS NULL ORDER BY turn LIMIT ?
  `);
  const selectAnswered = database.prepare(`
    SELECT ${columns} FROM turns WHERE session = ? AND answered = 1 ORDER BY turn DESC
  `);
  const countAnswered = database.prepare(
    "SELECT count(*) AS older FROM turns WHERE session = ? AND turn < ? AND answered = 1",
  );
  const findKey = database.prepare("SELECT 1 FROM sessions WHERE key = ? AND owner <> ''");
  /** The oldest of the newest so many turns, and whether one is older. */
  const selectNewest = database.prepare(`
    SELECT turn FROM turns
    WHERE session = ? AND turn < ? AND replaced_by IS NULL AND continues IS NULL ORDER BY turn DESC LIMIT ?
  `);

  function turnRow(key: number, turn: number): TurnRow {
    const row = selectTurn.get(key, turn) as TurnRow | undefined;
    if (row === undefined) throw turnNotFound(turn);
    return row;
  }

  return {
    readTurn({ access, sessionId, turn }: { access: Access; sessionId: string; turn: number }): Turn {
      const { key } = find(access, sessionId);
      return turnFrom(turnRow(key, turn), log.whole({ key, turn }));
    },

    findSent({ access, sessionId, ask, once, now }: SentLookup): number | undefined {
      return sent(find(access, sessionId).key, ask, once, now);
    },

    readText: (turn: TurnKey): TextSoFar => textSoFar(log.whole(turn)),

    startLog({ access, sessionId, turn }: { access: Access; sessionId: string; turn: number }): LogStart {
      const { key } = find(access, sessionId);
      return { key, status: turnRow(key, turn).status, head: log.head({ key, turn }) };
    },

    readLog({ turn, after }: { turn: TurnKey; after: number }): LoggedEvent[] | undefined {
      return log.page(turn, after);
    },

    openHistory({
      access,
      sessionId,
      window,
    }: {
      access: Access;
      sessionId: string;
      window: HistoryWindow;
    }): OpenedHistory {
      const row = find(access, sessionId);
      // Turns that begin later are not part of this reading.
      const below = Math.min(window.before ?? Number.POSITIVE_INFINITY, row.newest_turn + 1);
      let above = 0;
      let hasMore = false;
      if (window.limit !== undefined) {
        const newest = selectNewest.all(row.key, below, window.limit + 1) as { turn: number }[];
        hasMore = newest.length > window.limit;
        // What continues an older turn is older too.
        if (hasMore) above = (newest.at(-2)?.turn ?? 1) - 1;
      }
      return { session: view(row), hasMore, range: { key: row.key, above, below } };
    },

    readHistory({ key, above, below }: TurnRange): Turn[] {
      if (findKey.get(key) === undefined) throw sessionDeleted();
      return takePage(key, selectPage.iterate(key, above, below, pageTurns), pageLength);
    },

    remember({ access, sessionId, maxLength }: { access: Access; sessionId: string; maxLength: number }): Memory {
      const row = find(access, sessionId);
      const turns = takePage(row.key, selectAnswered.iterate(row.key), maxLength);
      const { older } = countAnswered.get(row.key, turns.at(-1)?.turn ?? 0) as { older: number };
      return { session: view(row), turns, older };
    },
  };

  /** Turns until their text adds up to a length; the last one may go beyond it. */
  function takePage(key: number, rows: Iterable<unknown>, maxLength: number): Turn[] {
    const page: Turn[] = [];
    let length = 0;
    for (const row of rows as Iterable<TurnRow>) {
      const turn = turnFrom(row, log.whole({ key, turn: row.turn }));
      page.push(turn);
      length += turn.prompt.length + turn.answer.length;
      if (length >= maxLength) break;
    }
    return page;
  }
}

type SentLookup = Pick<NewTurn, "sessionId" | "ask"> & {
  readonly access: Access;
  readonly once: SendOnce;
  readonly now: number;
};

type OpenedHistory = { readonly session: Session; readonly hasMore: boolean; readonly range: TurnRange };

function turnFrom(row: TurnRow, events: readonly LoggedEvent[]): Turn {
  const { turn, prompt, continues, replaces } = row;
  const facts = { turn, prompt, continues, replaces, createdAt: row.created_at, ...factsOf(events) };
  if (row.status === "queued" || row.status === "running") {
    return { ...facts, status: row.status, end: null, endedAt: null };
  }
  const last = events.at(-1)?.event;
  if (last?.type !== "end" || row.ended_at === null) throw new Error(`Turn ${row.turn} is settled without an end`);
  return { ...facts, status: row.status, end: last, endedAt: row.ended_at };
}
