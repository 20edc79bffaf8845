/**
 * How many retries all answers of one server may have together: a fifth of what was asked in the last ten seconds, and
 * one a second beside that, so that a quiet service can retry at all. When a server is down, every answer wants its
 * retries at once; without a common limit they would be the load that keeps it down.
 */
import { SlidingCount } from "./sliding-count.ts";

const windowMs = 10_000;
const shareOfCalls = 0.2;
const freeInWindow = windowMs / 1_000;

export class RetryBudget {
  readonly #calls: SlidingCount;
  readonly #retries: SlidingCount;

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number) {
    this.#calls = new SlidingCount(windowMs, 1_000, now);
    this.#retries = new SlidingCount(windowMs, 1_000, now);
  }

  /** Something was asked for the first time. */
  countCall(): void {
    this.#calls.add();
  }

  /** Whether one more retry may be made; if so, it is counted. */
  take(): boolean {
    if (this.#retries.total + 1 > this.#calls.total * shareOfCalls + freeInWindow) return false;
    this.#retries.add();
    return true;
  }
}
