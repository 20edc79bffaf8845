/** Passages of one database, found by their words and by their vectors. */
import { hash } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Source } from "../facts.ts";
import type { Passage } from "../knowledge.ts";
import { NearestPassages } from "./nearest.ts";
import type { SearchWords } from "./search-words.ts";

/** A word in the title or a heading says more than one in the text. */
const weights = "3.0, 1.0";

/** The columns that a `Source` is made from. */
export const sourceColumns = "title, url, revision, licence, retrieved";

export function sourceFrom(row: Readonly<Record<string, unknown>>): Source {
  const { title, url, revision, licence, retrieved } = row;
  return {
    title: String(title),
    url: String(url),
    revision: revision === null ? null : Number(revision),
    licence: String(licence),
    retrieved: String(retrieved),
  };
}

type Statements = { readonly all: StatementSync; readonly ofShow: StatementSync };

export class PassageIndex {
  readonly #database: DatabaseSync;
  readonly #words: SearchWords;
  readonly #count: StatementSync;
  readonly #ranked: Statements;
  readonly #unranked: Statements;
  readonly #passage: StatementSync;
  readonly #nearest = new Map<string, NearestPassages>();

  constructor(database: DatabaseSync, words: SearchWords) {
    this.#database = database;
    this.#words = words;
    this.#count = database.prepare("SELECT passages FROM words WHERE word = ?");
    const ranked = `ORDER BY bm25(passage_words, ${weights}), passage_words.rowid LIMIT :limit`;
    const unranked = "ORDER BY passage_words.rowid LIMIT :limit";
    // Which show a passage is of is asked only where that matters, as it costs more than ranking.
    const all = "SELECT rowid AS id FROM passage_words WHERE passage_words MATCH :match";
    const ofShow = `SELECT passage_words.rowid AS id FROM passage_words JOIN passages ON passages.id = passage_words.rowid
      WHERE passage_words MATCH :match AND show = :show`;
    this.#ranked = { all: database.prepare(`${all} ${ranked}`), ofShow: database.prepare(`${ofShow} ${ranked}`) };
    this.#unranked = { all: database.prepare(`${all} ${unranked}`), ofShow: database.prepare(`${ofShow} ${unranked}`) };
    this.#passage = database.prepare(
      `SELECT place, passages.show, section, text, ${sourceColumns} FROM passages JOIN pages ON pages.id = page WHERE passages.id = ?`,
    );
  }

  byWords(query: string, show: string | undefined, limit: number): Passage[] {
    const countOf = (word: string) => Number(this.#count.get(word)?.["passages"] ?? 0);
    const expression = this.#words.expressionFor(query, countOf);
    if (expression === undefined) return [];
    const { match, isCommon } = expression;
    const statements = isCommon ? this.#unranked : this.#ranked;
    const rows =
      show === undefined ? statements.all.all({ match, limit }) : statements.ofShow.all({ match, show, limit });
    return rows.flatMap(({ id }) => this.#read(Number(id)));
  }

  byVector(vector: Float32Array, model: string, show: string | undefined, limit: number): Passage[] {
    const nearest = this.#nearest.get(model) ?? new NearestPassages(this.#database, model);
    this.#nearest.set(model, nearest);
    return nearest.find(vector, show, limit).flatMap((id) => this.#read(id));
  }

  #read(id: number): Passage[] {
    const row = this.#passage.get(id);
    if (row === undefined) return [];
    const source = sourceFrom(row);
    return [
      {
        id: hash("sha256", `${source.url}\n${row["place"]}`).slice(0, 16),
        show: String(row["show"]),
        section: JSON.parse(String(row["section"])),
        text: String(row["text"]),
        source,
      },
    ];
  }
}
