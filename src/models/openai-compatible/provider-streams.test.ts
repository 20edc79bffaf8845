/** What real servers send (test/fixtures/provider-streams), however the network cuts it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ProviderStream, readProviderStreams } from "../../../test/helpers/provider-streams.ts";
import { StreamReader } from "./stream-reader.ts";

const streams = readProviderStreams();

const byteOrderMark = new Uint8Array([0xef, 0xbb, 0xbf]);

/** All that a reader says of a body that comes in these pieces. */
function read(pieces: Iterable<Uint8Array>, offersTools = false) {
  const reader = new StreamReader({ offersTools });
  let text = "";
  let progressed = false;
  const look = (): void => {
    text += reader.take();
    progressed = reader.takeProgress() || progressed;
  };
  for (const piece of pieces) {
    reader.feed(piece);
    look();
  }
  reader.end();
  look();
  const { finishReason, usage, done, spoke, thought, failure, calls } = reader;
  return { text, finishReason, usage, done, spoke, thought, failure, calls, progressed };
}

function* cut(bytes: Uint8Array, places: readonly number[]): Generator<Uint8Array> {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (let index = 1; index < sorted.length; index += 1) yield bytes.subarray(sorted[index - 1], sorted[index]);
}

/** The same stream as a server would send it that writes its lines differently. */
function spellings({ bytes }: ProviderStream): [string, Uint8Array][] {
  // Not through TextDecoder, which would drop a byte order mark.
  const lines = Buffer.from(bytes)
    .toString("utf8")
    .split(/\r\n|\r|\n/);
  const ended = (ending: string) => Buffer.from(lines.join(ending));
  const spelled: [string, Uint8Array][] = [
    ["as it is", bytes],
    ["with LF", ended("\n")],
    ["with CRLF", ended("\r\n")],
    ["with CR", ended("\r")],
  ];
  // A stream may begin with one such mark; a second one would be part of its first line.
  const marked = lines[0]?.startsWith("\uFEFF") === true;
  return marked ? spelled : [...spelled, ["behind a byte order mark", Buffer.concat([byteOrderMark, bytes])]];
}

describe.each(streams)("the stream $name", (stream) => {
  const { bytes, expected } = stream;
  const whole = read([bytes]);

  it("is read as what it means", () => {
    expect(whole.text).toBe(expected.text);
    expect(whole.usage).toEqual(expected.usage);
    const reason = whole.finishReason ?? (whole.done ? "unspecified" : null);
    expect(whole.failure === undefined ? reason : null).toBe(expected.finish_reason);
  });

  it.each(spellings(stream))("is read the same %s: cut in two at every byte, and byte by byte", (_, spelled) => {
    const seen = new Set<string>();
    for (let place = 0; place <= spelled.length; place += 1) seen.add(JSON.stringify(read(cut(spelled, [place]))));
    seen.add(JSON.stringify(read(cut(spelled, [...spelled.keys()]))));
    expect([...seen]).toEqual([JSON.stringify(whole)]);
  });

  it("is read the same in any pieces", () => {
    const places = fc.array(fc.nat({ max: 5_000 }), { maxLength: 40 });
    const property = fc.property(places, (at) => {
      expect(read(cut(bytes, at))).toEqual(whole);
    });
    fc.assert(property, { numRuns: 50 });
  });
});

describe.each(streams.filter(({ expected }) => expected.calls !== undefined))("the calls in $name", (stream) => {
  const { bytes, expected } = stream;
  const whole = read([bytes], true);

  it("D37: are read as what they mean, and the text as without them", () => {
    expect(whole.calls).toEqual(expected.calls);
    expect(read([bytes]).calls).toEqual([]);
    expect(whole.text).toBe(expected.text);
    expect(whole.progressed).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each(spellings(stream))("are read the same %s: cut in two at every byte, and byte by byte", (_, spelled) => {
    const seen = new Set<string>();
    for (let place = 0; place <= spelled.length; place += 1)
      seen.add(JSON.stringify(read(cut(spelled, [place]), true)));
    seen.add(JSON.stringify(read(cut(spelled, [...spelled.keys()]), true)));
    expect([...seen]).toEqual([JSON.stringify(whole)]);
  });
});

it("has calls of tools as many servers and gateways send them", () => {
  const servers = streams.filter(({ expected }) => expected.calls !== undefined).map(({ name }) => name.split("-")[0]);
  expect(new Set(servers).size).toBeGreaterThan(7);
});

it("has several streams of every server that the documentation names", () => {
  for (const server of ["openai", "azure", "ollama", "vllm", "llama-cpp", "lm-studio", "openrouter", "litellm"]) {
    expect(streams.filter(({ name }) => name.startsWith(`${server}-`)).length).toBeGreaterThan(2);
  }
});

it("has CRLF and a byte order mark in its files, whatever was done to them on their way here", () => {
  const bytesOf = (name: string) => Buffer.from(streams.find((stream) => stream.name === name)?.bytes ?? []);
  expect(bytesOf("framing-crlf-pings").includes("\r\n\r\n")).toBe(true);
  expect(bytesOf("framing-byte-order-mark").subarray(0, 3)).toEqual(Buffer.from(byteOrderMark));
});
