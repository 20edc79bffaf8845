/** What is read of a knowledge file, in the thread that reads it. */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Fact, Show } from "../facts.ts";
import type { Operations, UnnamedPassage } from "./messages.ts";
import { PassageIndex, sourceColumns, sourceFrom } from "./passage-index.ts";
import { PassageWriter } from "./passage-writer.ts";
import { SearchWords } from "./search-words.ts";
import { countWords, openFinished, openInMemory } from "./tables.ts";

type OpenFile = { readonly database: DatabaseSync; readonly index: PassageIndex };

export function readOperations(path: string): Operations & { close(): void } {
  const words = new SearchWords();
  let file: OpenFile | undefined;
  let hasTried = false;
  let added: PassageIndex | undefined;

  function open(): boolean {
    hasTried = true;
    file?.database.close();
    file = undefined;
    if (!existsSync(path)) return false;
    const database = openFinished(path);
    file = { database, index: new PassageIndex(database, words) };
    return true;
  }

  /** A thread that took the place of a dead one has not been told to open anything. */
  function opened(): OpenFile | undefined {
    if (!hasTried) open();
    return file;
  }

  return {
    open,
    shows: () => showsIn(opened()?.database),
    facts: ({ show }) => factsIn(opened()?.database, "show", show),
    fact: ({ id }) => factsIn(opened()?.database, "id", id)[0],
    hasVectors: ({ model }) => {
      const vectors = opened()?.database.prepare("SELECT 1 FROM vectors WHERE model = ? LIMIT 1");
      return vectors?.get(model) !== undefined;
    },
    search({ query, show, limit, inFile, near }) {
      const index = inFile ? opened()?.index : undefined;
      const byWords = [added, index].map((each) => each?.byWords(query, show, limit) ?? []);
      if (near === undefined) return byWords;
      return [...byWords, index?.byVector(near.vector, near.model, show, limit) ?? []];
    },
    add({ passages }) {
      const database = openInMemory();
      addAll(database, passages);
      countWords(database);
      added = new PassageIndex(database, words);
    },
    close: () => file?.database.close(),
  };
}

function showsIn(database: DatabaseSync | undefined): (Show & { readonly facts: number })[] {
  if (database === undefined) return [];
  const counted = "SELECT count(DISTINCT facts.id) FROM facts WHERE facts.show = shows.id";
  const rows = database.prepare(`SELECT show, (${counted}) AS facts FROM shows`).all();
  return rows.map(({ show, facts }) => ({ ...JSON.parse(String(show)), facts: Number(facts) }));
}

/** The same fact on two pages is one. */
function factsIn(database: DatabaseSync | undefined, by: "show" | "id", value: string): Fact[] {
  if (database === undefined) return [];
  const rows = database
    .prepare(
      `SELECT facts.id, fact, ${sourceColumns} FROM facts JOIN pages ON pages.id = page
       WHERE facts.${by} = ? GROUP BY facts.id HAVING page = min(page) ORDER BY facts.id`,
    )
    .all(value);
  return rows.map((row) => ({ ...JSON.parse(String(row["fact"])), source: sourceFrom(row) }));
}

function addAll(database: DatabaseSync, passages: readonly UnnamedPassage[]): void {
  const writer = new PassageWriter(database);
  for (const [url, ofPage] of Map.groupBy(passages, ({ source }) => source.url)) {
    for (const [show, ofShow] of Map.groupBy(ofPage, (passage) => passage.show)) {
      const [first] = ofShow;
      if (first === undefined) continue;
      const page = writer.addPage({ link: url, show, source: first.source, sha1: "" });
      writer.addPassages(page, show, first.source.title, ofShow);
    }
  }
}
