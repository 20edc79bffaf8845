/**
 * Makes questions of facts. A question is made of its id alone, so the same id gives the same question, with the same
 * options in the same order, for as long as the facts stay what they are; whoever asks one keeps it.
 */
import type { Fact, Show } from "../retrieval/facts.ts";
import type { Knowledge } from "../retrieval/knowledge.ts";
import { difficultyOf } from "./difficulty.ts";
import { closenessBounds } from "./features.ts";
import { type Difficulty, difficulties, type Question, type QuestionKind, questionKinds } from "./question.ts";
import { type Random, seededRandom, shuffled } from "./seeded-random.ts";
import { type Candidate, isAboutShow, Lore, ShowQuestions } from "./show-questions.ts";

export type Wanted = {
  /** The id of a show; all of them where it is left out. */
  readonly show?: string | undefined;
  /** Where none of it is left, the nearest. Wins over `rating`. */
  readonly difficulty?: Difficulty | undefined;
  /** By default all; mostly `multiple`. */
  readonly kinds?: readonly QuestionKind[] | undefined;
  /** Facts that the player has had. */
  exclude(factId: string): boolean;
  /** The player's Elo points: questions near them come first. */
  readonly rating?: number | undefined;
  /** What answers have added to a fact's rating. */
  shiftOf?(factId: string): number;
  random(): number;
};

export interface QuestionMaker {
  /** Undefined where the wish leaves nothing: no such show, or every fact is excluded. */
  next(wanted: Wanted): Promise<Question | undefined>;
  /** Undefined where there is none of this id, or no more. */
  question(id: string): Promise<Question | undefined>;
  /** The questions of a day (as 2026-11-28), the same for everybody; fewer only where there are not so many facts. */
  daily(date: string, count: number): Promise<readonly Question[]>;
  /** Every question that can be made, of a show or of all. */
  all(show?: string): AsyncIterable<Question>;
}

/** Of ten questions so many are of each kind, where all are wanted. */
const shares: Readonly<Record<QuestionKind, number>> = { multiple: 7, boolean: 1.5, text: 1.5 };

/** Of so many that come up by chance the one nearest to the player is asked. */
const drawn = 8;

/** Elo points by which one that is farther away may come first all the same: else everybody is asked what is rated alike. */
const leeway = 200;

/** Of a show with very many facts no more than so many candidates are looked at for one question. */
const mostLookedAt = 20_000;

/** How much easier than the player a question should be: then about two of three answers that are not guessed are right. */
const kindness = 100;

/** How hard the questions of a day are, one after the other. */
const dailyDifficulties: readonly Difficulty[] = ["easy", "medium", "easy", "medium", "hard"];

export function openQuestionMaker({
  knowledge,
}: {
  readonly knowledge: Pick<Knowledge, "shows" | "facts" | "fact">;
}): QuestionMaker {
  return new FactQuestionMaker(knowledge);
}

type Known = {
  readonly shows: readonly Show[];
  readonly lists: readonly (readonly Fact[])[];
  readonly allShows: Lore;
};

class FactQuestionMaker implements QuestionMaker {
  readonly #knowledge: Pick<Knowledge, "shows" | "facts" | "fact">;
  #known: Known | undefined;
  #questions = new Map<string, ShowQuestions>();

  constructor(knowledge: Pick<Knowledge, "shows" | "facts" | "fact">) {
    this.#knowledge = knowledge;
  }

