/**
 * The SQL of the index that messages are searched by. A document is a message of a settled turn: twice the turn's
 * `search_key`, one more for the answer, so that they are in the order in which turns ended.
 *
 * Each word stands there with its owner's mark before it, so that a search is for words of one owner and passes over
 * nobody else's. The index holds no texts; what it forgets is told to it word by word, and gone from it at once
 * (`secure-delete`).
 */
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { textOf } from "../../event-log.ts";
import { wordsIn } from "../../words.ts";
import { eventLog, type TurnKey } from "./events.ts";

/** Milliseconds for which the writer indexes older turns before somebody else has a turn. */
const sliceMs = 5;

/** Turns that are indexed before the clock is looked at. */
const turnsAtOnce = 16;

export type SearchIndex = ReturnType<typeof searchIndex>;

type IndexedTurn = TurnKey & {
  readonly prompt: string;
  readonly continues: number | null;
  readonly owner: string;
  readonly username: string;
  /** Where those two are not known any more, as the session is being deleted. */
  readonly search_marks: string | null;
};

export function searchIndex(database: DatabaseSync) {
  const log = eventLog(database);
  const columns = "session AS key, turn, prompt, continues, owner, username, search_marks";
  const findTurn = database.prepare(`
    SELECT ${columns} FROM turns JOIN sessions ON sessions.key = turns.session
    WHERE session = ? AND turn = ? AND replaced_by IS NULL
  `);
  const newestKey = database.prepare("SELECT coalesce(max(search_key), 0) AS key FROM turns WHERE search_key > 0");
  const oldestKey = database.prepare("SELECT coalesce(min(search_key), 1) AS key FROM turns WHERE search_key < 1");
  const setKey = database.prepare("UPDATE turns SET search_key = ? WHERE session = ? AND turn = ?");
  const add = database.prepare("INSERT INTO search (rowid, words) VALUES (?, ?)");
  const forget = database.prepare("INSERT INTO search (search, rowid, words) VALUES ('delete', ?, ?)");
  const findIndexed = database.prepare(`
    SELECT ${columns}, search_key FROM turns JOIN sessions ON sessions.key = turns.session
    WHERE session = ? AND turn = ? AND search_key IS NOT NULL
  `);
  const findOlder = database.prepare(`
    SELECT ${columns} FROM turns JOIN sessions ON sessions.key = turns.session
    WHERE (session, turn) < (SELECT session, turn FROM search_progress)
    AND status NOT IN ('queued', 'running') AND replaced_by IS NULL AND search_key IS NULL AND search_marks IS NULL
    ORDER BY session DESC, turn DESC LIMIT ${turnsAtOnce}
  `);
  const setProgress = database.prepare("UPDATE search_progress SET session = ?, turn = ?");
  const endProgress = database.prepare("DELETE FROM search_progress");

  /** A continuation has the prompt of the turn that it goes on with, which is there already. */
  function documents(turn: IndexedTurn, searchKey: number): [document: number, words: string][] {
    const answer = textOf(log.whole(turn));
    const prompt: [number, string][] = turn.continues === null ? [[2 * searchKey, markedWords(turn, turn.prompt)]] : [];
    return answer === "" ? prompt : [...prompt, [2 * searchKey + 1, markedWords(turn, answer)]];
  }

  function index(turn: IndexedTurn, searchKey: number): void {
    for (const document of documents(turn, searchKey)) add.run(...document);
    setKey.run(searchKey, turn.key, turn.turn);
  }

  return {
    /** To be called in the transaction that ends the turn, once its log is in the tables. */
    add({ key, turn }: TurnKey): void {
      const ended = findTurn.get(key, turn) as IndexedTurn | undefined;
      // Whatever took its place is what history shows.
      if (ended !== undefined) index(ended, (newestKey.get() as { key: number }).key + 1);
    },

    /** To be called in the transaction that deletes the turn, before it does. Gives how many messages were forgotten. */
    forget({ key, turn }: TurnKey): number {
      const indexed = findIndexed.get(key, turn) as (IndexedTurn & { readonly search_key: number }) | undefined;
      if (indexed === undefined) return 0;
      const forgotten = documents(indexed, indexed.search_key);
      for (const document of forgotten) forget.run(...document);
      return forgotten.length;
    },

    /** Indexes turns from before there was an index, the newest sessions first. Tells whether there are more. */
    addOlder(): boolean {
      const until = performance.now() + sliceMs;
      for (;;) {
        const turns = findOlder.all() as IndexedTurn[];
        let { key } = oldestKey.get() as { key: number };
        for (const turn of turns) {
          key -= 1;
          index(turn, key);
        }
        const last = turns.at(-1);
        if (last === undefined || turns.length < turnsAtOnce) {
          endProgress.run();
          return false;
        }
        setProgress.run(last.key, last.turn);
        if (performance.now() > until) return true;
      }
    },
  };
}

function markedWords({ owner, username, search_marks }: IndexedTurn, text: string): string {
  const [mark = "", usernameMark = ""] = (search_marks ?? marksOf(owner, username)).split(" ");
  const words = new Set<string>();
  for (const { word } of wordsIn(text)) words.add(markedWord(mark, word));
  return [usernameMark, ...words].join(" ");
}

/** All that the index knows of whose a session is. */
export function marksOf(owner: string, username: string): string {
  const mark = markOf(owner);
  return `${mark} ${markedUsername(mark, username)}`;
}

/** Stands for an owner. Two that had the same one would still not find each other's messages, as the owner is compared, too. */
export function markOf(owner: string): string {
  return createHash("sha256").update(owner).digest("hex").slice(0, 12);
}

export function markedWord(mark: string, word: string): string {
  return `${mark}·${word}`;
}

/** No word of a text, so that usernames are found by whoever means them. */
export function markedUsername(mark: string, username: string): string {
  return `${mark}¤${createHash("sha256").update(username).digest("hex").slice(0, 16)}`;
}
