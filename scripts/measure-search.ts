/**
 * Measures what a search of the knowledge file costs with 100,000 passages: `node scripts/measure-search.ts`. In processor
 * time, so that it says the same on a busy machine; the words are as frequent as those of a language (Zipf).
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { normalised } from "../src/retrieval/embeddings/vectors.ts";
import { ImportFile } from "../src/retrieval/index-file/import-file.ts";
import { PassageIndex } from "../src/retrieval/index-file/passage-index.ts";
import { SearchWords } from "../src/retrieval/index-file/search-words.ts";
import { openFinished } from "../src/retrieval/index-file/tables.ts";

const pages = 10_000;
const passagesOfPage = 10;
const wordsOfPassage = 120;
const vocabulary = 30_000;
const searches = 400;
const dimensions = 384;

let state = 1;

function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

function word(): string {
  return `w${Math.floor(vocabulary ** random()).toString(36)}`;
}

function text(words: number): string {
  return Array.from({ length: words }, word).join(" ");
}

function vector(): Float32Array {
  return normalised(Array.from({ length: dimensions }, () => random() - 0.5));
}

function fill(file: string): void {
  const importing = ImportFile.open(file, "measurement");
  for (let first = 0; first < pages; first += 50) {
    const taken = Array.from({ length: 50 }, (_, index) => {
      const link = `https://wiki.example/wiki/${first + index}`;
      const source = { title: text(3), url: link, revision: null, licence: "CC0", retrieved: "2026-11-28" };
      const passages = Array.from({ length: passagesOfPage }, () => ({
        section: ["Plot"],
        text: text(wordsOfPassage),
      }));
      return { link, show: `show-${index % 5}`, source, sha1: "", facts: [], passages };
    });
    importing.take(taken, `${first}`);
  }
  for (;;) {
    const batch = importing.withoutVectors("m", 5_000);
    if (batch.length === 0) break;
    importing.addVectors("m", new Map(batch.map(({ id }) => [id, vector()])));
  }
  importing.finish();
}

/** Milliseconds of the processor, sorted. */
function cost(search: () => void): number[] {
  const times = Array.from({ length: searches }, () => {
    const before = process.cpuUsage();
    search();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return times.sort((one, other) => one - other);
}

function report(name: string, times: readonly number[]): void {
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
  console.log(`${name}: median ${at(0.5)} ms, 99 of 100 below ${at(0.99)} ms, at most ${at(1)} ms`);
}

const directory = mkdtempSync(path.join(tmpdir(), "measure-search-"));
try {
  const file = path.join(directory, "knowledge.db");
  fill(file);
  console.log(
    `${pages * passagesOfPage} passages, ${Math.round(statSync(file).size / 1e6)} MB with vectors of ${dimensions}`,
  );
  const index = new PassageIndex(openFinished(file), new SearchWords());
  report(
    "by words",
    cost(() => index.byWords(text(8), undefined, 20)),
  );
  report(
    "by words, one show",
    cost(() => index.byWords(text(8), "show-1", 20)),
  );
  index.byVector(vector(), "m", undefined, 20);
  report(
    "by meaning",
    cost(() => index.byVector(vector(), "m", undefined, 20)),
  );
} finally {
  rmSync(directory, { recursive: true });
}
