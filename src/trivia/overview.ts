/** What can be looked at without a game: which shows there are, who is best, and the quiz of the day. */
import type { DailyView, LeaderboardView, ShowsView } from "../protocol/trivia.ts";
import type { Show } from "../retrieval/facts.ts";
import type { Knowledge } from "../retrieval/knowledge.ts";
import type { BoardEntry, GameStore } from "../storage/game-store.ts";
import type { Access } from "../storage/storage.ts";
import { audienceOf, boardName, roundLength } from "./boards.ts";
import { findShow } from "./shows.ts";

export interface TriviaOverview {
  shows(): Promise<ShowsView>;
  /**
   * Of all games, or of those about one show, among those whom the caller may know of.
   *
   * @throws Problem `show_not_found`
   */
  leaderboard(access: Access, show: string | undefined): Promise<LeaderboardView>;
  daily(access: Access): Promise<DailyView>;
}

export type OverviewOptions = {
  readonly store: Pick<GameStore, "best">;
  readonly knowledge: Pick<Knowledge, "shows">;
  readonly clock: () => number;
};

/** How many are shown. */
const mostEntries = 100;

const dayMs = 24 * 60 * 60_000;

export function openOverview({ store, knowledge, clock }: OverviewOptions): TriviaOverview {
  const best = async (board: string) => ranked(await store.best(board, mostEntries));
  return {
    async shows() {
      const shows = await knowledge.shows();
      return {
        shows: shows.map((show) => ({ id: show.id, title: show.title, years: yearsOf(show), facts: show.facts })),
      };
    },

    async leaderboard(access, wanted) {
      const show = wanted === undefined ? undefined : findShow(await knowledge.shows(), wanted).id;
      const board = boardName(audienceOf(access), { ...(show !== undefined && { show }) });
      return { show: show ?? null, entries: await best(board) };
    },

    async daily(access) {
      const now = clock();
      const date = new Date(now).toISOString().slice(0, 10);
      const ends_at = new Date(Math.floor(now / dayMs) * dayMs + dayMs).toISOString();
      const entries = await best(boardName(audienceOf(access), { day: date }));
      return { date, questions: roundLength, ends_at, entries };
    },
  };
}

/** As "1989–1998"; one year where it began and ended in it. */
function yearsOf({ years }: Show): string | null {
  if (years === null) return null;
  const { first, last } = years;
  return last === first ? String(first) : `${first}–${last ?? ""}`;
}

function ranked(entries: readonly BoardEntry[]): LeaderboardView["entries"] {
  const sorted = entries.toSorted((one, other) => other.score - one.score || (one.username < other.username ? -1 : 1));
  const rankOf = (score: number) => sorted.findIndex((entry) => entry.score === score) + 1;
  return sorted.map((entry) => ({ rank: rankOf(entry.score), ...entry }));
}
