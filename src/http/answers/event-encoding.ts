/** A turn's events → the text of Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import type { LoggedEvent } from "../../protocol/events.ts";
import { formatEventId } from "../../protocol/positions.ts";
import { type Problem, problemKinds } from "../../protocol/problems.ts";

/**
 * One event. `data` is one line of JSON, in which CR and LF are escaped; so no text of a user or a model can end a line
 * and begin a field of its own. Text events have no name, for `onmessage` in a browser.
 */
export function encodeEvent(turn: number, { position, event }: LoggedEvent): string {
  const id = formatEventId({ turn, position });
  if (event.type === "text") return `id: ${id}\ndata: ${JSON.stringify({ text: event.text })}\n\n`;
  const { type, ...data } = event;
  return `event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** What went wrong with the stream, not with the turn: no id, as it is in no log. */
export function encodeStreamError({ code, detail }: Problem): string {
  const data = { code, message: detail, retryable: problemKinds[code].retryable };
  return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The first bytes: a comment that gets through whatever holds back short answers, and when to reconnect. */
export function encodeOpening(retryMs: number): string {
  return `: ok\n${encodeRetry(retryMs)}`;
}

/** When to reconnect, for a stream that closes before the turn's end. */
export function encodeRetry(retryMs: number): string {
  return `retry: ${retryMs}\n\n`;
}

export const heartbeatComment = ": heartbeat\n\n";

/** For clients that cannot see comments, such as a browser's EventSource. No id: it is no place in the log. */
export const heartbeatEvent = "event: heartbeat\ndata: {}\n\n";
