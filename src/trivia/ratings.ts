/** How well players answer and how hard facts are, as far as answers have told. */
import type { GameStore, PlayerName } from "../storage/game-store.ts";
import { newFact, newPlayer, type Rating, ratingsAfter } from "./difficulty.ts";
import type { Question } from "./question.ts";

/** Milliseconds for which what is known of a show's facts is not asked for again. */
const freshMs = 60_000;

/** So many shows at most are remembered. */
const mostShows = 200;

type Known = { readonly at: number; readonly facts: Promise<ReadonlyMap<string, Rating>> };

export class Ratings {
  readonly #store: GameStore;
  readonly #clock: () => number;
  readonly #shows = new Map<string, Known>();

  constructor(store: GameStore, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What is stored is how far somebody is from where everybody begins. */
  async ofPlayer(player: PlayerName): Promise<Rating> {
    const { rating, answers } = await this.#store.rating(player);
    return { value: newPlayer.value + rating, answers };
  }

  /** By their facts' ids. Up to a minute old. */
  async ofShow(show: string): Promise<ReadonlyMap<string, Rating>> {
    const now = this.#clock();
    const known = this.#shows.get(show);
    if (known !== undefined && Math.abs(now - known.at) < freshMs) return known.facts;
    const facts = this.#store
      .factRatings(show)
      .then((found) => new Map([...found].map(([fact, { rating, answers }]) => [fact, { value: rating, answers }])));
    if (this.#shows.size >= mostShows) this.#shows.clear();
    this.#shows.set(show, { at: now, facts });
    facts.catch(() => this.#shows.delete(show));
    return facts;
  }

  /** Counts an answer. @throws Problem as the storage does */
  async rate(player: PlayerName, question: Question, correct: boolean): Promise<void> {
    const { show, fact } = question;
    const [before, facts] = await Promise.all([this.ofPlayer(player), this.ofShow(show)]);
    const factBefore = facts.get(fact.id) ?? newFact;
    const after = ratingsAfter(before, factBefore, question, correct);
    await this.#store.rate(player, {
      show,
      fact: fact.id,
      playerChange: after.player.value - before.value,
      factChange: after.fact.value - factBefore.value,
    });
  }
}
