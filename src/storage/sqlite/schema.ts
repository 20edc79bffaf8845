/**
 * The tables, as steps from one version to the next. All that a file lacks run in one transaction together with the new
 * `user_version`, so that a migration killed half way leaves the version before it.
 */
import type { DatabaseSync } from "node:sqlite";

/** Marks the file as ours: "chat" in ASCII. */
export const applicationId = 0x63686174;

const steps: readonly string[] = [
  `
  -- Everyone who ever opened a session, kept when the sessions are deleted.
  CREATE TABLE principals (
    principal TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, -- what other tables refer to, never reused; never leaves the storage
    session_id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL REFERENCES principals (principal),
    username TEXT NOT NULL,
    title TEXT,
    instructions TEXT,
    pinned INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    newest_turn INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX sessions_of_owner ON sessions (owner, username, updated_at DESC, key DESC);

  -- The prompt comes last: what is looked at with every append is read without touching a long prompt's pages.
  CREATE TABLE turns (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    turn INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (
      status IN ('queued', 'running', 'completed', 'incomplete', 'stopped', 'failed', 'interrupted')
    ),
    epoch INTEGER NOT NULL,                -- rises with every claim
    worker TEXT NOT NULL,                  -- the opening of the storage that claimed it last
    boot TEXT NOT NULL,                    -- the run of the kernel which that was in
    stop_requested INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0,   -- settled with text: part of what the model is told later
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    prompt TEXT NOT NULL,
    PRIMARY KEY (session, turn)
  ) STRICT, WITHOUT ROWID;
  -- At most one running turn a session, and the ones to take over after a crash found without a scan.
  CREATE UNIQUE INDEX running_turns ON turns (session) WHERE status = 'running';
  CREATE INDEX answered_turns ON turns (session, turn) WHERE answered = 1;
  CREATE INDEX queued_turns ON turns (session, turn) WHERE status = 'queued';

  -- A turn's log; its head is the greatest position. Settling merges neighbouring text events into one row.
  CREATE TABLE events (
    session INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    position INTEGER NOT NULL,             -- the position after the event
    type TEXT NOT NULL,
    data TEXT NOT NULL,                    -- a text event's text; any other event's fields as JSON
    PRIMARY KEY (session, turn, position),
    FOREIGN KEY (session, turn) REFERENCES turns (session, turn) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;

  -- One row, written to find out whether writing works.
  CREATE TABLE checks (count INTEGER NOT NULL) STRICT;
  INSERT INTO checks VALUES (0);
  `,
  `
  -- What running turns were given since they began, all of them together, a row for each commit (thread/journal.ts).
  CREATE TABLE journal (id INTEGER PRIMARY KEY, entries TEXT NOT NULL) STRICT;
  `,
  `
  ALTER TABLE turns ADD COLUMN replaces INTEGER;          -- the turn whose place, and that of all after it, this one took
  ALTER TABLE turns ADD COLUMN replaced_by INTEGER;       -- no part of history and of what the model is told any more
  ALTER TABLE turns ADD COLUMN continues INTEGER;         -- the turn whose answer this one goes on with
  ALTER TABLE turns ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;    -- it interrupted another, so it waits before the others
  ALTER TABLE turns ADD COLUMN released INTEGER NOT NULL DEFAULT 0; -- its worker gave it back unfinished
  ALTER TABLE turns ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;  -- workers that died while they had it

  -- The keys of requests, so that one that is sent again finds its turn.
  CREATE TABLE sent (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    key TEXT NOT NULL,                     -- what was asked for and the client's key
    fingerprint TEXT NOT NULL,
    turn INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sent_by_age ON sent (created_at);
  `,
  `
  -- A place in a list is told to clients, and keys never leave the storage.
  DROP INDEX sessions_of_owner;
  CREATE INDEX sessions_of_owner ON sessions (owner, username, updated_at DESC, session_id DESC);
  `,
  `
  -- What turns cost, kept when their sessions are deleted. A day is counted from 1970, in UTC.
  CREATE TABLE usage (
    principal TEXT NOT NULL,
    day INTEGER NOT NULL,
    username TEXT NOT NULL,
    model TEXT NOT NULL,
    turns INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    estimated INTEGER NOT NULL,            -- a model server did not count all of it
    PRIMARY KEY (principal, day, username, model)
  ) STRICT, WITHOUT ROWID;
  -- The sums that budgets are held against: of each principal, and of all guests together.
  CREATE TABLE spent_tokens (
    principal TEXT NOT NULL,
    day INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (principal, day)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE sessions ADD COLUMN titled TEXT; -- how far the title has come; null: final where there is one, else not at all
  `,
  `
  -- What has outlived its retention: of guests and of others, the longest idle first.
  CREATE INDEX sessions_by_age ON sessions (substr(owner, 1, 6) = 'guest:', updated_at) WHERE pinned = 0;

  ALTER TABLE principals ADD COLUMN idle_since INTEGER; -- since when it owns nothing
  UPDATE principals SET idle_since = CAST(unixepoch('subsec') * 1000 AS INTEGER)
  WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE owner = principal);
  CREATE INDEX idle_guests ON principals (idle_since)
  WHERE idle_since IS NOT NULL AND substr(principal, 1, 6) = 'guest:';

  -- Nobody: owns sessions that are being deleted.
  INSERT INTO principals (principal, created_at) VALUES ('', 0);
  -- What was deleted before pages were cleared as they become free.
  PRAGMA incremental_vacuum;
  `,
  `
  -- Keys of programs. Only a hash of each is kept, and its beginning as the key's name.
  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL,
    owner TEXT NOT NULL,
    scopes TEXT NOT NULL,                  -- with spaces between them
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- The words of all messages of settled turns, each with its owner's mark before it (thread/search-index.ts).
  CREATE VIRTUAL TABLE search USING fts5(words, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
  INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
  -- Turns in the order in which they ended, those from before there was an index below zero; null: not in the index.
  ALTER TABLE turns ADD COLUMN search_key INTEGER;
  ALTER TABLE sessions ADD COLUMN search_marks TEXT; -- of one that is being deleted, whose owner is not known any more
  CREATE UNIQUE INDEX searched_turns ON turns (search_key) WHERE search_key IS NOT NULL;
  -- One row while older turns are being indexed: only those before it are not.
  CREATE TABLE search_progress (session INTEGER NOT NULL, turn INTEGER NOT NULL) STRICT;
  INSERT INTO search_progress SELECT max(key) + 1, 0 FROM sessions HAVING max(key) IS NOT NULL;
  `,
  `
  -- What the operator wants deleted, by a command that runs beside the server; kept until that command has seen that it was.
  CREATE TABLE wanted_deletions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    principal TEXT,
    username TEXT,
    done_at INTEGER,
    sessions INTEGER                       -- how many that were
  ) STRICT;
  `,
  `
  -- What is too old to be kept, found without a scan.
  CREATE INDEX usage_by_day ON usage (day);
  CREATE INDEX spent_tokens_by_day ON spent_tokens (day);
  `,
  `
  -- Who plays the game: a username of a principal, what that was asked, and how well it answers.
  CREATE TABLE players (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    principal TEXT NOT NULL REFERENCES principals (principal),
    username TEXT NOT NULL,
    rating REAL NOT NULL DEFAULT 0,
    answers INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL,
    UNIQUE (principal, username)
  ) STRICT;
  CREATE INDEX players_by_age ON players (substr(principal, 1, 6) = 'guest:', updated_at);
  CREATE INDEX players_of_username ON players (username);
  CREATE TABLE asked_facts (
    player INTEGER NOT NULL REFERENCES players (key) ON DELETE CASCADE,
    fact TEXT NOT NULL,
    PRIMARY KEY (player, fact)
  ) STRICT, WITHOUT ROWID;
  -- Which game has the player's day.
  CREATE TABLE played_days (
    player INTEGER NOT NULL REFERENCES players (key) ON DELETE CASCADE,
    day TEXT NOT NULL,
    game_id TEXT NOT NULL,
    PRIMARY KEY (player, day)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE games (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    game_id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,                   -- the player's principal; empty while it is being deleted
    player INTEGER NOT NULL REFERENCES players (key) ON DELETE CASCADE,
    session INTEGER REFERENCES sessions (key) ON DELETE CASCADE,
    settings TEXT NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,      -- what it counts for is counted
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX games_of_player ON games (player, key);
  CREATE INDEX games_of_session ON games (session, key);
  CREATE INDEX games_by_age ON games (substr(owner, 1, 6) = 'guest:', updated_at) WHERE session IS NULL;
  CREATE TABLE game_moves (
    game INTEGER NOT NULL REFERENCES games (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    move TEXT NOT NULL,
    PRIMARY KEY (game, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE scores (
    board TEXT NOT NULL,
    player INTEGER NOT NULL REFERENCES players (key) ON DELETE CASCADE,
    best INTEGER NOT NULL,
    games INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (board, player)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX best_scores ON scores (board, best DESC);
  CREATE INDEX scores_of_player ON scores (player);
  CREATE INDEX old_scores ON scores (until) WHERE until IS NOT NULL;
  -- How hard facts are.
  CREATE TABLE fact_ratings (
    show TEXT NOT NULL,
    fact TEXT NOT NULL,
    rating REAL NOT NULL,
    answers INTEGER NOT NULL,
    PRIMARY KEY (show, fact)
  ) STRICT, WITHOUT ROWID;
  `,
];

