import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EventStreamParser, type ServerSentEvent } from "./event-stream-parser.ts";

const encoder = new TextEncoder();

/** The events of a stream that arrives in pieces of so many bytes, the last one with the rest. */
function parse(text: string | Uint8Array, ...sizes: readonly number[]): ServerSentEvent[] {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  const parser = new EventStreamParser();
  const events: ServerSentEvent[] = [];
  let start = 0;
  for (const size of [...sizes, bytes.length]) {
    events.push(...parser.take(bytes.subarray(start, start + size)));
    start += size;
  }
  return events;
}

const event = (data: string, name = "message", id?: string): ServerSentEvent => ({ name, data, id });

describe("an event stream is read as the HTML standard says", () => {
  it.each([
    ["an event ends at an empty line", "data: a\n\n", [event("a")]],
    ["one that never ends is none", "data: a\n\ndata: b\n", [event("a")]],
    [
      "lines end in LF, CR or CRLF",
      "data: a\n\ndata: b\r\rdata: c\r\n\r\ndata: d\r\n\n",
      ["a", "b", "c", "d"].map((d) => event(d)),
    ],
    ["several data lines are joined by a line feed", "data: a\ndata\ndata:b\n\n", [event("a\n\nb")]],
    ["one space after the colon is no part of the value", "data:  a\n\ndata:b\n\n", [event(" a"), event("b")]],
    ["comments are passed over", ": ok\n\n:data: x\ndata: a\n:\n\n", [event("a")]],
    [
      "names and ids belong to their event",
      "event: end\nid: 1.2\ndata: a\n\ndata: b\n\n",
      [event("a", "end", "1.2"), event("b")],
    ],
    ["an event without data is none, and leaves no name behind", "event: x\nid: 7\n\ndata: a\n\n", [event("a")]],
    ["empty data is data", "data\n\n", [event("")]],
    ["an id with a NUL is ignored", "id: 1\nid: 2\0\ndata: a\n\n", [event("a", "message", "1")]],
    ["unknown fields are ignored", "datum: x\nDATA: x\ndata: a\n\n", [event("a")]],
    ["a byte order mark at the beginning is dropped", "\uFEFFdata: a\n\n", [event("a")]],
    ["one further on is text", "data: \uFEFFa\n\n\uFEFFdata: b\n\n", [event("\uFEFFa")]],
  ])("%s", (_, text, events) => {
    expect(parse(text)).toEqual(events);
  });

  it("retry is taken when it is a number", () => {
    const parser = new EventStreamParser();
    expect(parser.retryMs).toBeUndefined();
    parser.take(encoder.encode("retry: 1500\nretry: soon\nretry: -1\nretry: 1e3\nretry:\n"));
    expect(parser.retryMs).toBe(1500);
  });
});

const everything =
  "\uFEFF: ok\r\nretry: 5\r\n\r\nevent: turn\rid: 1.0\rdata: {}\r\rid: 1.4\ndata: äöü😀\n\n" +
  "id: 1.5\r\ndata: a\r\ndata: 漢\r\n\r\n:x\n\ndata: \uFEFF\r\n\r\n";

describe("a stream may be cut anywhere", () => {
  const whole = parse(everything);
  const bytes = encoder.encode(everything);

  it("in two, at every byte", () => {
    expect(whole).toHaveLength(4);
    for (let size = 0; size <= bytes.length; size += 1) expect(parse(bytes, size)).toEqual(whole);
  });

  it("into single bytes", () => {
    expect(parse(bytes, ...bytes.map(() => 1))).toEqual(whole);
  });

  it("into any pieces, empty ones too, whatever the text", () => {
    const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n\0\uFEFF]/g, ""));
    const lineEnd = fc.constantFrom("\n", "\r", "\r\n");
    const sent = fc.array(fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), lineEnd), { maxLength: 6 });
    fc.assert(
      fc.property(sent, fc.array(fc.nat(9)), (events, sizes) => {
        const text = events.map(([data, end]) => `${data.map((d) => `data: ${d}${end}`).join("")}${end}`).join("");
        expect(parse(text, ...sizes)).toEqual(events.map(([data]) => event(data.join("\n"))));
      }),
    );
  });

  it("also into a great many, in time that grows with the length of a line alone", () => {
    const pieces = 60_000;
    const piece = encoder.encode("x".repeat(64));
    const parser = new EventStreamParser();
    parser.take(encoder.encode("data:"));
    // A parser that looked at the whole line again for each piece would not be done before the test's time is over.
    for (let index = 0; index < pieces; index += 1) parser.take(piece);
    expect(parser.take(encoder.encode("\n\n"))[0]?.data.length).toBe(pieces * piece.length);
  });
});
