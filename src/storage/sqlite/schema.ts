/**
 * The tables, as steps from one version to the next. Each step runs in one transaction together with the new
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
    worker TEXT NOT NULL,                  -- the opened storage that claimed it last
    stop_requested INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    prompt TEXT NOT NULL,
    PRIMARY KEY (session, turn)
  ) STRICT, WITHOUT ROWID;
  -- At most one running turn a session, and the ones to take over after a crash found without a scan.
  CREATE UNIQUE INDEX running_turns ON turns (session) WHERE status = 'running';
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
  `,
];

export const schemaVersion = steps.length;

/** @throws Error when the file belongs to another program or to a newer version of this one */
export function migrate(database: DatabaseSync): void {
  const found = pragmaNumber(database, "user_version");
  const application = pragmaNumber(database, "application_id");
  if (application !== applicationId && (application !== 0 || found !== 0)) {
    throw new Error("The database file belongs to another program; name another file in STORAGE_URL.");
  }
  if (found > schemaVersion) {
    throw new Error(`The database has schema ${found}, this version knows ${schemaVersion}: run the newer version.`);
  }
  for (const [index, step] of steps.entries()) {
    if (index < found) continue;
    database.exec("BEGIN IMMEDIATE");
    try {
      database.exec(step);
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${index + 1}`);
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }
}

function pragmaNumber(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}
