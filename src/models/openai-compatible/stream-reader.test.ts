import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StreamReader } from "./stream-reader.ts";

type Ending = "\n" | "\r\n" | "\r";

const encoder = new TextEncoder();

function chunkOf(fields: object): string {
  return JSON.stringify({ id: "chatcmpl-1", ...fields });
}

function textChunk(content: unknown): string {
  return chunkOf({ choices: [{ index: 0, delta: { content } }] });
}

function streamOf(events: readonly string[], ending: Ending = "\n"): Uint8Array {
  return encoder.encode(events.map((data) => `data: ${data}${ending}${ending}`).join(""));
}

function read(...parts: readonly (Uint8Array | string)[]): StreamReader {
  const reader = new StreamReader();
  for (const part of parts) reader.feed(typeof part === "string" ? encoder.encode(part) : part);
  return reader;
}

describe("StreamReader", () => {
  it("gives any text back exactly, cut at any bytes and with any line ending", () => {
    const pieces = fc.array(fc.string({ unit: "binary", maxLength: 20 }), { maxLength: 12 });
    const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 30 });
    const endings = fc.constantFrom<Ending>("\n", "\r\n", "\r");
    const property = fc.property(pieces, cuts, endings, fc.boolean(), (texts, positions, ending, withMark) => {
      const stream = streamOf([...texts.map(textChunk), "[DONE]"], ending);
      const bytes = withMark ? new Uint8Array([0xef, 0xbb, 0xbf, ...stream]) : stream;
      const places = [0, ...positions.filter((at) => at < bytes.length), bytes.length].sort((a, b) => a - b);
      const reader = new StreamReader();
      let text = "";
      for (let index = 1; index < places.length; index += 1) {
        reader.feed(bytes.subarray(places[index - 1], places[index]));
        text += reader.take();
      }
      expect(reader.failure).toBeUndefined();
      expect(reader.done).toBe(true);
      expect(text).toBe(texts.join(""));
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("gives text back exactly when every byte comes alone", () => {
    const text = "Grüße 世界 😀\r\n\u2028\0 end";
    for (const ending of ["\n", "\r\n", "\r"] as const) {
      const bytes = streamOf([textChunk(text), "[DONE]"], ending);
      const reader = read(...Array.from(bytes, (byte) => new Uint8Array([byte])));
      expect(reader.take()).toBe(text);
      expect(reader.done).toBe(true);
    }
  });

  it("does not hold a piece back until the next one where lines end in CR", () => {
    expect(read(streamOf([textChunk("now")], "\r")).take()).toBe("now");
  });

  it("takes an LF that comes in the next read for the end of the same line", () => {
    const reader = read(`data: {"choices":[{"delta":\r`, `\ndata: {"content":"one event"}}]}\r`, "\n\r", "\n");
    expect(reader.failure).toBeUndefined();
    expect(reader.take()).toBe("one event");
  });

  it("joins the data lines of one event", () => {
    expect(read(`data: {"choices":[{"delta":\ndata: {"content":"joined"}}]}\n\n`).take()).toBe("joined");
  });

  it("passes on half a surrogate pair as it is", () => {
    const reader = read(streamOf([textChunk("\ud83d"), textChunk("\ude00")]));
    expect(reader.take()).toBe("😀");
  });

  it("reads finish reason and usage, from one chunk or two", () => {
    const usage = { prompt_tokens: 21, completion_tokens: 5 };
    const apart = read(
      streamOf([chunkOf({ choices: [{ finish_reason: "stop" }] }), chunkOf({ choices: [], usage }), "[DONE]"]),
    );
    const together = read(streamOf([chunkOf({ choices: [{ finish_reason: "stop" }], usage })]));
    for (const reader of [apart, together]) {
      expect(reader.finishReason).toBe("stop");
      expect(reader.usage).toEqual({ input_tokens: 21, output_tokens: 5 });
    }
  });

  it.each([
    ["negative", { prompt_tokens: -1, completion_tokens: 5 }],
    ["beyond a thousand million", { prompt_tokens: 1, completion_tokens: 1e9 + 1 }],
    ["broken", { prompt_tokens: 1.5, completion_tokens: 5 }],
    ["text", { prompt_tokens: "1", completion_tokens: 5 }],
    ["half missing", { prompt_tokens: 1 }],
    ["null", null],
    ["zero for both", { prompt_tokens: 0, completion_tokens: 0 }],
  ])("ignores a count of tokens that is %s", (_, usage) => {
    expect(read(streamOf([chunkOf({ choices: [], usage })])).usage).toBeNull();
  });

  it("keeps a count that an absurd one follows", () => {
    const good = chunkOf({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 3 } });
    const absurd = chunkOf({ choices: [], usage: { prompt_tokens: -2, completion_tokens: 3 } });
    expect(read(streamOf([good, absurd])).usage).toEqual({ input_tokens: 2, output_tokens: 3 });
  });

  it("reads an empty finish reason as none, and one that is no name as unspecified", () => {
    expect(read(streamOf([chunkOf({ choices: [{ finish_reason: "" }] })])).finishReason).toBeUndefined();
    expect(read(streamOf([chunkOf({ choices: [{ finish_reason: "<script>" }] })])).finishReason).toBe("unspecified");
  });

  it("turns a refusal that ends with stop into content_filter, and keeps its words out", () => {
    const refusal = chunkOf({ choices: [{ delta: { refusal: "I will not" } }] });
    const during = read(streamOf([refusal]));
    expect(during.finishReason).toBeUndefined();
    const after = read(streamOf([refusal, chunkOf({ choices: [{ finish_reason: "stop" }] })]));
    expect(after.finishReason).toBe("content_filter");
    expect(after.take()).toBe("");
  });

  it.each([
    ["reasoning_content", { reasoning_content: "hm" }],
    ["reasoning beside an empty text", { content: "", reasoning: "hm" }],
    ["thinking", { thinking: "hm" }],
    ["reasoning_details, as text", { reasoning_details: [{ type: "reasoning.text", text: "hm" }] }],
    ["reasoning_details, as a summary", { reasoning_details: [{ type: "reasoning.summary", summary: "hm" }] }],
    ["reasoning_details, encrypted", { content: "", reasoning_details: [{ type: "reasoning.encrypted", data: "x" }] }],
    ["a part of the content", { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] }],
    ["marked text", { content: "hm", extra_content: { google: { thought: true } } }],
  ])("takes a thought in %s for progress, and not for text", (_, delta) => {
    const reader = read(": quiet\n\n", streamOf([chunkOf({ choices: [{ delta }] })]));
    expect(reader).toMatchObject({ thought: true, spoke: false, quietInARow: 0 });
    expect(reader.take()).toBe("");
    expect(reader.takeProgress()).toBe(true);
    expect(reader.takeProgress()).toBe(false);
  });

  it.each([
    ["empty", { reasoning_content: "", reasoning: null, reasoning_details: [], thinking: [] }],
    ["a signature alone", { reasoning_details: [{ type: "reasoning.text", text: "", signature: "x" }] }],
    ["a number", { reasoning: 7, reasoning_details: [7] }],
    ["nested without end", { content: [{ thinking: JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`) }] }],
    ["marked, but empty", { content: "", extra_content: { google: { thought: true } } }],
  ])("takes a thought that is %s for a sign of life only", (_, delta) => {
    const reader = read(streamOf([chunkOf({ choices: [{ delta }] })]));
    expect(reader).toMatchObject({ thought: false, quietInARow: 1 });
    expect(reader.takeProgress()).toBe(false);
  });

  it("takes a refusal's words and text for progress, and a bare role for none", () => {
    const progressOf = (delta: object) => read(streamOf([chunkOf({ choices: [{ delta }] })])).takeProgress();
    expect(progressOf({ refusal: "No." })).toBe(true);
    expect(progressOf({ content: "Yes." })).toBe(true);
    expect(progressOf({ role: "assistant", content: null })).toBe(false);
  });

  it("knows from the count that a model thought which does not show it", () => {
    const usage = (reasoning_tokens: number) => ({
      prompt_tokens: 1,
      completion_tokens: 64,
      completion_tokens_details: { reasoning_tokens },
    });
    expect(read(streamOf([chunkOf({ choices: [], usage: usage(64) })])).thought).toBe(true);
    expect(read(streamOf([chunkOf({ choices: [], usage: usage(0) })])).thought).toBe(false);
  });

  it("keeps a closing tag that ends no marked thought", () => {
    const marked = chunkOf({
      choices: [{ delta: { content: "<thought>a", extra_content: { google: { thought: true } } } }],
    });
    expect(read(streamOf([marked, textChunk("</thought>b"), textChunk("</thought>c")])).take()).toBe("b</thought>c");
    expect(read(streamOf([textChunk("</thought>d")])).take()).toBe("</thought>d");
  });

  it("joins the parts of text in a list, and only these", () => {
    const parts = [
      { type: "text", text: "a" },
      { type: "reference", reference_ids: [1] },
      { type: "text", text: "b" },
    ];
    expect(read(streamOf([textChunk(parts)])).take()).toBe("ab");
  });

  it("takes a finish reason back when the answer goes on, and believes only [DONE] from then on", () => {
    const ending = (delta: object) => chunkOf({ choices: [{ delta, finish_reason: "stop" }] });
    const reader = read(streamOf([ending({ content: "a" })]));
    expect(reader.finishReason).toBe("stop");
    reader.feed(streamOf([ending({ content: "b" })]));
    expect(reader.finishReason).toBeUndefined();
    reader.feed(streamOf([chunkOf({ choices: [{ delta: {}, finish_reason: "length" }] })]));
    expect(reader.finishReason).toBeUndefined();
    reader.feed(streamOf(["[DONE]"]));
    expect(reader.finishReason).toBe("length");
    expect(reader.take()).toBe("ab");
  });

  it("is over at a reason and a count only where the chunk holds nothing of the answer", () => {
    const usage = { prompt_tokens: 2, completion_tokens: 3 };
    const reason = (delta: object) => chunkOf({ choices: [{ delta, finish_reason: "stop" }] });
    const both = (delta: object) => chunkOf({ choices: [{ delta, finish_reason: "stop" }], usage });
    const isOver = (...events: string[]) => read(streamOf(events)).over;
    expect(isOver(both({}))).toBe(true);
    expect(isOver(both({ content: "" }))).toBe(true);
    expect(isOver(reason({ content: "text" }), chunkOf({ choices: [], usage }))).toBe(true);
    expect(isOver(reason({}))).toBe(false);
    expect(isOver(both({ content: "text" }))).toBe(false);
    expect(isOver(both({ reasoning: "hm" }))).toBe(false);
    expect(isOver(both({ content: "text" }), "[DONE]")).toBe(true);
  });

  it("lets a filter have the last word", () => {
    const reason = (finish_reason: string) => chunkOf({ choices: [{ finish_reason }] });
    expect(read(streamOf([reason("stop"), reason("content_filter")])).finishReason).toBe("content_filter");
    expect(read(streamOf([reason("length"), reason("stop")])).finishReason).toBe("length");
  });

  it.each([
    ["content_filter: PROHIBITED_CONTENT", "content_filter"],
    ["repetition", "length"],
  ])("reads the reason %s as %s", (word, reason) => {
    expect(read(streamOf([chunkOf({ choices: [{ finish_reason: word }] })])).finishReason).toBe(reason);
  });

  it("reads the error in a choice that gave up", () => {
    const { failure } = read(streamOf([chunkOf({ choices: [{ finish_reason: "error", error: { code: 429 } }] })]));
    expect(failure).toMatchObject({ kind: "reported", error: { status: 429 } });
  });

  it("reads only what is declared", () => {
    const odd = `{"__proto__":{"polluted":true},"choices":[{"index":"x","delta":{"role":7,"content":"ok","tool_calls":[{"id":"__proto__"}]}},{"delta":{"content":"no"}}]}`;
    expect(read(streamOf([odd])).take()).toBe("ok");
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ["content is a number", textChunk(7)],
    ["content is a list", textChunk(["a"])],
    ["there are no choices", chunkOf({})],
    ["choices is no list", chunkOf({ choices: "a" })],
    ["the choice is null", chunkOf({ choices: [null] })],
    ["data is empty", ""],
  ])("counts a chunk as quiet when %s", (_, data) => {
    const reader = read(streamOf([data]));
    expect(reader.failure).toBeUndefined();
    expect(reader.quietInARow).toBe(1);
  });

  it("counts comments and empty deltas in a row, and begins anew at text", () => {
    const reader = read(": one\n\n", streamOf([textChunk("")]), ": three\n\n");
    expect(reader.quietInARow).toBe(3);
    reader.feed(streamOf([textChunk("text")]));
    expect(reader.quietInARow).toBe(0);
  });

  it.each([["{"], ["null"], ["7"], ['"text"'], ["[]"]])("refuses data that is no object: %s", (data) => {
    const reader = read(streamOf([textChunk("before"), data, textChunk("after")]));
    expect(reader.failure).toEqual({ kind: "malformed" });
    expect(reader.take()).toBe("before");
  });

  it("ignores events under other names that are not JSON", () => {
    expect(read("event: ping\ndata: pong\n\n").failure).toBeUndefined();
  });

  it("calls a line longer than 256 KiB too large, and an event of many lines, and takes one that is shorter", () => {
    const lines = `data: ${"x".repeat(1_000)}\n`.repeat(50);
    expect(read(...Array.from({ length: 6 }, () => lines)).failure).toEqual({ kind: "too_large" });
    const long = read(...Array.from({ length: 5 }, () => "x".repeat(64 * 1024)));
    expect(long.failure).toEqual({ kind: "too_large" });
    const text = "y".repeat(200 * 1024);
    const bytes = streamOf([textChunk(text)]);
    const short = new StreamReader();
    for (let at = 0; at < bytes.length; at += 65_536) short.feed(bytes.subarray(at, at + 65_536));
    expect(short.take()).toBe(text);
  });

  it("takes an answer of 1 MiB of UTF-8 and refuses one byte more", () => {
    const piece = "é".repeat(32 * 1024);
    const reader = read(...Array.from({ length: 16 }, () => streamOf([textChunk(piece)])));
    expect(reader.failure).toBeUndefined();
    reader.feed(streamOf([textChunk("x")]));
    expect(reader.failure).toEqual({ kind: "too_large" });
    expect(Buffer.byteLength(reader.take())).toBe(1024 * 1024);
  });

  it("reads a last event without its blank line, and a last line without its ending", () => {
    const reader = read(`data: ${textChunk("last")}\n`);
    reader.end();
    expect(reader.take()).toBe("last");
    const unended = read("data: [DONE]");
    unended.end();
    expect(unended.done).toBe(true);
  });

  it("does not call half a chunk at the end malformed", () => {
    const reader = read(`data: ${textChunk("half").slice(0, -5)}`);
    reader.end();
    expect(reader.failure).toBeUndefined();
  });

  it.each([
    ["as a field of the data", `data: {"error":{"code":429,"type":"t"}}\n\n`, 429],
    ["as an event of its own", `event: error\ndata: {"code":"503"}\n\n`, 503],
    ["as an event that holds no JSON", `event: error\ndata: boom\n\n`, undefined],
    ["as a field of the stream", `error: {"code":400,"type":"t"}\n\n`, 400],
    ["as a sentence", `data: {"error":"boom"}\n\n`, undefined],
  ])("finds an error that comes %s", (_, stream, status) => {
    const { failure } = read(stream);
    expect(failure?.kind).toBe("reported");
    expect(failure?.kind === "reported" && failure.error.status).toBe(status);
  });

  it("takes an error of null for none", () => {
    const reader = read(streamOf([chunkOf({ error: null, choices: [{ delta: { content: "fine" } }] })]));
    expect(reader.failure).toBeUndefined();
    expect(reader.take()).toBe("fine");
  });

  it("reads nothing behind [DONE]", () => {
    const reader = read(streamOf(["[DONE]", textChunk("more")]));
    reader.feed(streamOf([textChunk("and more")]));
    expect(reader.take()).toBe("");
  });
});
