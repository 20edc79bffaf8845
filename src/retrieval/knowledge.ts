/**
 * CONTRACT of what the game knows: shows, their facts, and passages to look things up in. Read-mostly and local to each
 * replica, whatever storage the sessions are in: the starter pack, and what the operator imported.
 *
 * - Facts are found by show, relation and type in time that does not grow with the number of passages.
 * - `search` ranks by keywords (BM25), and by meaning too where an embedding model is set; when that fails, keywords alone
 *   answer and the result says so.
 * - While an import runs, what was whole before it is served.
 */
import type { Fact, Relation, Show, Source } from "./facts.ts";

export interface Knowledge {
  /** Every show that facts are known about, by title. */
  shows(): Promise<readonly (Show & { readonly facts: number })[]>;
  /** All of a show's facts, or of one relation; a list to read only. */
  facts(show: string, relation?: Relation): Promise<readonly Fact[]>;
  fact(id: string): Promise<Fact | undefined>;
  search(query: string, options?: SearchOptions): Promise<Found>;
  close(): Promise<void>;
}

export type SearchOptions = {
  readonly show?: string | undefined;
  /** By default 5, at most 50. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type Found = {
  /** Best first. */
  readonly passages: readonly Passage[];
  /** The embedding model did not answer, so only keywords were looked for. */
  readonly degraded: boolean;
};

/** A piece of a page, at most about 1,000 characters, cut where sentences end. */
export type Passage = {
  readonly id: string;
  readonly show: string;
  /** The headings above it, outermost first. */
  readonly section: readonly string[];
  readonly text: string;
  readonly source: Source;
};
