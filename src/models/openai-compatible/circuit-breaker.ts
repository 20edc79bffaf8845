/**
 * Keeps a server that fails from being asked, per model: nobody waits for what will fail, and the server gets room to
 * recover. Closed, every call passes. When enough of them fail, it opens, and none passes. After a rest one single call
 * passes as a probe: when that succeeds, the breaker closes; when it fails, the next rest is twice as long.
 */
import { SlidingCount } from "./sliding-count.ts";

/** It opens at this many failures in the window, when they are this share of the calls that ended in it. */
const leastFailures = 5;
const leastShare = 0.5;
const windowMs = 30_000;

const firstRestMs = 10_000;
const longestRestMs = 60_000;

/** When to ask again while a probe is under way, in milliseconds: nobody knows how long it takes. */
const probePatienceMs = 2_000;

export type CallOutcome =
  | "succeeded"
  | "failed"
  /** The server answered, with no: that says nothing against it, and a probe is content with it. */
  | "refused"
  /** Nobody waited for the outcome, so there is none. */
  | "abandoned";

export type BreakerState = "closed" | "half-open" | "open";

/** One call's way through the breaker. */
export interface Permit {
  /** The answer has begun. A probe has seen enough then: an answer may take minutes. */
  began(): void;
  /** Only the first outcome counts. */
  end(outcome: CallOutcome): void;
}

export class CircuitBreaker {
  readonly #now: () => number;
  readonly #onChange: (state: "open" | "closed") => void;
  readonly #calls: SlidingCount;
  readonly #failures: SlidingCount;
  /** Undefined while closed. */
  #restEndsAt: number | undefined;
  #restMs = firstRestMs;
  /** Changes whenever the breaker opens or closes; a call of an earlier era tells nothing about this one. */
  #era = 0;
  #isProbing = false;

  /** @param now milliseconds on a clock that never goes back */
  constructor(now: () => number, onChange: (state: "open" | "closed") => void = () => {}) {
    this.#now = now;
    this.#onChange = onChange;
    this.#calls = new SlidingCount(windowMs, 1_000, now);
    this.#failures = new SlidingCount(windowMs, 1_000, now);
  }

  get state(): BreakerState {
    if (this.#restEndsAt === undefined) return "closed";
    return this.#now() < this.#restEndsAt ? "open" : "half-open";
  }

  /** Milliseconds after which a call may pass; 0 when one may now. */
  get waitMs(): number {
    if (this.#restEndsAt === undefined) return 0;
    const rest = this.#restEndsAt - this.#now();
    if (rest > 0) return rest;
    return this.#isProbing ? probePatienceMs : 0;
  }

  /** Undefined when no call may pass now. Every permit must be ended: the one of a probe keeps all others out. */
  enter(): Permit | undefined {
    if (this.waitMs > 0) return undefined;
    this.#isProbing = this.#restEndsAt !== undefined;
    let era = this.#era;
    let hasEnded = false;
    return {
      began: () => {
        if (hasEnded || era !== this.#era || !this.#isProbing) return;
        this.#close();
        // The rest of the answer counts like that of any other.
        era = this.#era;
      },
      end: (outcome) => {
        if (!hasEnded && era === this.#era) this.#count(outcome);
        hasEnded = true;
      },
    };
  }

  #count(outcome: CallOutcome): void {
    if (this.#restEndsAt !== undefined) {
      if (outcome === "failed") this.#open(Math.min(this.#restMs * 2, longestRestMs));
      else if (outcome === "abandoned") this.#isProbing = false;
      else this.#close();
      return;
    }
    if (outcome === "refused" || outcome === "abandoned") return;
    this.#calls.add();
    if (outcome === "succeeded") return;
    this.#failures.add();
    const failures = this.#failures.total;
    if (failures >= leastFailures && failures >= this.#calls.total * leastShare) this.#open(firstRestMs);
  }

  #open(restMs: number): void {
    this.#restMs = restMs;
    this.#restEndsAt = this.#now() + restMs;
    this.#change("open");
  }

  #close(): void {
    this.#restEndsAt = undefined;
    this.#calls.clear();
    this.#failures.clear();
    this.#change("closed");
  }

  #change(state: "open" | "closed"): void {
    this.#era += 1;
    this.#isProbing = false;
    this.#onChange(state);
  }
}
