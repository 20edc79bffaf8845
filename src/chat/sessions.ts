/** Sessions: opening, reading, deleting. */
import { randomBytes } from "node:crypto";
import type { SessionView } from "../protocol/sessions.ts";
import type { Access, Session, SessionStore } from "../storage/storage.ts";
import { authenticateGuest, createGuestToken, principalOfGuest } from "./guests.ts";

export type OpenSession = {
  readonly username: string;
  readonly title?: string | undefined;
  readonly instructions?: string | undefined;
};

/**
 * Opens a session for the guest whose token is given, or for a new guest.
 *
 * @throws Problem `invalid_credential` when the token was never given out
 */
export async function openSession(
  sessions: SessionStore,
  request: OpenSession,
  guestToken: string | undefined,
): Promise<{ session: SessionView; token: string }> {
  const token = guestToken ?? createGuestToken();
  const principal = guestToken === undefined ? principalOfGuest(token) : await authenticateGuest(sessions, guestToken);
  const session = await sessions.open({
    sessionId: randomBytes(16).toString("hex"),
    principal,
    username: request.username,
    title: request.title ?? null,
    instructions: request.instructions ?? null,
  });
  return { session: sessionView(session), token };
}

/** @throws Problem `session_not_found` */
export async function readSession(sessions: SessionStore, access: Access, sessionId: string): Promise<SessionView> {
  return sessionView(await sessions.read(access, sessionId));
}

function sessionView(session: Session): SessionView {
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
