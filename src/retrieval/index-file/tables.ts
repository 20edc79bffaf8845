/** The tables of a knowledge file, and of the starter pack's passages in memory. */
import { DatabaseSync } from "node:sqlite";

/** Raised with every change of the tables. A file of another version is made anew by importing again. */
const version = 1;

/** "Know", so that no other SQLite file is taken for one. */
const applicationId = 0x4b6e6f77;

/** Words are found in their other forms, too ("brothers" by "brother"), and with or without accents. */
export const tokenizer = "porter unicode61 remove_diacritics 2";

const tables = `
  CREATE TABLE shows (
    id TEXT PRIMARY KEY,
    show TEXT NOT NULL -- JSON
  ) STRICT;

  -- A revision of a page, of which the passages and facts below it are.
  CREATE TABLE pages (
    id INTEGER PRIMARY KEY,
    link TEXT NOT NULL, -- to its newest revision
    show TEXT NOT NULL,
    title TEXT NOT NULL,
    url TEXT NOT NULL, -- to this one, where it is known
    revision INTEGER,
    licence TEXT NOT NULL,
    retrieved TEXT NOT NULL,
    sha1 TEXT NOT NULL,
    UNIQUE (link, show)
  ) STRICT;

  CREATE TABLE facts (
    page INTEGER NOT NULL REFERENCES pages ON DELETE CASCADE,
    id TEXT NOT NULL,
    show TEXT NOT NULL,
    fact TEXT NOT NULL, -- JSON, without its source
    PRIMARY KEY (id, page)
  ) STRICT;
  CREATE INDEX facts_of_show ON facts (show);
  CREATE INDEX facts_of_page ON facts (page);

  CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    page INTEGER NOT NULL REFERENCES pages ON DELETE CASCADE,
    place INTEGER NOT NULL,
    show TEXT NOT NULL,
    section TEXT NOT NULL, -- JSON
    heading TEXT NOT NULL, -- the page's title and the section, as they are searched
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX passages_of_page ON passages (page);

  CREATE VIRTUAL TABLE passage_words USING fts5 (
    heading, text, content = 'passages', content_rowid = 'id', tokenize = '${tokenizer}'
  );
  CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
    INSERT INTO passage_words (rowid, heading, text) VALUES (new.id, new.heading, new.text);
  END;
  CREATE TRIGGER passage_gone AFTER DELETE ON passages BEGIN
    INSERT INTO passage_words (passage_words, rowid, heading, text) VALUES ('delete', old.id, old.heading, old.text);
  END;
  CREATE VIRTUAL TABLE passage_vocabulary USING fts5vocab (passage_words, row);

  -- In how many passages each word stands, when the file was finished: what a search for it costs.
  CREATE TABLE words (word TEXT PRIMARY KEY, passages INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE,
    model TEXT NOT NULL,
    vector BLOB NOT NULL, -- 32-bit floats of length 1
    signature BLOB NOT NULL
  ) STRICT;

  -- How far an import has come; gone once it is whole.
  CREATE TABLE imports (source TEXT PRIMARY KEY, cursor TEXT NOT NULL) STRICT;

  -- What the operator does not want, whatever a wiki says; without a revision, the whole page.
  CREATE TABLE unwanted (link TEXT NOT NULL, revision INTEGER) STRICT;
`;

export function makeTables(database: DatabaseSync): void {
  database.exec(`BEGIN; ${tables} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; COMMIT;`);
}

/** The passages of the starter pack, to be searched like those of a file. */
export function openInMemory(): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  makeTables(database);
  return database;
}

/** @throws Error with a sentence for the operator when it is no knowledge file of this version */
export function requireKnowledgeFile(database: DatabaseSync, path: string): void {
  const [id, found] = ["application_id", "user_version"].map(
    (name) => database.prepare(`PRAGMA ${name}`).get()?.[name],
  );
  if (id !== applicationId) throw new Error(`${path} is no knowledge file.`);
  if (found !== version) {
    throw new Error(`${path} was made by another version of the service; delete it and import again.`);
  }
}

/** A finished file: nobody writes into it any more, another one takes its place. */
export function openFinished(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, allowExtension: false, timeout: 5_000 });
  try {
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -32768;");
    requireKnowledgeFile(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Counts the words, so that a search can know what it will cost. */
export function countWords(database: DatabaseSync): void {
  database.exec(`
    DELETE FROM words;
    INSERT INTO words SELECT term, doc FROM passage_vocabulary;
  `);
}
