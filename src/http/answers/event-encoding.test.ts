import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LoggedEvent, TurnEvent } from "../../protocol/events.ts";
import { Problem } from "../../protocol/problems.ts";
import { encodeEvent, encodeOpening, encodeStreamError, heartbeatComment, heartbeatEvent } from "./event-encoding.ts";

/** What a client makes of a stream, whatever the pieces in which it arrives. */
function decode(stream: string, pieceLength = stream.length): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => void events.push(event),
    onError: (error) => {
      throw error;
    },
  });
  for (let index = 0; index < stream.length; index += pieceLength)
    parser.feed(stream.slice(index, index + pieceLength));
  return events;
}

/** Any text at all, with what breaks line-based formats more often than by chance. */
const nastyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\n", "\r", "\r\n", "\0", " ", "  x", ": comment", "data: x", "\n\nevent: end\ndata: {}\n\n"),
      fc.constantFrom("\u2028", "\u2029", "\ufeff", "\ud83d", "\ude00", "😀", "id: 9.9", "retry: 1"),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(""));

const endOf = (status: "completed" | "stopped"): TurnEvent => ({
  type: "end",
  status,
  finish_reason: null,
  usage: null,
  model: "m",
});

describe("encodeEvent", () => {
  it("A22: gives any text back exactly, as one event, wherever the stream is cut into pieces", () => {
    fc.assert(
      fc.property(nastyText, fc.integer({ min: 1, max: 40 }), (text, pieceLength) => {
        const stream = encodeEvent(3, { position: 6, event: { type: "text", text } });
        expect(decode(stream, pieceLength)).toEqual([
          { id: "3.6", event: undefined, data: expect.any(String) as string },
        ]);
        expect(JSON.parse(decode(stream, pieceLength)[0]?.data ?? "")).toEqual({ text });
      }),
      { numRuns: 2_000 },
    );
  });

  it("A22: gives the text of every other event back exactly too", () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        const events: TurnEvent[] = [
          { type: "turn", session_id: text, turn: 3, model: text },
          { type: "reset", text, reason: text },
          { type: "error", code: "internal", message: text, retryable: true },
          { type: "end", status: "failed", finish_reason: text, usage: null, model: text },
        ];
        const stream = events.map((event, position) => encodeEvent(3, { position, event })).join("");
        const decoded = decode(stream);
        expect(decoded.map(({ event }) => event)).toEqual(["turn", "reset", "error", "end"]);
        expect(decoded.map(({ data }) => JSON.parse(data))).toEqual(events.map(({ type: _, ...data }) => data));
      }),
    );
  });

  it("writes each event in a fixed form, line by line", () => {
    const log: LoggedEvent[] = [
      { position: 0, event: { type: "turn", session_id: "s", turn: 3, model: "m" } },
      { position: 6, event: { type: "text", text: "Hello," } },
      { position: 7, event: endOf("completed") },
    ];
    expect(log.map((logged) => encodeEvent(3, logged)).join("")).toBe(
      [
        'event: turn\nid: 3.0\ndata: {"session_id":"s","turn":3,"model":"m"}\n\n',
        'id: 3.6\ndata: {"text":"Hello,"}\n\n',
        'event: end\nid: 3.7\ndata: {"status":"completed","finish_reason":null,"usage":null,"model":"m"}\n\n',
      ].join(""),
    );
  });
});

describe("what is no part of a log", () => {
  it("carries no id, so that a client's place does not move", () => {
    const stream = encodeStreamError(new Problem("session_deleted", "It is gone.")) + heartbeatEvent;
    expect(decode(stream)).toEqual([
      {
        id: undefined,
        event: "error",
        data: '{"code":"session_deleted","message":"It is gone.","retryable":false}',
      },
      { id: undefined, event: "heartbeat", data: "{}" },
    ]);
  });

  it("is no event where it is only a sign of life", () => {
    expect(decode(encodeOpening(700) + heartbeatComment)).toEqual([]);
  });

  it("tells clients when to come back", () => {
    const retries: number[] = [];
    createParser({ onRetry: (retry) => void retries.push(retry) }).feed(encodeOpening(700));
    expect(retries).toEqual([700]);
  });
});
