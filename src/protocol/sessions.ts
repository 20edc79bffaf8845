/** Sessions as clients see them, and what opening one takes. */
import { z } from "zod";

/** 128 random bits as 32 lower-case hex characters. */
export const sessionIdPattern = /^[0-9a-f]{32}$/;

/**
 * Text that is stored and given back byte for byte. A lone surrogate has no UTF-8 form and NUL ends strings in half of
 * the world's software, so both are refused instead of being changed on the way.
 */
export function exactText(maxCharacters?: number) {
  const text = z.string();
  const bounded =
    maxCharacters === undefined ? text : text.max(maxCharacters, `must not be longer than ${maxCharacters} characters`);
  return bounded
    .refine((text) => text.isWellFormed(), "must not contain half of a surrogate pair")
    .refine((text) => !text.includes("\0"), "must not contain the NUL character");
}

/** A label of a principal's sessions, never an authority; NFC, so that equal-looking names are equal. */
export const usernameSchema = exactText(128)
  .transform((name) => name.normalize("NFC").trim())
  .refine((name) => name.length > 0, "must not be empty or blank")
  .refine((name) => name.length <= 128, "must not be longer than 128 characters")
  .meta({ description: "Who is talking: 1 to 128 characters", example: "TR" });

export const openSessionSchema = z
  .object({
    username: usernameSchema,
    title: exactText(200).optional(),
    instructions: exactText(16_384)
      .optional()
      .describe("Instructions to the model for this session, after the operator's system prompt"),
  })
  .meta({ id: "OpenSession" });

export const sessionSchema = z
  .object({
    session_id: z.string().regex(sessionIdPattern),
    username: z.string(),
    title: z.string().nullable(),
    instructions: z.string().nullable(),
    pinned: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    turns: z.number().int().min(0).describe("The number of the newest turn"),
    queued: z.number().int().min(0).describe("How many turns are waiting"),
    state: z.enum(["idle", "answering"]),
  })
  .meta({
    id: "Session",
    description: "One conversation of one username",
    example: {
      session_id: "0f8fad5bd9cb469fa16570867728950e",
      username: "TR",
      title: "Heat pumps",
      instructions: null,
      pinned: false,
      created_at: "2026-11-28T09:30:00.000Z",
      updated_at: "2026-11-28T09:31:12.345Z",
      turns: 3,
      queued: 0,
      state: "idle",
    },
  });
export type SessionView = z.infer<typeof sessionSchema>;

export const sessionListSchema = z
  .object({
    sessions: z.array(sessionSchema).describe("Newest activity first"),
    next_cursor: z.string().nullable().describe("Send it as `cursor` for the next page; null after the last one"),
  })
  .meta({ id: "SessionList" });
export type SessionListView = z.infer<typeof sessionListSchema>;

export const changeSessionSchema = z
  .object({
    title: exactText(200).nullable().optional(),
    instructions: exactText(16_384)
      .nullable()
      .optional()
      .describe("Instructions to the model from the next turn on; null for none"),
    pinned: z.boolean().optional(),
  })
  .meta({ id: "ChangeSession", description: "What the body does not name stays as it is" });
export type ChangeSession = z.infer<typeof changeSessionSchema>;

export const guestTokenSchema = z
  .string()
  .optional()
  .describe(
    "Send it as `Authorization: Bearer` to open more sessions as the same guest. The page gets a cookie instead",
  );

export const openedSessionSchema = sessionSchema.extend({ token: guestTokenSchema }).meta({ id: "OpenedSession" });

export const welcomeSchema = z
  .object({
    message: z.string().meta({ example: "Welcome to the chat service TR!" }),
    session_id: z.string().regex(sessionIdPattern),
    token: guestTokenSchema,
  })
  .meta({ id: "Welcome" });
