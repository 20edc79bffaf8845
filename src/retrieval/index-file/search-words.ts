/** What somebody typed → an expression of FTS5, which is never a syntax error, and whose cost has a bound. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { tokenizer } from "./tables.ts";

/** Of a query as much is looked at. */
const longestQuery = 1_000;
const mostWords = 24;

/** In so many passages together the words may stand that are looked for: ranking each takes two microseconds. */
const mostPostings = 8_000;

export type Expression = {
  readonly match: string;
  /** The words are too common to rank all passages that have them: the first ones have to do. */
  readonly isCommon: boolean;
};

/** Cuts words as the index does, by an index of its own. */
export class SearchWords {
  readonly #cutting = new DatabaseSync(":memory:");
  readonly #put: StatementSync;
  readonly #read: StatementSync;

  constructor() {
    this.#cutting.exec(`
      CREATE VIRTUAL TABLE queries USING fts5 (word, tokenize = '${tokenizer}');
      CREATE VIRTUAL TABLE words USING fts5vocab (queries, instance);
    `);
    this.#put = this.#cutting.prepare("INSERT INTO queries (rowid, word) VALUES (?, ?)");
    this.#read = this.#cutting.prepare("SELECT doc, term FROM words");
  }

  /**
   * The rarest words of a query, any of which may stand in a passage; undefined where none stands in any.
   *
   * @param countOf in how many passages a word of the index stands
   */
  expressionFor(query: string, countOf: (word: string) => number): Expression | undefined {
    const words = new Set(
      query
        .slice(0, longestQuery)
        .toWellFormed()
        .toLowerCase()
        .match(/[\p{L}\p{N}\p{M}]+/gu),
    );
    const counted = this.#counted([...words].slice(0, mostWords), countOf)
      .filter(({ count }) => count > 0)
      .sort((one, other) => one.count - other.count);
    let postings = 0;
    const affordable = counted.filter(({ count }) => {
      postings += count;
      return postings <= mostPostings;
    });
    const [rarest] = counted;
    if (rarest === undefined) return undefined;
    const chosen = affordable.length > 0 ? affordable : [rarest];
    // Letters and digits alone are within the quotes.
    return { match: chosen.map(({ word }) => `"${word}"`).join(" OR "), isCommon: affordable.length === 0 };
  }

  /** A word that the index cuts in several stands nowhere more often than the rarest of them. */
  #counted(words: readonly string[], countOf: (word: string) => number): { word: string; count: number }[] {
    const counts = new Map<number, number>();
    this.#cutting.exec("BEGIN");
    try {
      for (const [index, word] of words.entries()) this.#put.run(index, word);
      for (const { doc, term } of this.#read.all()) {
        const count = countOf(String(term));
        counts.set(Number(doc), Math.min(count, counts.get(Number(doc)) ?? count));
      }
    } finally {
      this.#cutting.exec("ROLLBACK");
    }
    return words.map((word, index) => ({ word, count: counts.get(index) ?? 0 }));
  }
}
