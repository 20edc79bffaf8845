/**
 * CONTRACT: texts in; for each, about how many tokens a model makes of it.
 *
 * - It never fails and never takes longer than it may: what could not be counted in that time is estimated.
 * - A count is never larger than the text's bytes in UTF-8, for a token is at least one of them.
 * - It is exact for no model: each has a vocabulary of its own, and only some publish it.
 */

export type TokenCounts = {
  /** One for each text, in their order. */
  readonly counts: readonly number[];
  /** True when these are rules of thumb that a later count may do better than. */
  readonly estimated: boolean;
};

export interface TokenCounter {
  /** @param withinMs how long the caller can wait, in milliseconds; 0 or less asks for an estimate. */
  count(texts: readonly string[], withinMs: number): Promise<TokenCounts>;
  /** Lets go of what it holds. What is still being counted is estimated. */
  close(): Promise<void>;
}
