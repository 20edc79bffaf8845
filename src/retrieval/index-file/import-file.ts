/**
 * The file that an import works on: a copy of the knowledge file beside it, which takes its place once it is whole. Until
 * then the old one is served, and a process that died left a copy that the next import goes on with.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { bytesOf, signatureOf } from "../embeddings/vectors.ts";
import type { Fact, Show } from "../facts.ts";
import { type NewPassage, PassageWriter, type StoredPage } from "./passage-writer.ts";
import { countWords, makeTables, requireKnowledgeFile } from "./tables.ts";

/** A page as it was understood. Its source is that of all of its facts. */
export type ReadPage = StoredPage & {
  readonly passages: readonly NewPassage[];
  readonly facts: readonly Omit<Fact, "source">[];
};

/** Another import has the file, or one with other words was not finished. */
export class ImportUnderWay extends Error {
  override readonly name = "ImportUnderWay";
}

export class ImportFile {
  readonly #database: DatabaseSync;
  readonly #target: string;
  readonly #working: string;
  readonly #source: string;
  readonly #writer: PassageWriter;

  private constructor(database: DatabaseSync, { target, working, source }: Place) {
    this.#database = database;
    this.#target = target;
    this.#working = working;
    this.#source = source;
    this.#writer = new PassageWriter(database);
  }

  /**
   * @param source what is imported: one that was not finished goes on where the same is named again
   * @throws ImportUnderWay; Error with a sentence for the operator when the file cannot be used
   */
  static open(target: string, source: string): ImportFile {
    const place = { target, working: workingFile(target), source };
    if (!existsSync(place.working)) copyTo(place.working, target);
    const file = ImportFile.#edit(place);
    const [other] = file.#database.prepare("SELECT source FROM imports WHERE source <> ?").all(source);
    if (other === undefined) return file;
    file.close();
    throw new ImportUnderWay(
      `Another import was not finished: ${other["source"]}. Finish it with the same words, or throw it away with --discard.`,
    );
  }

