import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LoggedEvent, TurnEvent } from "../protocol/events.ts";
import { emptyLogPosition, resetStride } from "../protocol/positions.ts";
import { eventsAfter, mergeText, placeEvents, splitLongText, textOf } from "./event-log.ts";

const textEvent = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 10 })
  .map((text): TurnEvent => ({ type: "text", text }));
const otherEvent = fc.constantFrom<TurnEvent>(
  { type: "turn", session_id: "s", turn: 1, model: "m" },
  { type: "error", code: "upstream_error", message: "m", retryable: true },
  { type: "tool", call_id: "call00001", name: "look_up", status: "done", result: { found: 1 } },
  { type: "reset", text: "instead", reason: "r" },
);
const log = fc
  .array(fc.oneof({ weight: 4, arbitrary: textEvent }, { weight: 1, arbitrary: otherEvent }), { maxLength: 40 })
  .map((events) => placeEvents(emptyLogPosition, events));

function head(events: readonly LoggedEvent[]): number {
  return events.at(-1)?.position ?? emptyLogPosition;
}

/** What a reader has seen, unit by unit: a unit of text, or an event that is none. */
function units(events: readonly LoggedEvent[]): unknown[] {
  return events.flatMap(({ event }): unknown[] => (event.type === "text" ? event.text.split("") : [event]));
}

describe("merging text", () => {
  test("moves no position and changes no text", () => {
    fc.assert(
      fc.property(log, (events) => {
        const merged = mergeText(events);
        expect(head(merged)).toBe(head(events));
        expect(textOf(merged)).toBe(textOf(events));
        expect(units(merged)).toEqual(units(events));
        expect(mergeText(merged)).toEqual(merged);
      }),
    );
  });

  test("leaves no two text events side by side", () => {
    fc.assert(
      fc.property(log, (events) => {
        const types = mergeText(events).map(({ event }) => event.type);
        expect(types.some((type, index) => type === "text" && types[index + 1] === "text")).toBe(false);
      }),
    );
  });

  test("keeps the jump that a reset after a takeover makes", () => {
    const events: LoggedEvent[] = [
      { position: 2, event: { type: "text", text: "ab" } },
      { position: resetStride, event: { type: "reset", text: "a", reason: "takeover" } },
      { position: resetStride + 1, event: { type: "text", text: "c" } },
      { position: resetStride + 2, event: { type: "text", text: "d" } },
    ];
    const merged = mergeText(events);
    expect(merged.map(({ position }) => position)).toEqual([2, resetStride, resetStride + 2]);
    expect(textOf(merged)).toBe("acd");
  });
});

describe("resuming", () => {
  test("C5: from any position, in the log as written or as merged, the rest comes exactly once", () => {
    fc.assert(
      fc.property(log, fc.nat({ max: 500 }), fc.boolean(), (events, at, merge) => {
        const stored = merge ? mergeText(events) : events;
        const after = Math.min(at - 1, head(stored));
        const rest = eventsAfter(stored, after);
        // Positions rise by one a unit from -1, so what is left is what stands behind that many units.
        const expected = units(events).slice(after + 1);
        if (rest === undefined) expect((expected[0] as string).charCodeAt(0)).toBeGreaterThanOrEqual(0xdc00);
        else expect(units(rest)).toEqual(expected);
      }),
    );
  });

  test("splitting long text keeps every unit and position and never cuts a character", () => {
    fc.assert(
      fc.property(log, fc.integer({ min: 2, max: 9 }), (events, longest) => {
        const merged = mergeText(events);
        const pieces = splitLongText(merged, longest);
        expect(units(pieces)).toEqual(units(merged));
        expect(mergeText(pieces)).toEqual(merged);
        for (const { event } of pieces) {
          if (event.type !== "text") continue;
          expect(event.text.length).toBeLessThanOrEqual(longest);
          expect(event.text.isWellFormed()).toBe(true);
        }
      }),
    );
  });
});
