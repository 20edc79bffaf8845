import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LoggedEvent, TurnEvent } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { eventsAfter, mergeText, placeEvents, textOf } from "../event-log.ts";
import { TurnLog } from "./turn-log.ts";

const text = (position: number, content: string): LoggedEvent => ({ position, event: { type: "text", text: content } });

describe("the log of a turn that runs here", () => {
  test("gives what came after a position, cut there where that is inside a piece", () => {
    const log = new TurnLog([]);
    log.append([text(2, "abc")]);
    log.append([text(4, "de")]);
    expect(log.since(2)).toEqual([text(4, "de")]);
    expect(log.since(0)).toEqual([text(2, "bc"), text(4, "de")]);
    expect(log.since(4)).toEqual([]);
  });

  test("knows no place beyond its head, nor between the halves of a character", () => {
    const log = new TurnLog([text(10, "Hello there")]);
    log.append([text(12, "😀")]);
    expect(log.since(13)).toBeUndefined();
    expect(log.since(11)).toBeUndefined();
    expect(log.since(7)).toEqual([text(12, "ere😀")]);
  });

  const event: fc.Arbitrary<TurnEvent> = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.string({ minLength: 1, maxLength: 3 }).map((piece) => ({ type: "text", text: piece }) as const),
    },
    {
      weight: 1,
      arbitrary: fc.constant({ type: "tool", call_id: "c", name: "t", status: "done", result: { found: 1 } } as const),
    },
    { weight: 1, arbitrary: fc.constant({ type: "reset", text: "Anew: ", reason: "test" } as const) },
  );

  test("P5: however long it grows, every position gives what the plain list of its events gives, and no event is lost", () => {
    const logs = fc.tuple(fc.array(event, { maxLength: 20 }), fc.array(event, { minLength: 200, maxLength: 400 }));
    fc.assert(
      fc.property(logs, ([before, added]) => {
        const plain = placeEvents(emptyLogPosition, [...before, ...added]);
        const log = new TurnLog(mergeText(plain.slice(0, before.length)));
        for (const one of plain.slice(before.length)) log.append([one]);
        expect(log.head).toBe(plain.at(-1)?.position);
        expect(log.whole()).toEqual(mergeText(plain));
        for (let position = -1; position <= log.head; position += 7) {
          const rest = log.since(position);
          expect(rest && mergeText(rest)).toEqual(mergeText(eventsAfter(plain, position) ?? []));
        }
      }),
      { numRuns: 30 },
    );
  });

  test("a megabyte in small pieces costs little to keep and is there to the last character", () => {
    const log = new TurnLog([]);
    for (let position = 3; position < 1_000_000; position += 4) log.append([text(position, "abcd")]);
    expect(textOf(log.whole())).toBe("abcd".repeat(250_000));
  });
});
