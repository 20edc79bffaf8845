/** Places in a list of sessions as clients get them: opaque, and of no use for another list. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { Problem } from "../protocol/problems.ts";
import { sessionIdPattern } from "../protocol/sessions.ts";
import type { SessionPlace } from "../storage/storage.ts";

const cursorSchema = z.tuple([z.int().min(0), z.string().regex(sessionIdPattern), z.string()]);

/** Whose sessions, and of which username. */
export type ListOwner = { readonly principal: string; readonly username: string };

export function cursorOf({ updatedAt, sessionId }: SessionPlace, list: ListOwner): string {
  return Buffer.from(JSON.stringify([updatedAt, sessionId, nameOf(list)])).toString("base64url");
}

/** @throws Problem `invalid_cursor` */
export function placeOf(cursor: string, list: ListOwner): SessionPlace {
  const parsed = cursorSchema.safeParse(parse(Buffer.from(cursor, "base64url").toString("utf8")));
  if (!parsed.success || parsed.data[2] !== nameOf(list)) {
    throw new Problem("invalid_cursor", "The cursor is none that was given out for this list; begin without one.");
  }
  const [updatedAt, sessionId] = parsed.data;
  return { updatedAt, sessionId };
}

/** No principal's name goes to a client, not even its own. */
function nameOf({ principal, username }: ListOwner): string {
  return createHash("sha256")
    .update(JSON.stringify([principal, username]))
    .digest("base64url")
    .slice(0, 16);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
