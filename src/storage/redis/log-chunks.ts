/** How logs are stored: a running turn's as entries of a stream, a settled one's in chunks of JSON. */
import type { LoggedEvent, TurnEvent } from "../../protocol/events.ts";
import { mergeText, splitLongText } from "../event-log.ts";
import type { Reply } from "./connection.ts";

/** An event of a settled log: a text event's text, any other event's fields. */
type StoredEvent = readonly [position: number, type: TurnEvent["type"], data: unknown];

/** About so much text is in a chunk, in UTF-16 code units, so that no reader is given a whole long answer at once. */
const chunkLength = 16 * 1024;

/** The words of a stream's entry: its place is the event's position. */
export function streamEntry({ position, event }: LoggedEvent): [id: string, field: string, value: string] {
  const { type, ...fields } = event;
  return [`${position}-1`, type, event.type === "text" ? event.text : JSON.stringify(fields)];
}

/** @param entries as XRANGE gives them */
export function eventsOfStream(entries: readonly Reply[]): LoggedEvent[] {
  return (entries as readonly [string, readonly [TurnEvent["type"], string]][]).map(([id, [type, data]]) => ({
    position: Number.parseInt(id, 10),
    event: type === "text" ? { type, text: data } : ({ type, ...JSON.parse(data) } as TurnEvent),
  }));
}

/** A whole log, its text merged: where each chunk ends, and the chunks. */
export function chunksOf(log: readonly LoggedEvent[]): { readonly ends: string; readonly chunks: readonly string[] } {
  const ends: number[] = [];
  const chunks: string[] = [];
  let chunk: StoredEvent[] = [];
  let length = 0;
  const close = () => {
    const last = chunk.at(-1);
    if (last === undefined) return;
    ends.push(last[0]);
    chunks.push(JSON.stringify(chunk));
    chunk = [];
    length = 0;
  };
  for (const { position, event } of splitLongText(mergeText(log), chunkLength)) {
    const { type, ...fields } = event;
    chunk.push([position, type, event.type === "text" ? event.text : fields]);
    length += lengthOf(event);
    if (length >= chunkLength) close();
  }
  close();
  return { ends: ends.join(" "), chunks };
}

/** About, in UTF-16 code units, of what may be long. */
function lengthOf(event: TurnEvent): number {
  if (event.type === "text" || event.type === "reset") return event.text.length;
  return event.type === "tool" ? JSON.stringify(event.result).length : 1;
}

export function eventsOfChunks(chunks: readonly Reply[]): LoggedEvent[] {
  return chunks.flatMap((chunk) =>
    (JSON.parse(String(chunk)) as StoredEvent[]).map(([position, type, data]) => ({
      position,
      event: (type === "text" ? { type, text: data } : { type, ...(data as object) }) as TurnEvent,
    })),
  );
}