  async next(wanted: Wanted): Promise<Question | undefined> {
    const known = await this.#look();
    const kinds = inShares(wanted.kinds ?? questionKinds, (kind) => shares[kind], wanted.random);
    const shows = known.shows.filter(({ id }) => wanted.show === undefined || id === wanted.show);
    const counts = new Map(known.shows.map(({ id }, index) => [id, known.lists[index]?.length ?? 0]));
    const order = inShares(shows, ({ id }) => counts.get(id) ?? 0, wanted.random);
    for (const difficulty of nearest(wanted.difficulty)) {
      for (const show of order) {
        for (const kind of kinds) {
          const question = pick(this.#questionsOf(known, show), kind, { ...wanted, difficulty });
          if (question !== undefined) return question;
        }
      }
    }
    return undefined;
  }

  async question(id: string): Promise<Question | undefined> {
    const fact = await this.#knowledge.fact(id.slice(0, Math.max(id.lastIndexOf("."), 0)));
    const known = await this.#look();
    const show = known.shows.find(({ id: showId }) => showId === fact?.show);
    return show && this.#questionsOf(known, show).question(id);
  }

  async daily(date: string, count: number): Promise<readonly Question[]> {
    const known = await this.#look();
    const random = seededRandom(`daily ${date}`);
    // What was imported differs from replica to replica.
    const imported = (fact: Fact | undefined) => fact?.verified.method === "parsed";
    const shows = [
      ...shuffled(
        known.shows.filter((_, index) => known.lists[index]?.some((fact) => !imported(fact))),
        random,
      ),
    ];
    const asked = new Set<string>();
    const questions: Question[] = [];
    for (let turn = 0; questions.length < count && turn < count + shows.length; turn += 1) {
      const show = shows[turn % shows.length];
      const table = show && this.#questionsOf(known, show);
      for (const difficulty of nearest(dailyDifficulties[questions.length % dailyDifficulties.length])) {
        const exclude = (id: string) => asked.has(id) || imported(table?.factOf(id));
        const question = table && pick(table, "multiple", { difficulty, exclude, random });
        if (question === undefined) continue;
        asked.add(question.fact.id);
        questions.push(question);
        break;
      }
    }
    return questions;
  }

  async *all(show?: string): AsyncGenerator<Question> {
    const known = await this.#look();
    for (const one of known.shows) {
      if (show !== undefined && one.id !== show) continue;
      yield* this.#questionsOf(known, one).all();
    }
  }

  /** What is known now; what was made of it stays for as long as it is the same. */
  async #look(): Promise<Known> {
    const shows = await this.#knowledge.shows();
    const lists = await Promise.all(shows.map(({ id }) => this.#knowledge.facts(id)));
    const known = this.#known;
    if (known?.lists.length === lists.length && lists.every((list, index) => list === known.lists[index])) return known;
    const about = shows.flatMap((show, index) => (lists[index] ?? []).filter((fact) => isAboutShow(fact, show)));
    this.#questions = new Map();
    this.#known = { shows, lists, allShows: new Lore(about) };
    return this.#known;
  }

  #questionsOf({ shows, lists, allShows }: Known, show: Show): ShowQuestions {
    const known = this.#questions.get(show.id);
    if (known !== undefined) return known;
    const made = new ShowQuestions(show, lists[shows.indexOf(show)] ?? [], allShows);
    this.#questions.set(show.id, made);
    return made;
  }
}

type Picked = Pick<Wanted, "exclude" | "difficulty" | "rating" | "shiftOf" | "random">;

/** A question of one kind from one show; undefined where none is left. */
function pick(table: ShowQuestions, kind: QuestionKind, picked: Picked): Question | undefined {
  const shiftOf = (factId: string) => picked.shiftOf?.(factId) ?? 0;
  for (const candidate of inOrder(table, kind, picked, shiftOf)) {
    const question = table.questionOf(candidate);
    if (question === undefined) continue;
    const difficulty = difficultyOf(question.rating + shiftOf(question.fact.id));
    if (difficulty === (picked.difficulty ?? difficulty)) return { ...question, difficulty };
  }
  return undefined;
}

/** Those that may be wanted: in a random order, of each few the nearest to the player first. Looks at nothing that is costly. */
function* inOrder(
  table: ShowQuestions,
  kind: QuestionKind,
  { exclude, difficulty, rating, random }: Picked,
  shiftOf: (factId: string) => number,
): Generator<Candidate, void> {
  let few: { readonly candidate: Candidate; readonly distance: number }[] = [];
  let looks = 0;
  const sorted = () => few.sort((one, other) => one.distance - other.distance).map(({ candidate }) => candidate);
  for (const candidate of table.candidates(kind, random)) {
    looks += 1;
    if (looks > mostLookedAt) break;
    const { id } = candidate.entry.fact;
    if (exclude(id) || !mayBe(difficulty, candidate, shiftOf(id))) continue;
    if (difficulty !== undefined || rating === undefined) {
      yield candidate;
      continue;
    }
    const distance = Math.abs(candidate.rating + shiftOf(id) - rating + kindness) + random() * leeway;
    few.push({ candidate, distance });
    if (few.length < drawn) continue;
    yield* sorted();
    few = [];
  }
  yield* sorted();
}

/** Whether it may turn out to be that hard: how near the wrong options are is not known yet, and counts for numbers alone. */
function mayBe(difficulty: Difficulty | undefined, { rating, entry }: Candidate, shift: number): boolean {
  if (difficulty === undefined) return true;
  const isNumber = entry.fact.type === "year" || entry.fact.type === "number";
  const { least, most } = isNumber ? closenessBounds : { least: 0, most: 0 };
  return [least, 0, most].some((closeness) => difficultyOf(rating + shift + closeness) === difficulty);
}

/** In a random order in which what has a larger share tends to come earlier. */
function inShares<T>(things: readonly T[], shareOf: (thing: T) => number, random: Random): readonly T[] {
  return things
    .map((thing) => ({ thing, place: -Math.log(1 - random()) / Math.max(shareOf(thing), 1e-9) }))
    .sort((one, other) => one.place - other.place)
    .map(({ thing }) => thing);
}

/** A difficulty and what to ask where none of it is left; any, where none is wanted. */
function nearest(difficulty: Difficulty | undefined): readonly (Difficulty | undefined)[] {
  if (difficulty === undefined) return [undefined];
  const wanted = difficulties.indexOf(difficulty);
  return [...difficulties].sort(
    (one, other) => Math.abs(difficulties.indexOf(one) - wanted) - Math.abs(difficulties.indexOf(other) - wanted),
  );
}
