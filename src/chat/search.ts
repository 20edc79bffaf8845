/** Searching one's own messages. */
import { z } from "zod";
import type { FoundMessageView, SearchResults } from "../protocol/search.ts";
import type { FoundMessage, MessageSearch } from "../storage/message-search.ts";
import { cursorOf, placeOf } from "./page-cursor.ts";

export type Search = {
  readonly q: string;
  readonly username?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

/** @throws Problem `invalid_cursor`, `search_unavailable` */
export async function searchMessages(
  search: MessageSearch,
  principal: string,
  { q, username, limit, cursor }: Search,
): Promise<SearchResults> {
  const list = ["search", principal, q, username ?? null];
  const after = cursor === undefined ? undefined : placeOf(cursor, list, z.int());
  const { messages, next } = await search.find(principal, { text: q, username, limit, after });
  return { results: messages.map(view), next_cursor: next === undefined ? null : cursorOf(next, list) };
}

function view({ sessionId, title, username, turn, role, createdAt, snippet }: FoundMessage): FoundMessageView {
  return {
    session_id: sessionId,
    title,
    username,
    turn,
    role,
    created_at: new Date(createdAt).toISOString(),
    snippet: snippet.text,
    matches: snippet.matches.map(([start, end]) => [start, end]),
  };
}
