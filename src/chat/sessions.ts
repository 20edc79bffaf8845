/** Sessions: opening, listing, reading, changing. */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { type ChangeSession, type SessionListView, type SessionView, sessionIdPattern } from "../protocol/sessions.ts";
import type { Access, Session, SessionStore } from "../storage/storage.ts";
import { cursorOf, placeOf } from "./page-cursor.ts";

export type OpenSession = {
  readonly username: string;
  readonly title?: string | undefined;
  readonly instructions?: string | undefined;
};

/** Opens a session, which belongs to the principal. */
export async function openSession(
  sessions: SessionStore,
  principal: string,
  request: OpenSession,
): Promise<SessionView> {
  const session = await sessions.open({
    sessionId: randomBytes(16).toString("hex"),
    principal,
    username: request.username,
    title: request.title ?? null,
    instructions: request.instructions ?? null,
  });
  return sessionView(session);
}

/** @throws Problem `session_not_found` */
export async function readSession(sessions: SessionStore, access: Access, sessionId: string): Promise<SessionView> {
  return sessionView(await sessions.read(access, sessionId));
}

const sessionPlace = z.object({ updatedAt: z.int().min(0), sessionId: z.string().regex(sessionIdPattern) });

export type ListSessions = {
  readonly username: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

/** @throws Problem `invalid_cursor` */
export async function listSessions(
  sessions: SessionStore,
  access: Access,
  { username, limit, cursor }: ListSessions,
): Promise<SessionListView> {
  if (access.by !== "owner") throw new Error("Only an owner has a list of sessions");
  const list = ["sessions", access.principal, username];
  const after = cursor === undefined ? undefined : placeOf(cursor, list, sessionPlace);
  const page = await sessions.list(access.principal, { username, limit, after });
  return {
    sessions: page.sessions.map(sessionView),
    next_cursor: page.next === undefined ? null : cursorOf(sessionPlace.parse(page.next), list),
  };
}

/** @throws Problem `session_not_found` */
export async function changeSession(
  sessions: SessionStore,
  access: Access,
  sessionId: string,
  { title, instructions, pinned }: ChangeSession,
): Promise<SessionView> {
  const changes = {
    ...(title !== undefined && { title }),
    ...(instructions !== undefined && { instructions }),
    ...(pinned !== undefined && { pinned }),
  };
  return sessionView(await sessions.change(access, sessionId, changes));
}

export function sessionView(session: Session): SessionView {
  return {
    session_id: session.sessionId,
    username: session.username,
    title: session.title,
    instructions: session.instructions,
    pinned: session.pinned,
    created_at: new Date(session.createdAt).toISOString(),
    updated_at: new Date(session.updatedAt).toISOString(),
    turns: session.turns,
    queued: session.queued,
    state: session.running === null ? "idle" : "answering",
  };
}
