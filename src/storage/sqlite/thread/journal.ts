/**
 * Where running turns are logged: one row a commit, with what all turns were given in it. In `events` each turn has a
 * page of its own, and writing so many pages for a word each costs several times as much as the words. The journal only
 * has to outlive the process: its rows are read when the next one starts. A turn that is settled has its whole log in
 * `events`, and its entries here mean nothing any more.
 */
import type { DatabaseSync } from "node:sqlite";
import type { LoggedEvent } from "../../../protocol/events.ts";
import { mergeText } from "../../event-log.ts";
import { type EventRow, eventFrom, eventLog, eventWriter, rowOf, type TurnKey } from "./events.ts";
import type { RunningTurns } from "./running-turns.ts";

/** What one turn was given, as JSON. */
type Entry = readonly [session: number, turn: number, ...events: readonly EventTuple[]];
type EventTuple = readonly [EventRow["position"], EventRow["type"], EventRow["data"]];

export function journalEntry({ key, turn }: TurnKey, events: readonly LoggedEvent[]): string {
  return JSON.stringify([key, turn, ...events.map(tupleOf)] satisfies Entry);
}

function tupleOf(event: LoggedEvent): EventTuple {
  const { position, type, data } = rowOf(event);
  return [position, type, data];
}

/** After so many characters the journal is looked through for rows that nobody needs. */
const tidyAfter = 1024 * 1024;

/** So many such stretches are kept for the sake of turns that run on and on. */
const mostStretches = 8;

export class Journal {
  readonly #running: RunningTurns;
  readonly #fold: () => void;
  readonly #insert;
  readonly #removeBefore;
  #nextRow: number;
  /** Whether what an earlier process left was brought into `events`; until then nothing may be removed. */
  #folded = false;
  #folding = false;
  #untidy = 0;
  /** The row after each stretch that is kept, oldest first. */
  #stretches: number[] = [];

  constructor(database: DatabaseSync, running: RunningTurns) {
    this.#running = running;
    this.#fold = journalFolder(database);
    this.#insert = database.prepare("INSERT INTO journal (id, entries) VALUES (?, ?)");
    this.#removeBefore = database.prepare("DELETE FROM journal WHERE id < ?");
    const { last } = database.prepare("SELECT max(id) AS last FROM journal").get() as { last: number | null };
    this.#nextRow = (last ?? 0) + 1;
  }

  /** The row that the next `write` makes. */
  get nextRow(): number {
    return this.#nextRow;
  }

  write(entries: readonly string[]): void {
    const row = `[${entries.join(",")}]`;
    this.#insert.run(this.#nextRow, row);
    this.#nextRow += 1;
    this.#untidy += row.length;
  }

  /** Removes what nobody needs any more; for when a turn has ended. */
  tidy(): void {
    if (!this.#folded || (this.#running.size > 0 && this.#untidy < tidyAfter)) return;
    const oldest = Math.min(this.#running.oldestRow(), this.#nextRow);
    this.#removeBefore.run(oldest);
    this.#untidy = 0;
    this.#stretches = [...this.#stretches.filter((end) => end > oldest), this.#nextRow];
    if (this.#stretches.length > mostStretches) this.empty();
  }

  /** Brings the logs of running turns into `events`, so that nothing of any turn is left here. */
  empty(): void {
    this.#fold();
    this.#running.leaveJournal();
    this.#stretches = [];
    this.#folding = true;
  }

  /** A place in the transaction under way, to roll back to. */
  savepoint(): boolean {
    return this.#folding;
  }

  commit(): void {
    this.#folded ||= this.#folding;
    this.#folding = false;
  }

  /** An emptying that is taken back has brought nothing into `events`. */
  rollBack(savepoint = false): void {
    this.#folding = savepoint;
  }
}

function journalFolder(database: DatabaseSync): () => void {
  const log = eventLog(database);
  const events = eventWriter(database);
  const select = database.prepare("SELECT entries FROM journal ORDER BY id");
  const removeAll = database.prepare("DELETE FROM journal");
  const findRunning = database.prepare("SELECT 1 FROM turns WHERE session = ? AND turn = ? AND status = 'running'");

  return () => {
    for (const [key, logged] of logsOf(select.iterate() as Iterable<{ entries: string }>)) {
      if (findRunning.get(key.key, key.turn) === undefined) continue;
      const head = log.head(key);
      events.append(key, mergeText(logged.filter(({ position }) => position > head)));
    }
    removeAll.run();
  };
}

function logsOf(rows: Iterable<{ readonly entries: string }>): Iterable<readonly [TurnKey, LoggedEvent[]]> {
  const logs = new Map<string, [TurnKey, LoggedEvent[]]>();
  for (const { entries } of rows) {
    for (const [key, turn, ...events] of JSON.parse(entries) as Entry[]) {
      const name = `${key} ${turn}`;
      const log = logs.get(name) ?? [{ key, turn }, []];
      logs.set(name, log);
      for (const [position, type, data] of events) log[1].push(eventFrom({ position, type, data }));
    }
  }
  return logs.values();
}