export const schemaVersion = steps.length;

/**
 * Looks before anything is touched: a file that is not ours is left as it was.
 *
 * @throws Error when the file belongs to another program or to a newer version of this one
 */
export function refuseForeignFile(database: DatabaseSync): void {
  const version = foundVersion(database);
  const application = pragmaNumber(database, "application_id");
  const { tables } = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() as { tables: number };
  const isNew = version === 0 && application === 0 && tables === 0;
  if (application !== applicationId && !isNew) {
    throw new Error("The database file belongs to another program; name another file in STORAGE_URL.");
  }
  if (version > schemaVersion) {
    throw new Error(
      `The database has schema ${version} and this version knows ${schemaVersion}; run the newer version, or name another file in STORAGE_URL.`,
    );
  }
}

/** Whether the tables are those of this version. */
export function isCurrent(database: DatabaseSync): boolean {
  return foundVersion(database) === schemaVersion;
}

/** The schema that a file has; 0 for one that is new. */
export function foundVersion(database: DatabaseSync): number {
  return pragmaNumber(database, "user_version");
}

/**
 * Brings the tables to this version's schema.
 *
 * @param version an earlier one, for tests of what comes after it
 */
export function migrate(database: DatabaseSync, version = schemaVersion): void {
  const found = foundVersion(database);
  if (found >= version) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const step of steps.slice(found, version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`);
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

function pragmaNumber(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
