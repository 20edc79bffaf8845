/** Pages and their passages into the tables. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Source } from "../facts.ts";
import type { Passage } from "../knowledge.ts";

export type StoredPage = {
  /** To its newest revision, whatever that is: what it is known by. */
  readonly link: string;
  readonly show: string;
  readonly source: Source;
  /** Of its wikitext, in hex. */
  readonly sha1: string;
};

export type NewPassage = Pick<Passage, "section" | "text">;

export class PassageWriter {
  readonly #page: StatementSync;
  readonly #passage: StatementSync;

  constructor(database: DatabaseSync) {
    this.#page = database.prepare(
      `INSERT INTO pages (link, show, title, url, revision, licence, retrieved, sha1)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    );
    this.#passage = database.prepare(
      "INSERT INTO passages (page, place, show, section, heading, text) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
    );
  }

  /** Gives the row of the page. */
  addPage({ link, show, source, sha1 }: StoredPage): number {
    const { title, url, revision, licence, retrieved } = source;
    return Number(this.#page.get(link, show, title, url, revision, licence, retrieved, sha1)?.["id"]);
  }

  /** Gives the rows of the passages. */
  addPassages(page: number, show: string, title: string, passages: readonly NewPassage[]): number[] {
    return passages.map(({ section, text }, place) => {
      const heading = [title, ...section].join(" · ");
      return Number(this.#passage.get(page, place, show, JSON.stringify(section), heading, text)?.["id"]);
    });
  }
}
