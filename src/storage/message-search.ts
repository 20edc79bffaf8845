/** CONTRACT of a storage back end, its part about searching; `storage.ts` has the rest and says what holds for all of it. */

import type { Session } from "./session-store.ts";
import type { Snippet } from "./snippet.ts";

export type MessageQuery = {
  /** As somebody typed it: nothing in it means anything but words (`words.ts`). */
  readonly text: string;
  /** Only in sessions of this username. */
  readonly username?: string | undefined;
  /** How many messages at most. */
  readonly limit: number;
  /** Only those behind this place. */
  readonly after?: number | undefined;
};

export type FoundMessage = Pick<Session, "sessionId" | "title" | "username"> & {
  readonly turn: number;
  readonly role: "user" | "assistant";
  readonly createdAt: number;
  readonly snippet: Snippet;
};

export type FoundMessages = {
  readonly messages: readonly FoundMessage[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: number | undefined;
};

export interface MessageSearch {
  /**
   * The messages of a principal that have every word of the query, or one that begins with it; those of the turns that
   * ended last come first. Found is what history shows of settled turns, from the moment on at which they ended, and
   * nobody else's is ever looked at. A query without a word finds nothing.
   *
   * A page has at most `limit` messages, and fewer where they are long. What it costs depends on what the principal has,
   * not on how much there is of others.
   *
   * @throws Problem `search_unavailable` where the back end has no index
   */
  find(principal: string, query: MessageQuery): Promise<FoundMessages>;
}
