/** The knowledge of a replica: the starter pack in memory, and what the operator imported in a file beside it. */
import type { Log } from "../log.ts";
import type { EmbeddingServer } from "./embeddings/client.ts";
import { QueryVectors } from "./embeddings/query-vectors.ts";
import type { Fact, Relation, Show, ShowPack } from "./facts.ts";
import { ImportedFacts } from "./imported-facts.ts";
import { Reader } from "./index-file/reader.ts";
import type { Found, Knowledge, SearchOptions } from "./knowledge.ts";
import { fuse } from "./rank-fusion.ts";
import { StarterFacts } from "./starter-facts.ts";
import { type Together, together } from "./together.ts";

export type KnowledgeOptions = {
  /** Reads the starter pack; called once, when something is first asked. */
  readonly packs: () => Promise<readonly ShowPack[]>;
  /** The knowledge file of the importer; there may be none, and it may come later. */
  readonly file: string;
  /** Undefined where passages are searched by keywords alone. */
  readonly embeddings: EmbeddingServer | undefined;
  readonly log: Log;
};

const defaultLimit = 5;
const largestLimit = 50;

/** From each ranking so many are taken for each that is wanted, so that one that stands in all of them comes to the top. */
const depth = 4;

/** Opens nothing yet: the service starts no later for it. */
export function openKnowledge(options: KnowledgeOptions): Knowledge {
  return new LocalKnowledge(options);
}

class LocalKnowledge implements Knowledge {
  readonly #packs: KnowledgeOptions["packs"];
  readonly #reader: Reader;
  readonly #imported: ImportedFacts;
  readonly #vectors: QueryVectors | undefined;
  #starter: Promise<StarterFacts> | undefined;
  /** Facts of both, by show, as long as the file is the same. */
  readonly #together = new Map<string, Promise<Together>>();
  #version: string | undefined;
  /** The reading thread that has been given the starter pack's passages. */
  #told: { readonly thread: number; readonly done: Promise<void> } | undefined;

  constructor({ packs, file, embeddings, log }: KnowledgeOptions) {
    this.#packs = packs;
    this.#reader = new Reader(file);
    this.#imported = new ImportedFacts(file, this.#reader, log);
    this.#vectors = embeddings && new QueryVectors(embeddings, log);
  }

  async shows(): Promise<readonly (Show & { readonly facts: number })[]> {
    const [starter, imported] = await Promise.all([this.#startersFacts(), this.#imported.shows()]);
    const shows = new Map<string, Show>([...imported, ...starter.shows].map((show) => [show.id, show]));
    const counted = [...shows.values()].map(async ({ id, title, aliases, years }) => {
      const { facts } = await this.#factsOf(id);
      return { id, title, aliases, years, facts: facts.length };
    });
    return (await Promise.all(counted)).sort((one, other) => one.title.localeCompare(other.title, "en"));
  }

  async facts(show: string, relation?: Relation): Promise<readonly Fact[]> {
    const { facts, byRelation } = await this.#factsOf(show);
    return relation === undefined ? facts : (byRelation.get(relation) ?? []);
  }

  async fact(id: string): Promise<Fact | undefined> {
    return (await this.#startersFacts()).fact(id) ?? this.#imported.fact(id);
  }

  async search(query: string, { show, limit = defaultLimit, signal }: SearchOptions = {}): Promise<Found> {
    signal?.throwIfAborted();
    const wanted = Math.min(Math.max(Math.trunc(limit), 1), largestLimit);
    const { near, degraded } = await this.#near(query, signal);
    await this.#tellPassages();
    const rankings = await this.#imported.search({ query, show, limit: wanted * depth, near });
    signal?.throwIfAborted();
    return { passages: fuse(rankings, ({ id }) => id).slice(0, wanted), degraded };
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  #startersFacts(): Promise<StarterFacts> {
    this.#starter ??= this.#packs().then(
      (packs) => new StarterFacts(packs),
      (error) => {
        // The next one reads anew.
        this.#starter = undefined;
        throw error;
      },
    );
    return this.#starter;
  }

  async #factsOf(show: string): Promise<Together> {
    const version = await this.#imported.version();
    if (version !== this.#version) this.#together.clear();
    this.#version = version;
    const known = this.#together.get(show);
    if (known !== undefined) return known;
    const reading = this.#readFactsOf(show);
    this.#together.set(show, reading);
    reading.catch(() => this.#together.delete(show));
    return reading;
  }

  async #readFactsOf(show: string): Promise<Together> {
    const [starter, imported] = await Promise.all([this.#startersFacts(), this.#imported.facts(show)]);
    return together(starter.of(show), imported);
  }

  /** Where the file has vectors, the query's is asked for. */
  async #near(query: string, signal: AbortSignal | undefined) {
    const vectors = this.#vectors;
    if (vectors === undefined || !(await this.#imported.hasVectors(vectors.model))) {
      return { near: undefined, degraded: false };
    }
    const vector = await vectors.of(query, signal);
    return { near: vector && { vector, model: vectors.model }, degraded: vector === undefined };
  }

  async #tellPassages(): Promise<void> {
    if (!this.#reader.isRunning || this.#told?.thread !== this.#reader.threads) {
      const passages = (await this.#startersFacts()).passages();
      const done = this.#reader.ask("add", { passages });
      this.#told = { thread: this.#reader.threads, done };
    }
    await this.#told?.done;
  }
}
