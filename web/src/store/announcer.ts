/** What a screen reader says of an answer: whole sentences, and how it ended; never a token. */
import type { Exchange } from "./exchange.ts";
import { Observable } from "./observable.ts";
import { statusWords } from "./status-words.ts";

export type Announcement = { readonly id: number; readonly text: string };

/** What is shorter waits for more, so that speech does not come in crumbs. UTF-16 code units. */
const shortest = 80;

/** Of the announcements that were made; a screen reader has read the older ones. */
const kept = 5;

export class Announcer {
  readonly announcements = new Observable<readonly Announcement[]>([]);
  #said = 0;
  #next = 1;

  say(text: string): void {
    const words = spoken(text);
    if (words === "") return;
    const announcement = { id: this.#next, text: words };
    this.#next += 1;
    this.announcements.update((earlier) => [...earlier, announcement].slice(-kept));
  }

  /** More of an answer, or all of it. */
  answering(text: string, end: Exchange | undefined): void {
    // A new answer, or one whose text was taken back.
    if (text.length < this.#said) this.#said = 0;
    const rest = text.slice(this.#said);
    const length = end === undefined ? endOfSentences(rest) : rest.length;
    if (length > 0) this.say(rest.slice(0, length));
    this.#said += length;
    if (end === undefined) return;
    this.#said = 0;
    this.say(end.status === "completed" ? "End of the answer." : (statusWords(end) ?? ""));
  }
}

/** How long the whole sentences are that a text begins with; 0 where they are few yet. */
function endOfSentences(text: string): number {
  if (text.length < shortest) return 0;
  const ends = [...text.matchAll(/[.!?…:。！？]["”’)]*\s|\n\n/g)];
  const last = ends.at(-1);
  const length = last === undefined ? 0 : last.index + last[0].length;
  return length < shortest ? 0 : length;
}

/** Without the marks of Markdown, which are there to be seen. */
function spoken(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[*_`#>|~]+/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
