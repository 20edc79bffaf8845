import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TurnEvent } from "../../protocol/events.ts";
import { takeoverReason } from "../../protocol/positions.ts";
import { mergeText, placeEvents, textOf } from "../event-log.ts";
import { chunksOf, eventsOfChunks, eventsOfStream, streamEntry } from "./log-chunks.ts";

const words = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
/** Longer than a chunk, of characters of one code unit and of two. */
const long = fc.nat(20_000).map((length) => `${"x".repeat(length % 7)}${"🦊".repeat(length)}`);
const event: fc.Arbitrary<TurnEvent> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("text" as const), text: fc.oneof(words, words, long) }) },
  fc.record({
    type: fc.constant("reset" as const),
    text: words,
    reason: fc.constantFrom("fallback", takeoverReason),
  }),
  fc.record({
    type: fc.constant("tool" as const),
    call_id: words,
    name: words,
    status: fc.constantFrom("done", "failed"),
    result: fc.record({ card: words }),
  }),
  fc.record({
    type: fc.constant("error" as const),
    code: fc.constant("upstream_error" as const),
    message: words,
    retryable: fc.boolean(),
  }),
);
const log = fc
  .array(event, { maxLength: 30 })
  .map((events) =>
    placeEvents(-1, [
      { type: "turn", session_id: "s", turn: 1, model: "m" },
      ...events.filter((each) => each.type !== "text" || each.text !== ""),
      { type: "end", status: "completed", finish_reason: "stop", usage: null, model: "m" },
    ]),
  );

describe("a settled log", () => {
  test("comes back from its chunks as it was, whatever is in it", () => {
    fc.assert(
      fc.property(log, (events) => {
        const stored = eventsOfChunks(chunksOf(events).chunks);
        expect(mergeText(stored)).toEqual(mergeText(events));
        expect(textOf(stored)).toBe(textOf(events));
      }),
      { numRuns: 60 },
    );
  });

  test("is cut into pieces that nobody has to take more than 48 Ki characters of, and never inside a character", () => {
    fc.assert(
      fc.property(log, (events) => {
        const { chunks } = chunksOf(events);
        for (const chunk of chunks) {
          const pieces = eventsOfChunks([chunk]);
          const length = pieces.reduce((sum, { event: { type, ...rest } }) => sum + JSON.stringify(rest).length, 0);
          expect(length).toBeLessThan(48 * 1024);
          for (const { event: each } of pieces) if (each.type === "text") expect(each.text.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("is told where each chunk ends, so that a reader at any place is given the one that goes on from there", () => {
    fc.assert(
      fc.property(log, (events) => {
        const { ends, chunks } = chunksOf(events);
        const places = chunks.map((chunk) => eventsOfChunks([chunk]).at(-1)?.position);
        expect(ends.split(" ").map(Number)).toEqual(places);
        expect(places.at(-1)).toBe(events.at(-1)?.position);
      }),
      { numRuns: 60 },
    );
  });

  test("of nothing has no chunks", () => {
    expect(chunksOf([])).toEqual({ ends: "", chunks: [] });
    expect(eventsOfChunks([])).toEqual([]);
  });
});

test("the entries of a running log come back as they were, each at its event's position", () => {
  fc.assert(
    fc.property(log, (events) => {
      const entries = events.map(streamEntry);
      expect(entries.map(([id]) => Number.parseInt(id, 10))).toEqual(events.map(({ position }) => position));
      expect(eventsOfStream(entries.map(([id, field, value]) => [id, [field, value]]))).toEqual(events);
    }),
    { numRuns: 60 },
  );
});
