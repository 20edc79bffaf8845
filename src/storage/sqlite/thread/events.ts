/** The SQL of a turn's log. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import type { LoggedEvent, TurnEvent } from "../../../protocol/events.ts";
import { emptyLogPosition } from "../../../protocol/positions.ts";
import { eventsAfter, splitLongText } from "../../event-log.ts";

/** A turn by the keys of its row. */
export type TurnKey = { readonly key: number; readonly turn: number };

/** An event as it is stored: a text event's text, any other event's fields as JSON. */
export type EventRow = { readonly position: number; readonly type: TurnEvent["type"]; readonly data: string };

/** How much text one page of a log holds, in UTF-16 code units. */
const pageLength = 16 * 1024;

export function eventLog(database: DatabaseSync) {
  const selectAfter = database.prepare(`
    SELECT position, type, data FROM events WHERE session = ? AND turn = ? AND position > ? ORDER BY position
  `);
  const selectHead = database.prepare("SELECT max(position) AS head FROM events WHERE session = ? AND turn = ?");
  return {
    head({ key, turn }: TurnKey): number {
      return (selectHead.get(key, turn) as { head: number | null }).head ?? emptyLogPosition;
    },
    whole({ key, turn }: TurnKey): LoggedEvent[] {
      return (selectAfter.all(key, turn, emptyLogPosition) as EventRow[]).map(eventFrom);
    },
    /**
     * The next events after a position, at most about a page of them; undefined for a position between the halves of a
     * character. Text is cut where the page begins and ends, so that no reader is given a whole long answer at once.
     */
    page({ key, turn }: TurnKey, after: number): LoggedEvent[] | undefined {
      const page: LoggedEvent[] = [];
      let length = 0;
      for (const row of selectAfter.iterate(key, turn, after)) {
        const rest = eventsAfter([eventFrom(row as EventRow)], after);
        if (rest === undefined) return undefined;
        const [piece] = splitLongText(rest, pageLength);
        if (piece === undefined) break;
        page.push(piece);
        length += piece.event.type === "text" ? piece.event.text.length : (row as EventRow).data.length;
        if (length >= pageLength || piece.position < (row as EventRow).position) break;
      }
      return page;
    },
  };
}

export function eventWriter(database: DatabaseSync) {
  const insert = database.prepare("INSERT INTO events (session, turn, position, type, data) VALUES (?, ?, ?, ?, ?)");
  const remove = database.prepare("DELETE FROM events WHERE session = ? AND turn = ?");
  const append = ({ key, turn }: TurnKey, events: readonly LoggedEvent[]) => {
    for (const { position, type, data } of events.map(rowOf)) insert.run(key, turn, position, type, data);
  };
  return {
    append,
    replace(turn: TurnKey, events: readonly LoggedEvent[]): void {
      remove.run(turn.key, turn.turn);
      append(turn, events);
    },
  };
}

export function rowOf({ position, event }: LoggedEvent): EventRow {
  if (event.type === "text") return { position, type: "text", data: event.text };
  const { type, ...fields } = event;
  return { position, type, data: JSON.stringify(fields) };
}

export function eventFrom({ position, type, data }: EventRow): LoggedEvent {
  const event = type === "text" ? { type, text: data } : ({ type, ...JSON.parse(data) } as TurnEvent);
  return { position, event };
}
