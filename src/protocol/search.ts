/** What is found in a caller's messages, as clients see it. */
import { z } from "zod";
import { sessionIdPattern } from "./sessions.ts";

const place = z.number().int().min(0);

export const foundMessageSchema = z
  .object({
    session_id: z.string().regex(sessionIdPattern),
    title: z.string().nullable(),
    username: z.string(),
    turn: z.number().int().min(1),
    role: z.enum(["user", "assistant"]),
    created_at: z.iso.datetime(),
    snippet: z.string().describe("The message around the first match, as plain text; `…` where it was cut"),
    matches: z
      .array(z.tuple([place, place]))
      .describe("Where the matches are in `snippet`: start and end, in UTF-16 code units, as in JavaScript's `slice`"),
  })
  .meta({ id: "FoundMessage", description: "A message that contains every word of the search" });
export type FoundMessageView = z.infer<typeof foundMessageSchema>;

export const searchResultsSchema = z
  .object({
    results: z.array(foundMessageSchema).describe("Messages of the turns that ended last come first"),
    next_cursor: z.string().nullable().describe("Send it as `cursor` for the next page; null after the last one"),
  })
  .meta({ id: "SearchResults" });
export type SearchResults = z.infer<typeof searchResultsSchema>;
