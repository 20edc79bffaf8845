/** Places in a list as clients get them: opaque, and of no use for another list. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { Problem } from "../protocol/problems.ts";

const cursorSchema = z.tuple([z.unknown(), z.string()]);

/** @param list what makes the list another one: whose it is, and what was asked for */
export function cursorOf(place: unknown, list: unknown): string {
  return Buffer.from(JSON.stringify([place, nameOf(list)])).toString("base64url");
}

/** @throws Problem `invalid_cursor` */
export function placeOf<Place>(cursor: string, list: unknown, schema: z.ZodType<Place>): Place {
  const parsed = cursorSchema.safeParse(parse(Buffer.from(cursor, "base64url").toString("utf8")));
  const [place, name] = parsed.data ?? [];
  const found = schema.safeParse(place);
  if (!found.success || name !== nameOf(list)) {
    throw new Problem("invalid_cursor", "The cursor is none that was given out for this list; begin without one.");
  }
  return found.data;
}

/** No principal's name goes to a client, not even its own. */
function nameOf(list: unknown): string {
  return createHash("sha256").update(JSON.stringify(list)).digest("base64url").slice(0, 16);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
