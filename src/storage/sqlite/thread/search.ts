/** The SQL of searching messages. Runs in a reader's thread. */
import type { DatabaseSync } from "node:sqlite";
import { textOf } from "../../event-log.ts";
import type { FoundMessage, FoundMessages, MessageQuery } from "../../message-search.ts";
import { snippetOf } from "../../snippet.ts";
import { wantedWords } from "../../words.ts";
import { eventLog } from "./events.ts";
import { markedUsername, markedWord, markOf } from "./search-index.ts";

type FoundRow = {
  readonly place: number;
  readonly key: number;
  readonly turn: number;
  readonly prompt: string;
  readonly created_at: number;
  readonly ended_at: number;
  readonly session_id: string;
  readonly title: string | null;
  readonly username: string;
};

/** UTF-16 code units of messages that are read for one page. */
const pageLength = 1024 * 1024;

export function searchReads(database: DatabaseSync) {
  const log = eventLog(database);
  const findProgress = database.prepare("SELECT 1 FROM search_progress");
  // CROSS: the order of the joins as it stands here.
  const find = database.prepare(`
    SELECT search.rowid AS place, turns.session AS key, turn, prompt, turns.created_at, ended_at, session_id, title, username
    FROM search CROSS JOIN turns ON search_key = search.rowid >> 1 CROSS JOIN sessions ON sessions.key = turns.session
    WHERE search MATCH ? AND search.rowid < ? AND replaced_by IS NULL AND owner = ?
    ORDER BY search.rowid DESC
  `);

  return {
    findMessages({ principal, query }: { principal: string; query: MessageQuery }): FoundMessages {
      const { limit, after = Number.MAX_SAFE_INTEGER, username } = query;
      const wanted = wantedWords(query.text);
      if (wanted.length === 0) return { messages: [], next: undefined };
      const mark = markOf(principal);
      const terms = wanted.map(({ word, asBeginning }) => `"${markedWord(mark, word)}"${asBeginning ? "*" : ""}`);
      if (username !== undefined) terms.unshift(`"${markedUsername(mark, username)}"`);
      const messages: FoundMessage[] = [];
      let length = 0;
      let next: number | undefined;
      for (const found of find.iterate(terms.join(" "), after, principal)) {
        if (messages.length === limit || length >= pageLength) return { messages, next };
        const row = found as FoundRow;
        const isAnswer = row.place % 2 !== 0;
        const text = isAnswer ? textOf(log.whole(row)) : row.prompt;
        messages.push({
          sessionId: row.session_id,
          title: row.title,
          username: row.username,
          turn: row.turn,
          role: isAnswer ? "assistant" : "user",
          createdAt: isAnswer ? row.ended_at : row.created_at,
          snippet: snippetOf(text, wanted),
        });
        length += text.length;
        next = row.place;
      }
      return { messages, next: undefined };
    },

    /** Whether there are turns from before there was an index. */
    awaitsIndexing: (_: object): boolean => findProgress.get() !== undefined,
  };
}
