/**
 * Questions for programs that know Open Trivia DB (https://opentdb.com/api_config.php). That wire shows the answers, so
 * nothing is scored, and the questions of a day are left out while anybody can play them.
 */
import { createHash, randomBytes } from "node:crypto";
import { setImmediate as breathe } from "node:timers/promises";
import { type ResponseCode, responseCodes } from "../protocol/open-trivia.ts";
import type { Show } from "../retrieval/facts.ts";
import type { Knowledge } from "../retrieval/knowledge.ts";
import type { GameStore, PlayerName } from "../storage/game-store.ts";
import { guestPrincipalPrefix } from "../storage/storage.ts";
import { roundLength } from "./boards.ts";
import { normalForm } from "./normal-form.ts";
import type { Difficulty, Question } from "./question.ts";
import type { QuestionMaker } from "./question-maker.ts";

export type QuestionQuery = {
  /** 1 to 50. */
  readonly amount: number;
  /** A number of `categories`, or a show as people say it; every show where it is left out. */
  readonly category?: string | undefined;
  readonly difficulty?: Difficulty | undefined;
  readonly kind?: "multiple" | "boolean" | undefined;
  readonly token?: string | undefined;
};

export type FoundQuestions =
  | { readonly code: 0; readonly questions: readonly (Question & { readonly showTitle: string })[] }
  | { readonly code: Exclude<ResponseCode, 0> };

export type Category = { readonly id: number; readonly name: string };

/** The numbers of Open Trivia DB's own categories: whoever has one built in gets questions about every show. */
const foreignCategories = { first: 9, last: 32 } as const;

/** Ours are beyond them, and the same for as long as a show has its id, whatever other shows come and go. */
const ownCategories = { first: 1_000, count: 1_000_000 } as const;

const dayMs = 24 * 60 * 60_000;

/** Who is asked by a token, as a player; the retention of guests holds for what a token has seen. */
const principal = `${guestPrincipalPrefix}open-trivia-database`;

export type OpenTriviaDatabaseOptions = {
  readonly knowledge: Pick<Knowledge, "shows">;
  readonly questions: QuestionMaker;
  readonly store: Pick<GameStore, "asked" | "takeFact">;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
};

export interface OpenTriviaDatabase {
  categories(): Promise<readonly Category[]>;
  /** Of a token, none of a fact that it was asked before. @throws Problem as the storage does */
  find(query: QuestionQuery): Promise<FoundQuestions>;
  /** Nothing is stored of it before it is used. */
  newToken(): Promise<string>;
  /** Has it begin anew. @throws Problem as the storage does */
  resetToken(token: string): Promise<0 | 3>;
}

export function openOpenTriviaDatabase(options: OpenTriviaDatabaseOptions): OpenTriviaDatabase {
  return new FactDatabase(options);
}

class FactDatabase implements OpenTriviaDatabase {
  readonly #options: OpenTriviaDatabaseOptions;

  constructor(options: OpenTriviaDatabaseOptions) {
    this.#options = options;
  }

  async categories(): Promise<readonly Category[]> {
    const shows = await this.#options.knowledge.shows();
    return shows.map(({ id, title }) => ({ id: numberOf(id), name: title }));
  }

