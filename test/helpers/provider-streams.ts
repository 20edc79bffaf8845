/** The streams in test/fixtures/provider-streams and what a client is to see of each; its README explains them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { WantedCall } from "../../src/models/model.ts";
import type { Usage } from "../../src/protocol/events.ts";

export type ExpectedAnswer = {
  /** What this stream shows that others do not. */
  readonly shows: string;
  /** Where the shape was looked up. */
  readonly source: readonly string[];
  readonly text: string;
  /** Null where the answer ends by a fault. */
  readonly finish_reason: string | null;
  readonly usage: Usage | null;
  readonly status: "completed" | "incomplete" | "failed";
  /** Why an `incomplete` answer is not whole. */
  readonly reason?: string;
  /** The code of the `error` event, where there is one. */
  readonly error?: string;
  /** Where the stream goes on with an answer: its beginning, and what is new in `text`. */
  readonly answer_so_far?: string;
  readonly continuation?: string;
  /** The calls that the stream asks for, where tools were offered. */
  readonly calls?: readonly WantedCall[];
};

export type ProviderStream = { readonly name: string; readonly bytes: Uint8Array; readonly expected: ExpectedAnswer };

const directory = path.join(import.meta.dirname, "../fixtures/provider-streams");

export function readProviderStreams(): readonly ProviderStream[] {
  const names = readdirSync(directory).filter((file) => file.endsWith(".txt"));
  return names.map((file) => {
    const name = path.basename(file, ".txt");
    const expected = JSON.parse(readFileSync(path.join(directory, `${name}.json`), "utf8")) as ExpectedAnswer;
    return { name, bytes: readFileSync(path.join(directory, file)), expected };
  });
}
