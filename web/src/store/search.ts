/** Searching one's own messages, while one types. */
import type { ChatClient } from "../../../client/index.ts";
import type { FoundMessageView } from "../../../src/protocol/search.ts";
import { type Failure, failureOf } from "../tabs/failure.ts";
import { Observable } from "./observable.ts";

export type SearchState = {
  /** As typed; empty where nobody searches. */
  readonly query: string;
  readonly isSearching: boolean;
  readonly results: readonly FoundMessageView[];
  readonly failure: Failure | undefined;
};

const nothing: SearchState = { query: "", isSearching: false, results: [], failure: undefined };

/** Whoever types goes on typing for a moment. */
const pauseMs = 200;

export class Search {
  readonly state = new Observable<SearchState>(nothing);
  readonly #client: Pick<ChatClient, "search">;
  readonly #username: () => string | undefined;
  #running = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Pick<ChatClient, "search">, username: () => string | undefined) {
    this.#client = client;
    this.#username = username;
  }

  type(query: string): void {
    clearTimeout(this.#timer);
    this.#running.abort();
    this.#running = new AbortController();
    const { signal } = this.#running;
    if (query.trim() === "") {
      this.state.set({ ...nothing, query });
      return;
    }
    this.state.update((state) => ({ ...state, query, isSearching: true }));
    this.#timer = setTimeout(() => void this.#search(query, signal), pauseMs);
  }

  async #search(query: string, signal: AbortSignal): Promise<void> {
    try {
      const username = this.#username();
      const { results } = await this.#client.search(query.trim(), { username, limit: 30, signal });
      this.state.set({ query, isSearching: false, results, failure: undefined });
    } catch (error) {
      if (!signal.aborted) this.state.set({ query, isSearching: false, results: [], failure: failureOf(error) });
    }
  }
}
