/** What can be known before a game: which shows there are, and who is best. */
import type { ChatClient } from "../../../client/index.ts";
import type { LeaderboardView, ShowsView } from "../../../src/protocol/trivia.ts";
import { type Failure, failureOf } from "../tabs/failure.ts";
import { Observable } from "./observable.ts";

export type TriviaOverviewState = {
  readonly shows: ShowsView["shows"];
  /** Undefined while it is read. */
  readonly board: LeaderboardView["entries"] | undefined;
  readonly failure: Failure | undefined;
};

export class TriviaOverview {
  readonly state = new Observable<TriviaOverviewState>({ shows: [], board: undefined, failure: undefined });
  readonly #client: Pick<ChatClient, "triviaShows" | "triviaLeaderboard">;
  #reading = new AbortController();

  constructor(client: Pick<ChatClient, "triviaShows" | "triviaLeaderboard">) {
    this.#client = client;
  }

  async readShows(): Promise<void> {
    try {
      const { shows } = await this.#client.triviaShows();
      this.state.update((state) => ({ ...state, shows }));
    } catch (error) {
      this.state.update((state) => ({ ...state, failure: failureOf(error) }));
    }
  }

  /** @param show of this one alone */
  async readBoard(show: string | undefined): Promise<void> {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.state.update((state) => ({ ...state, board: undefined, failure: undefined }));
    try {
      const { entries } = await this.#client.triviaLeaderboard({ show, signal });
      this.state.update((state) => ({ ...state, board: entries }));
    } catch (error) {
      if (!signal.aborted) this.state.update((state) => ({ ...state, board: [], failure: failureOf(error) }));
    }
  }
}
