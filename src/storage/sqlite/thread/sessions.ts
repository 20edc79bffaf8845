/** The SQL of sessions. Runs in a database thread. */
import type { DatabaseSync } from "node:sqlite";
import { sessionNotFound } from "../../../protocol/refusals.ts";
import { mayAccess } from "../../access.ts";
import type {
  Access,
  NewSession,
  Session,
  SessionChanges,
  SessionListing,
  SessionPage,
  SessionPlace,
  Titled,
} from "../../storage.ts";
import type { SessionRemover } from "./deletion.ts";
import { principalAdder } from "./principals.ts";

export type SessionRow = {
  readonly key: number;
  readonly session_id: string;
  readonly owner: string;
  readonly username: string;
  readonly title: string | null;
  readonly instructions: string | null;
  readonly pinned: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly newest_turn: number;
  readonly titled: Titled | null;
};

export type FindSession = (access: Access, sessionId: string) => SessionRow;

/** The one way from a session's id to its row. */
export function sessionFinder(database: DatabaseSync): FindSession {
  const find = database.prepare("SELECT * FROM sessions WHERE session_id = ?");
  return (access, sessionId) => {
    const row = find.get(sessionId) as SessionRow | undefined;
    if (row === undefined || !mayAccess(access, row.owner)) throw sessionNotFound(sessionId);
    return row;
  };
}

/** Before every session. */
const newest: SessionPlace = { updatedAt: Number.MAX_SAFE_INTEGER, sessionId: "" };

export function sessionReads(database: DatabaseSync) {
  const find = sessionFinder(database);
  const principal = database.prepare("SELECT 1 FROM principals WHERE principal = ?");
  const view = sessionViewer(database);
  const selectPage = database.prepare(`
    SELECT * FROM sessions WHERE owner = ? AND username = ? AND (updated_at, session_id) < (?, ?)
    ORDER BY updated_at DESC, session_id DESC LIMIT ?
  `);
  return {
    listSessions({ principal: owner, listing }: { principal: string; listing: SessionListing }): SessionPage {
      const { username, limit, after = newest } = listing;
      const rows = selectPage.all(owner, username, after.updatedAt, after.sessionId, limit + 1) as SessionRow[];
      const sessions = rows.slice(0, limit).map(view);
      return { sessions, next: rows.length > limit ? sessions.at(-1) : undefined };
    },
    readSession: ({ access, sessionId }: { access: Access; sessionId: string }): Session =>
      view(find(access, sessionId)),
    isKnown: ({ principal: name }: { principal: string }): boolean => principal.get(name) !== undefined,
  };
}

export function sessionWrites(database: DatabaseSync, remove: SessionRemover) {
  const find = sessionFinder(database);
  const addPrincipal = principalAdder(database);
  const addSession = database.prepare(`
    INSERT INTO sessions (session_id, owner, username, title, instructions, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *
  `);
  const changeSession = database.prepare(`
    UPDATE sessions SET title = ?, titled = ?, instructions = ?, pinned = ? WHERE key = ? RETURNING *
  `);
  const claimTitle = database.prepare("UPDATE sessions SET titled = 'asked' WHERE key = ? AND titled = 'words'");
  const giveTitle = database.prepare(
    "UPDATE sessions SET titled = 'final', title = ? WHERE key = ? AND titled = 'asked'",
  );
  const view = sessionViewer(database);
  return {
    openSession({ session, now }: { session: NewSession; now: number }): Session {
      const { sessionId, principal, username, title, instructions } = session;
      addPrincipal(principal, now);
      const row = addSession.get(sessionId, principal, username, title, instructions, now, now);
      return sessionFrom(row as SessionRow, 0, null);
    },
    changeSession({ access, sessionId, changes }: SessionChange): Session {
      const row = find(access, sessionId);
      const { title, instructions, pinned } = { ...row, ...changes };
      const titled = changes.title === undefined ? row.titled : "final";
      return view(changeSession.get(title, titled, instructions, pinned ? 1 : 0, row.key) as SessionRow);
    },
    claimTitle({ access, sessionId }: { access: Access; sessionId: string }): boolean {
      return claimTitle.run(find(access, sessionId).key).changes === 1;
    },
    giveTitle({ access, sessionId, title }: { access: Access; sessionId: string; title: string }): boolean {
      return giveTitle.run(title, find(access, sessionId).key).changes === 1;
    },
    /** Whether all of it is gone, or some of its turns are left for `purgeDeleted`. */
    deleteSession({ access, sessionId, now }: { access: Access; sessionId: string; now: number }): boolean {
      const row = find(access, sessionId);
      const { isWhole } = remove.session(row, now);
      remove.fromJournal();
      return isWhole;
    },
  };
}

type SessionChange = {
  readonly access: Access;
  readonly sessionId: string;
  readonly changes: SessionChanges;
};

export function sessionViewer(database: DatabaseSync): (row: SessionRow) => Session {
  const countQueued = database.prepare("SELECT count(*) AS queued FROM turns WHERE session = ? AND status = 'queued'");
  const findRunning = database.prepare("SELECT turn FROM turns WHERE session = ? AND status = 'running'");
  return (row) =>
    sessionFrom(
      row,
      (countQueued.get(row.key) as { queued: number }).queued,
      (findRunning.get(row.key) as { turn: number } | undefined)?.turn ?? null,
    );
}

function sessionFrom(row: SessionRow, queued: number, running: number | null): Session {
  return {
    sessionId: row.session_id,
    owner: row.owner,
    username: row.username,
    title: row.title,
    titled: titledOf(row),
    instructions: row.instructions,
    pinned: row.pinned === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    turns: row.newest_turn,
    queued,
    running,
  };
}

export function titledOf({ titled, title }: Pick<SessionRow, "titled" | "title">): Titled {
  return titled ?? (title === null ? "no" : "final");
}
