/** Which question comes next in a game: none that the player was ever asked, and the day's in their order. */
import type { Knowledge } from "../retrieval/knowledge.ts";
import type { GameStore, PlayerName } from "../storage/game-store.ts";
import { roundLength } from "./boards.ts";
import type { Game, Move, Settings } from "./game-log.ts";
import type { Phraser } from "./phraser.ts";
import type { Question } from "./question.ts";
import type { QuestionMaker } from "./question-maker.ts";
import type { Ratings } from "./ratings.ts";

export type NextQuestionsOptions = {
  readonly store: GameStore;
  readonly knowledge: Pick<Knowledge, "shows">;
  readonly questions: QuestionMaker;
  readonly ratings: Ratings;
  /** Undefined where questions keep the words of their templates. */
  readonly phraser?: Phraser | undefined;
  readonly answerMs: number;
  readonly random?: () => number;
};

/** Whoever is asked, and where. */
type Round = Pick<Game["stored"], "player" | "sessionId">;

type Worded = { readonly worded: Question; readonly waitedMs: number };

type AskedMove = Extract<Move, { kind: "asked" }>;

export class NextQuestions {
  readonly #options: NextQuestionsOptions;

  constructor(options: NextQuestionsOptions) {
    this.#options = options;
  }

  /** Undefined where nothing is left to ask. */
  first(round: Round, settings: Settings, at: number): Promise<AskedMove | undefined> {
    return this.#ask(round, settings, 0, at);
  }

  after({ stored, settings, asked }: Game, at: number): Promise<AskedMove | undefined> {
    return this.#ask(stored, settings, asked.length, at);
  }

  async #ask(round: Round, settings: Settings, index: number, at: number): Promise<AskedMove | undefined> {
    const { knowledge, answerMs } = this.#options;
    const isOfDay = settings.daily !== null;
    const question = isOfDay
      ? await this.#ofDay(round.player, settings.daily, index)
      : await this.#unknown(round.player, settings);
    if (question === undefined) return undefined;
    const { worded, waitedMs } = isOfDay
      ? { worded: question, waitedMs: 0 }
      : await this.#inOtherWords(round, question);
    const shows = await knowledge.shows();
    const showTitle = shows.find(({ id }) => id === question.show)?.title ?? question.show;
    // The time to answer begins when there is something to answer.
    const askedAt = at + waitedMs;
    return { kind: "asked", at: askedAt, question: worded, showTitle, until: askedAt + answerMs };
  }

  /** In a session the model that answers there says it in its own words anyway. */
  async #inOtherWords({ player, sessionId }: Round, question: Question): Promise<Worded> {
    const { phraser } = this.#options;
    if (phraser === undefined || sessionId !== null) return { worded: question, waitedMs: 0 };
    const begun = performance.now();
    const worded = await phraser.phrase(question, player);
    return { worded, waitedMs: Math.round(performance.now() - begun) };
  }

  /** A fact that another game of the player takes meanwhile is passed over. */
  async #unknown(player: PlayerName, { show, difficulty }: Settings): Promise<Question | undefined> {
    const { store, questions, ratings, random = Math.random } = this.#options;
    const [asked, rating, shiftOf] = await Promise.all([
      store.asked(player),
      ratings.ofPlayer(player),
      this.#shiftOf(show),
    ]);
    const taken = new Set(asked);
    for (;;) {
      const question = await questions.next({
        ...(show !== null && { show }),
        ...(difficulty !== null && { difficulty }),
        exclude: (factId) => taken.has(factId),
        rating: rating.value,
        shiftOf,
        random,
      });
      if (question === undefined || (await store.takeFact(player, question.fact.id))) return question;
      taken.add(question.fact.id);
    }
  }

  /** The same for everybody, also for who has had the fact; in other games it will not come again. */
  async #ofDay(player: PlayerName, day: string, index: number): Promise<Question | undefined> {
    const { store, questions } = this.#options;
    const question = (await questions.daily(day, roundLength))[index];
    if (question !== undefined) await store.takeFact(player, question.fact.id);
    return question;
  }

  async #shiftOf(show: string | null): Promise<(factId: string) => number> {
    const { knowledge, ratings } = this.#options;
    const shows = show === null ? (await knowledge.shows()).map(({ id }) => id) : [show];
    const known = await Promise.all(shows.map((id) => ratings.ofShow(id)));
    return (factId) => {
      for (const facts of known) {
        const rating = facts.get(factId);
        if (rating !== undefined) return rating.value;
      }
      return 0;
    };
  }
}
