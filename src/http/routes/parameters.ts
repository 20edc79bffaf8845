/** Parameters that several routes take. */
import { z } from "zod";

const sessionId = z.string().meta({
  description: "The id that opening the session returned",
  example: "0f8fad5bd9cb469fa16570867728950e",
});

export const sessionParameters = z.object({ session_id: sessionId });

export const turnParameters = z.object({
  session_id: sessionId,
  turn: z.string().transform(Number).meta({ type: "integer", minimum: 1, description: "The number of a turn" }),
});

export const heartbeatParameter = z
  .enum(["comment", "event"])
  .optional()
  .describe("`event` sends heartbeats as named events, for clients that cannot see comments");

const maxLimit = 200;

/** Beyond its bounds it is brought within them. */
export const limitParameter = z
  .string()
  .regex(/^[+-]?\d+(e\d+)?$/i, "must be a whole number")
  .transform((text) => Math.min(Math.max(Number(text), 1), maxLimit))
  .optional()
  .meta({ type: "integer", minimum: 1, maximum: maxLimit });
