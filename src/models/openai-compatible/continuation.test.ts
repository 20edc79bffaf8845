import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readProviderStreams } from "../../../test/helpers/provider-streams.ts";
import { Continuation } from "./continuation.ts";
import { StreamReader } from "./stream-reader.ts";

/** What is new in a reply that comes in these pieces. */
function follow(beginning: string, pieces: readonly string[]): string {
  const continuation = new Continuation(beginning);
  return pieces.map((piece) => continuation.take(piece)).join("") + continuation.end();
}

/** Few letters, so that texts often begin alike, with white space and a pair of surrogates among them. */
const text = fc.string({ unit: fc.constantFrom("a", "b", "😀", " ", "\n"), maxLength: 12 });
const word = fc.string({ unit: fc.constantFrom("a", "b", "😀"), minLength: 1, maxLength: 6 });
const space = fc.string({ unit: fc.constantFrom(" ", "\n", "\t"), maxLength: 4 });
const places = fc.array(fc.nat({ max: 60 }), { maxLength: 8 });

/** Cuts between any two code units, also those of one character, as a server's JSON may. */
function cut(reply: string, at: readonly number[]): string[] {
  const ends = [...at.map((place) => Math.min(place, reply.length)), reply.length].sort((a, b) => a - b);
  return ends.map((end, index) => reply.slice(index === 0 ? 0 : ends[index - 1], end));
}

const many = { numRuns: 5_000 };

describe("what follows the beginning of an answer", () => {
  it("is the whole reply where that reads differently from its first character on", () => {
    expect(follow("Turn left", [" at", " the bridge."])).toBe(" at the bridge.");
    expect(follow("Turn left", [])).toBe("");
  });

  it("comes without what the server repeats, in any pieces", () => {
    const property = fc.property(word, text, places, (beginning, rest, at) => {
      expect(follow(beginning, cut(beginning + rest, at))).toBe(rest);
    });
    fc.assert(property, many);
  });

  it("loses nothing of a reply that only begins like a repetition: in any pieces, differing or ending early", () => {
    const property = fc.property(word, text, places, (beginning, reply, at) => {
      fc.pre(!reply.startsWith(beginning));
      expect(follow(beginning, cut(reply, at))).toBe(reply);
    });
    fc.assert(property, many);
  });

  it("is told as soon as it is known to be new", () => {
    const continuation = new Continuation("abcd");
    expect(["ab", "c", "x", "y"].map((piece) => continuation.take(piece))).toEqual(["", "", "abcx", "y"]);
    const repeated = new Continuation("abcd");
    expect(["abc", "dx", "abcd"].map((piece) => repeated.take(piece))).toEqual(["", "x", "abcd"]);
  });

  it("comes without the white space that stands there already, as far as it comes again", () => {
    const property = fc.property(
      word,
      space,
      space,
      word,
      fc.boolean(),
      places,
      (first, there, said, next, echo, at) => {
        const shared = [...there].findIndex((character, index) => character !== said[index]);
        const reply = (echo ? first : "") + said + next;
        fc.pre(echo || !reply.startsWith(first));
        expect(follow(first + there, cut(reply, at))).toBe(said.slice(shared === -1 ? there.length : shared) + next);
      },
    );
    fc.assert(property, many);
  });

  it.each([
    ["said again", "Hello, ", " world", "world"],
    ["not said again", "It is ", "100 metres", "100 metres"],
    ["less of it", "One.\n\n", "\nTwo.", "Two."],
    ["more of it", "One.\n", "\n\nTwo.", "\nTwo."],
    ["other", "One.\n\n", " Two.", " Two."],
    ["repeated with it", "One. ", "One. Two.", "Two."],
    ["behind what is no repetition", " a b ", " a c", "a c"],
  ])("leaves white space at the seam as it is read best: %s", (_, beginning, reply, expected) => {
    expect(follow(beginning, cut(reply, [...reply].keys().toArray()))).toBe(expected);
  });

  it("does not send white space at the end, and nothing where there is nothing else", () => {
    expect(new Continuation(" Hello,\n\n").sent).toBe(" Hello,");
    expect(new Continuation("\n ").sent).toBe("");
    expect(follow("\n\n", ["\n", "Hello"])).toBe("Hello");
  });
});

const continued = readProviderStreams().filter(({ expected }) => expected.answer_so_far !== undefined);

describe("a server's stream that goes on with an answer", () => {
  it.each(continued)("$name: $expected.shows", ({ bytes, expected }) => {
    const reader = new StreamReader();
    const pieces: string[] = [];
    for (const byte of bytes) {
      reader.feed(Uint8Array.of(byte));
      pieces.push(reader.take());
    }
    expect(pieces.join("")).toBe(expected.text);
    expect(follow(expected.answer_so_far ?? "", pieces)).toBe(expected.continuation);
  });

  it("is known of every kind", () => {
    expect(continued.map(({ name }) => name)).toEqual([
      "deepseek-continued",
      "llama-cpp-continued",
      "mistral-repeated",
      "ollama-continued",
      "vllm-continued",
      "vllm-repeated",
    ]);
  });
});
