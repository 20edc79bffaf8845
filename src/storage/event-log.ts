import type { LoggedEvent, SourceView, ToolUsed, TurnEvent } from "../protocol/events.ts";
import { emptyLogPosition, positionAfter, splitsSurrogatePair } from "../protocol/positions.ts";
import type { Turn } from "./storage.ts";

/** Gives each event its place, the log's head being at `head`. */
export function placeEvents(head: number, events: readonly TurnEvent[]): LoggedEvent[] {
  let position = head;
  return events.map((event) => {
    position = positionAfter(position, event);
    return { position, event };
  });
}

/**
 * The same log with neighbouring text events merged. No position moves: a reader may stop in the middle of a merged
 * event and resume there.
 */
export function mergeText(log: readonly LoggedEvent[]): LoggedEvent[] {
  const merged: LoggedEvent[] = [];
  let texts: string[] = [];
  let position = emptyLogPosition;
  const closeRun = () => {
    if (texts.length > 0) merged.push({ position, event: { type: "text", text: texts.join("") } });
    texts = [];
  };
  for (const logged of log) {
    if (logged.event.type === "text") {
      texts.push(logged.event.text);
    } else {
      closeRun();
      merged.push(logged);
    }
    position = logged.position;
  }
  closeRun();
  return merged;
}

/** The text of a turn as its log tells it: what came since the newest `reset`. */
export function textOf(log: readonly LoggedEvent[]): string {
  let texts: string[] = [];
  for (const { event } of log) {
    if (event.type === "text") texts.push(event.text);
    else if (event.type === "reset") texts = [event.text];
  }
  return texts.join("");
}

/** What a log tells of its turn. */
export function factsOf(
  log: readonly LoggedEvent[],
): Pick<Turn, "answer" | "head" | "error" | "model" | "trimmedTurns" | "tools" | "sources"> {
  const first = log[0]?.event;
  const error = log.find(({ event }) => event.type === "error")?.event;
  return {
    answer: textOf(log),
    head: log.at(-1)?.position ?? emptyLogPosition,
    error: error?.type === "error" ? error : null,
    model: first?.type === "turn" ? first.model : null,
    trimmedTurns: trimmedTurnsOf(log),
    tools: toolsOf(log),
    sources: sourcesOf(log),
  };
}

/** As its end tells it, where the model took less than its beginning said. */
function trimmedTurnsOf(log: readonly LoggedEvent[]): number | null {
  const [first, last] = [log[0]?.event, log.at(-1)?.event];
  if (last?.type === "end" && last.trimmed_turns !== undefined) return last.trimmed_turns;
  return (first?.type === "turn" && first.trimmed_turns) || null;
}

export function toolsOf(log: readonly LoggedEvent[]): ToolUsed[] {
  return log.flatMap(({ event }) => (event.type === "tool" ? [event] : []));
}

function sourcesOf(log: readonly LoggedEvent[]): SourceView[] {
  const named = log.flatMap(({ event }) => (event.type === "sources" ? event.sources : []));
  return [...new Map(named.map((source) => [`${source.url} ${source.revision}`, source])).values()];
}

export type TextSoFar = { readonly text: string; readonly position: number };

/**
 * A turn's text so far and where it ends, for a reader who has to begin anew; what came after the text (an error, the
 * end) is still to be read from there. The position of an empty log when nothing has happened yet.
 */
export function textSoFar(log: readonly LoggedEvent[]): TextSoFar {
  const last = log.findLast(({ event }) => event.type === "text" || event.type === "reset") ?? log[0];
  return { text: textOf(log), position: last?.position ?? emptyLogPosition };
}

/**
 * The events after a position, the first one cut there when the position is inside its text. Undefined when the
 * position is between the halves of a character, where no event can ever have ended.
 */
export function eventsAfter(log: readonly LoggedEvent[], after: number): LoggedEvent[] | undefined {
  const later = log.filter((logged) => logged.position > after);
  const first = later[0];
  if (first?.event.type !== "text") return later;
  const start = first.position - first.event.text.length;
  if (after <= start) return later;
  const index = after - start;
  if (splitsSurrogatePair(first.event.text, index)) return undefined;
  later[0] = { position: first.position, event: { type: "text", text: first.event.text.slice(index) } };
  return later;
}

/** Text events no longer than `maxLength` code units, never cut inside a character; other events as they are. */
export function splitLongText(log: readonly LoggedEvent[], maxLength: number): readonly LoggedEvent[] {
  if (log.every(({ event }) => event.type !== "text" || event.text.length <= maxLength)) return log;
  return log.flatMap((logged) => {
    if (logged.event.type !== "text") return [logged];
    const { text } = logged.event;
    const start = logged.position - text.length;
    const pieces: LoggedEvent[] = [];
    for (let index = 0; index < text.length; ) {
      let next = Math.min(index + maxLength, text.length);
      if (splitsSurrogatePair(text, next)) next -= 1;
      pieces.push({ position: start + next, event: { type: "text", text: text.slice(index, next) } });
      index = next;
    }
    return pieces;
  });
}
