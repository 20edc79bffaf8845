/**
 * Positions work like TCP sequence numbers. They count a turn's event log: a `turn` event stands at 0, a text event
 * advances the position by the length of its text in UTF-16 code units, every other event by 1; an event's position is
 * the one after it. So neighbouring text events can be merged, in storage and in replay, without moving any position.
 */
import { Problem } from "./problems.ts";

/** The position of a log in which nothing has happened; following from here gives the whole turn. */
export const emptyLogPosition = -1;

/**
 * After a takeover in which the log may have lost its tail, the `reset` event jumps to the next multiple of this, so
 * that no position is ever used twice for different text.
 */
export const resetStride = 2 ** 24;

/** The reason of that `reset`. */
export const takeoverReason = "takeover";

/** The position after an event that is logged when the log's head is at `head`. */
export function positionAfter(
  head: number,
  event: { readonly type: string; readonly text?: string; readonly reason?: string | undefined },
): number {
  if (event.type === "text") return head + (event.text ?? "").length;
  if (event.type === "reset" && event.reason === takeoverReason) return nextStride(head);
  return head + 1;
}

function nextStride(head: number): number {
  return (Math.floor(Math.max(head, 0) / resetStride) + 1) * resetStride;
}

/** A place in a session's dialogue: a turn and a position in its log. */
export type EventId = { readonly turn: number; readonly position: number };

export function formatEventId(id: EventId): string {
  return `${id.turn}.${id.position}`;
}

const eventIdPattern = /^(?<turn>[1-9]\d{0,8})\.(?<position>\d{1,15})$/;

/**
 * Reads a client's `Last-Event-ID` or `?after=`. Nothing, an empty id (what a browser sends before the first event) and
 * `-1` mean the beginning and give `undefined`.
 *
 * @throws Problem `invalid_position` for anything that is not `<turn>.<position>`.
 */
export function parseEventId(text: string | undefined): EventId | undefined {
  if (text === undefined || text === "" || text === "-1") return undefined;
  const groups = eventIdPattern.exec(text)?.groups;
  const turn = groups?.["turn"];
  const position = groups?.["position"];
  if (turn === undefined || position === undefined) {
    throw new Problem(
      "invalid_position",
      "The position must be the id of an event, such as 3.6 (turn 3, position 6), or -1 for the beginning.",
    );
  }
  return { turn: Number(turn), position: Number(position) };
}

/** True when cutting `text` at `index` would separate the two halves of a surrogate pair. */
export function splitsSurrogatePair(text: string, index: number): boolean {
  return isHighSurrogate(text.charCodeAt(index - 1)) && isLowSurrogate(text.charCodeAt(index));
}

export function isHighSurrogate(codeUnit: number): boolean {
  return codeUnit >= 0xd800 && codeUnit <= 0xdbff;
}

export function isLowSurrogate(codeUnit: number): boolean {
  return codeUnit >= 0xdc00 && codeUnit <= 0xdfff;
}