  static #edit(place: Place): ImportFile {
    const database = new DatabaseSync(place.working, { allowExtension: false });
    try {
      prepare(database, place.working);
      return new ImportFile(database, place);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Throws away what an import left that was not finished. @throws ImportUnderWay where it still runs */
  static discard(target: string): void {
    const working = workingFile(target);
    try {
      if (existsSync(working)) ImportFile.#edit({ target, working, source: "" }).close();
    } catch (error) {
      // Whatever else is wrong with it goes with it.
      if (error instanceof ImportUnderWay) throw error;
    }
    remove(working);
  }

  /**
   * Removes a page, or one revision of it, and keeps it from coming back; also from what is being imported.
   * Gives how many were there.
   */
  static drop(target: string, link: string, revision: number | null): number {
    return ImportFile.#change(target, (database) => {
      database.prepare("INSERT INTO unwanted VALUES (?, ?)").run(link, revision);
      const statement = "DELETE FROM pages WHERE link = :link AND (:revision IS NULL OR revision = :revision)";
      return Number(database.prepare(statement).run({ link, revision }).changes);
    });
  }

  /** Lets a page and all of its revisions come again. */
  static undrop(target: string, link: string): number {
    return ImportFile.#change(target, (database) =>
      Number(database.prepare("DELETE FROM unwanted WHERE link = ?").run(link).changes),
    );
  }

  /** The unfinished import first, so that it cannot bring back what the served file has lost. */
  static #change(target: string, change: (database: DatabaseSync) => number): number {
    const unfinished = { target, working: workingFile(target), source: "" };
    if (existsSync(unfinished.working)) {
      const file = ImportFile.#edit(unfinished);
      file.#transaction(() => change(file.#database));
      file.close();
    }
    const served = { target, working: `${target}.changing`, source: "" };
    remove(served.working);
    copyTo(served.working, target);
    const file = ImportFile.#edit(served);
    let changes = 0;
    file.#transaction(() => {
      changes = change(file.#database);
    });
    file.finish();
    return changes;
  }

  /** Where the import stands; undefined where it begins. */
  get cursor(): string | undefined {
    const cursor = this.#database.prepare("SELECT cursor FROM imports WHERE source = ?").get(this.#source)?.["cursor"];
    return cursor === undefined ? undefined : String(cursor);
  }

  /** The SHA-1 of a page's wikitext as it was last taken. */
  sha1Of(link: string, show: string): string | undefined {
    const sha1 = this.#database.prepare("SELECT sha1 FROM pages WHERE link = ? AND show = ?").get(link, show)?.["sha1"];
    return sha1 === undefined ? undefined : String(sha1);
  }

  isUnwanted(link: string, revision: number | null): boolean {
    const query = "SELECT 1 FROM unwanted WHERE link = ? AND (revision IS NULL OR revision = ?)";
    return this.#database.prepare(query).get(link, revision) !== undefined;
  }

  /** Takes pages, each in the place of its older revision, and where the import stands after them: all or nothing. */
  take(pages: readonly ReadPage[], cursor: string): void {
    this.#transaction(() => {
      for (const page of pages) this.#replace(page);
      this.#database
        .prepare("INSERT INTO imports VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor")
        .run(this.#source, cursor);
    });
  }

  /** A show that facts are known about; what is already known of it stays. */
  addShow(show: Show): void {
    this.#database.prepare("INSERT OR IGNORE INTO shows VALUES (?, ?)").run(show.id, JSON.stringify(show));
  }

  /** Passages that have no vector of a model yet, and what of them is embedded. */
  withoutVectors(model: string, limit: number): { readonly id: number; readonly text: string }[] {
    const query = `SELECT id, heading || char(10) || text AS text FROM passages
      WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE passage = passages.id AND model = ?) LIMIT ?`;
    return this.#database
      .prepare(query)
      .all(model, limit)
      .map(({ id, text }) => ({ id: Number(id), text: String(text) }));
  }

  addVectors(model: string, vectors: ReadonlyMap<number, Float32Array>): void {
    const insert = this.#database.prepare("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)");
    this.#transaction(() => {
      for (const [passage, vector] of vectors) {
        insert.run(passage, model, bytesOf(vector), bytesOf(signatureOf(vector)));
      }
    });
  }

  counts(): { readonly pages: number; readonly facts: number; readonly passages: number } {
    const count = (table: string) => Number(this.#database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
    return { pages: count("pages"), facts: count("facts"), passages: count("passages") };
  }

  /** Puts the file, now whole, in the place of the one that is served. */
  finish(): void {
    this.#transaction(() => {
      this.#database.exec("DELETE FROM imports; DELETE FROM shows WHERE id NOT IN (SELECT show FROM pages);");
      this.#database.exec("INSERT INTO passage_words (passage_words) VALUES ('optimize');");
      countWords(this.#database);
    });
    // One file alone, which can be read where nothing can be written.
    this.#database.exec("PRAGMA journal_mode = DELETE;");
    this.#database.close();
    syncFile(this.#working);
    renameSync(this.#working, this.#target);
    syncFile(path.dirname(path.resolve(this.#target)));
  }

  /** Leaves the import where it stands. */
  close(): void {
    this.#database.close();
  }

  #replace({ passages, facts, ...page }: ReadPage): void {
    const { link, show, source } = page;
    this.#database.prepare("DELETE FROM pages WHERE link = ? AND show = ?").run(link, show);
    const row = this.#writer.addPage(page);
    this.#writer.addPassages(row, show, source.title, passages);
    const insert = this.#database.prepare("INSERT OR IGNORE INTO facts (page, id, show, fact) VALUES (?, ?, ?, ?)");
    for (const fact of facts) insert.run(row, fact.id, show, JSON.stringify(fact));
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

type Place = { readonly target: string; readonly working: string; readonly source: string };

/** In two steps, as a copy that was cut short must not be taken for one. */
function copyTo(working: string, target: string): void {
  remove(working);
  if (!existsSync(target)) return;
  copyFileSync(target, `${working}.copy`);
  renameSync(`${working}.copy`, working);
}

/** With what SQLite keeps beside it, which must never meet another file of that name. */
function remove(working: string): void {
  for (const end of ["", "-wal", "-shm", "-journal", ".copy"]) rmSync(working + end, { force: true });
}

function workingFile(target: string): string {
  return `${target}.importing`;
}

function prepare(database: DatabaseSync, working: string): void {
  // Whoever comes second is refused rather than made to wait for hours.
  database.exec("PRAGMA locking_mode = EXCLUSIVE;");
  try {
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; BEGIN IMMEDIATE; COMMIT;",
    );
  } catch (cause) {
    if (cause instanceof Error && "errcode" in cause && cause.errcode === 5) {
      throw new ImportUnderWay("Another import is running.", { cause });
    }
    throw cause;
  }
  if (database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined) makeTables(database);
  requireKnowledgeFile(database, working);
  database.enableDefensive(true);
}

function syncFile(file: string): void {
  const descriptor = openSync(file, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
