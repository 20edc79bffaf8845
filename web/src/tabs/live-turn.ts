/** A turn as far as its events have told, from whichever connection or tab they came. */
import type { ChatEvent } from "../../../client/index.ts";
import type { ToolUsed, TurnEnded, TurnErrored, TurnStarted } from "../../../src/protocol/events.ts";

export type LiveTurn = {
  readonly sessionId: string;
  readonly turn: number;
  /** Of the last event (wire: `<turn>.<position>`); -1 before the first one. */
  readonly position: number;
  readonly text: string;
  readonly started: TurnStarted | undefined;
  /** What was done for the answer, in its order. */
  readonly tools: readonly ToolUsed[];
  readonly error: TurnErrored | undefined;
  readonly end: TurnEnded | undefined;
};

export function newLiveTurn(sessionId: string, turn: number): LiveTurn {
  return { sessionId, turn, position: -1, text: "", started: undefined, tools: [], error: undefined, end: undefined };
}

export function keyOf({ sessionId, turn }: Pick<LiveTurn, "sessionId" | "turn">): string {
  return `${sessionId}/${turn}`;
}

/**
 * The turn after one more event. What is known already changes nothing, so that the same log may be read twice, from
 * two connections; undefined where something is missing between what is known and the event.
 */
export function afterEvent(live: LiveTurn, event: ChatEvent): LiveTurn | undefined {
  const position = positionOf(event.id);
  if (position === undefined || position <= live.position) return live;
  switch (event.type) {
    case "turn":
      return { ...live, position, started: event };
    case "text": {
      const known = live.position - (position - event.text.length);
      return known < 0 ? undefined : { ...live, position, text: live.text + event.text.slice(known) };
    }
    case "reset":
      return { ...live, position, text: event.text };
    case "error":
      return { ...live, position, error: event };
    case "end":
      return { ...live, position, end: event };
    case "tool":
      return { ...live, position, tools: [...live.tools, event] };
    case "sources":
    case "unknown":
      // What this page does not show takes its place in the log, and nothing more.
      return { ...live, position };
  }
}

/** The event id to go on after; undefined for the whole turn. */
export function lastEventId({ turn, position }: LiveTurn): string | undefined {
  return position < 0 ? undefined : `${turn}.${position}`;
}

function positionOf(id: string | undefined): number | undefined {
  const position = id === undefined ? undefined : /^\d+\.(\d+)$/.exec(id)?.[1];
  return position === undefined ? undefined : Number(position);
}
