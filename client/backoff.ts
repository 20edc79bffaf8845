/** How long to wait before the next try: twice as long after each failure, never two clients alike. */
export class Backoff {
  readonly #maxMs: number;
  #baseMs: number;
  #failures = 0;

  constructor(options: { readonly baseMs: number; readonly maxMs: number }) {
    this.#baseMs = options.baseMs;
    this.#maxMs = options.maxMs;
  }

  /** What the first wait is about; the service says it in each stream (`retry:`). */
  startFrom(baseMs: number): void {
    this.#baseMs = baseMs;
  }

  /** Something went well: the next failure is the first one again. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Milliseconds to wait after one more failure. Where the service has said how long (`Retry-After`), never less than
   * that, and some more, because it said the same to others.
   */
  next(retryAfterSeconds = 0): number {
    const fullMs = Math.min(this.#maxMs, this.#baseMs * 2 ** this.#failures);
    this.#failures += 1;
    const waitMs = fullMs * (0.5 + Math.random() / 2);
    return retryAfterSeconds === 0 ? waitMs : retryAfterSeconds * 1_000 + Math.random() * waitMs;
  }
}