  async find({ token, category, ...query }: QuestionQuery): Promise<FoundQuestions> {
    if (token !== undefined && !isToken(token)) return { code: responseCodes.tokenNotFound };
    const shows = await this.#options.knowledge.shows();
    const show = category === undefined ? "any" : showOf(shows, category);
    if (show === undefined) return { code: responseCodes.invalidParameter };
    const wanted = { ...query, show: show === "any" ? undefined : show.id };
    const hidden = await this.#factsOfDays();
    const player = token === undefined ? undefined : await this.#playerOf(token);
    const seen = new Set(player && (await this.#options.store.asked(player)));
    const chosen: Question[] = [];
    while (chosen.length < query.amount) {
      const missing = query.amount - chosen.length;
      const found = await this.#select(wanted, missing, new Set([...hidden, ...seen]));
      if (found.length < missing) return { code: await this.#shortage(wanted, hidden, seen.size > 0) };
      for (const { fact } of found) seen.add(fact.id);
      chosen.push(...(player === undefined ? found : await this.#take(player, found)));
    }
    const titles = new Map(shows.map(({ id, title }) => [id, title]));
    const named = chosen.map((question) => ({ ...question, showTitle: titles.get(question.show) ?? question.show }));
    return { code: responseCodes.success, questions: named };
  }

  async newToken(): Promise<string> {
    const random = randomBytes(28).toString("hex");
    return random + checksumOf(random);
  }

  async resetToken(token: string): Promise<0 | 3> {
    if (!isToken(token)) return responseCodes.tokenNotFound;
    const { store } = this.#options;
    // Another request may do the same at this moment.
    for (let round = (await this.#rounds(token)) + 1; ; round += 1) {
      if (await store.takeFact({ principal, username: token }, `round:${round}`)) return responseCodes.success;
    }
  }

  async #rounds(token: string): Promise<number> {
    return (await this.#options.store.asked({ principal, username: token })).size;
  }

  /** Each round of a token is a player of its own. */
  async #playerOf(token: string): Promise<PlayerName> {
    return { principal, username: `${token} ${await this.#rounds(token)}` };
  }

  /** Those of a day are the same for all, and somebody's clock is always in another one. */
  async #factsOfDays(): Promise<ReadonlySet<string>> {
    const { clock, questions } = this.#options;
    const now = clock();
    const days = [-dayMs, 0, dayMs].map((shift) => new Date(now + shift).toISOString().slice(0, 10));
    const ofDays = await Promise.all(days.map((day) => questions.daily(day, roundLength)));
    return new Set(ofDays.flat().map(({ fact }) => fact.id));
  }

  /** So many questions of different facts, or as many as there are. */
  async #select(
    { show, difficulty, kind }: Wanted,
    amount: number,
    passedOver: Set<string>,
  ): Promise<readonly Question[]> {
    const found: Question[] = [];
    const kinds = kind === undefined ? (["multiple", "boolean"] as const) : [kind];
    while (found.length < amount) {
      const question = await this.#options.questions.next({
        show,
        difficulty,
        kinds,
        exclude: (factId) => passedOver.has(factId),
        random: Math.random,
      });
      // The maker gives the nearest difficulty where none of the wanted one is left.
      if (question === undefined || question.difficulty !== (difficulty ?? question.difficulty)) break;
      passedOver.add(question.fact.id);
      found.push(question);
      // Fifty of them may take a while the first time, and answers are streamed meanwhile.
      await breathe();
    }
    return found;
  }

  /** Without those that another request of the same token has taken meanwhile. */
  async #take(player: PlayerName, found: readonly Question[]): Promise<readonly Question[]> {
    const taken = await Promise.all(found.map(({ fact }) => this.#options.store.takeFact(player, fact.id)));
    return found.filter((_, index) => taken[index]);
  }

  /** Whether there are too few of them at all, or only for who has seen some. */
  async #shortage(wanted: Wanted, hidden: ReadonlySet<string>, hasSeenSome: boolean): Promise<1 | 4> {
    if (!hasSeenSome) return responseCodes.noResults;
    const all = await this.#select(wanted, wanted.amount, new Set(hidden));
    return all.length < wanted.amount ? responseCodes.noResults : responseCodes.tokenEmpty;
  }
}

type Wanted = Pick<QuestionQuery, "amount" | "difficulty" | "kind"> & { readonly show: string | undefined };

function showOf(shows: readonly Show[], category: string): Show | "any" | undefined {
  const number = /^\d{1,9}$/.test(category) ? Number(category) : undefined;
  if (
    number !== undefined &&
    (number === 0 || (number >= foreignCategories.first && number <= foreignCategories.last))
  ) {
    return "any";
  }
  const name = normalForm(category);
  return shows.find(
    ({ id, title, aliases }) =>
      numberOf(id) === number || id === category || [title, ...aliases].some((known) => normalForm(known) === name),
  );
}

function numberOf(showId: string): number {
  const hash = createHash("sha256").update(showId).digest().readUInt32BE();
  return ownCategories.first + (hash % ownCategories.count);
}

/** Tells tokens of ours from mistyped ones and from those of other services; it proves nothing else, nor has it to. */
function checksumOf(random: string): string {
  return createHash("sha256").update(`open trivia ${random}`).digest("hex").slice(0, 8);
}

function isToken(token: string): boolean {
  return /^[0-9a-f]{64}$/.test(token) && token.slice(56) === checksumOf(token.slice(0, 56));
}
