/** What was typed and not sent, for each session and for a new one. */
import { Observable } from "./observable.ts";
import type { TextStorage } from "./text-storage.ts";

export class Drafts {
  readonly #storage: TextStorage;
  readonly #texts = new Map<string, Observable<string>>();

  constructor(storage: TextStorage) {
    this.#storage = storage;
  }

  of(sessionId: string | undefined): Observable<string> {
    const name = `draft:${sessionId ?? "new"}`;
    let text = this.#texts.get(name);
    if (text === undefined) {
      text = new Observable(this.#storage.read(name) ?? "");
      this.#texts.set(name, text);
      text.subscribe(() => this.#storage.write(name, text?.get()));
    }
    return text;
  }

  /** Gives back what was not sent, before whatever has been typed since. */
  restore(sessionId: string | undefined, prompt: string): void {
    this.of(sessionId).update((typed) => (typed.trim() === "" ? prompt : `${prompt}\n\n${typed}`));
  }
}
