/** Limits that one process holds by itself: the only one, or one whose server is away. */
import RateLimiterMemory from "rate-limiter-flexible/lib/RateLimiterMemory.js";
import type { LimitStore, Place, Rate, RateCounter, RateState } from "./limit-store.ts";

export class LocalLimits implements LimitStore {
  readonly #taken = new Map<string, number>();

  counter(rate: Rate): RateCounter {
    const limiter = localLimiter(rate);
    return { rate, count: async (key) => stateOf(rate, await limiter.penalty(key)) };
  }

  async takePlace(key: string, most: number): Promise<Place | undefined> {
    if ((this.#taken.get(key) ?? 0) >= most) return undefined;
    this.#add(key, 1);
    let isTaken = true;
    return {
      leave: () => {
        if (isTaken) this.#add(key, -1);
        isTaken = false;
      },
    };
  }

  #add(key: string, change: number): void {
    const count = (this.#taken.get(key) ?? 0) + change;
    if (count === 0) this.#taken.delete(key);
    else this.#taken.set(key, count);
  }
}

export function localLimiter({ name, most, seconds }: Rate): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix: name, points: most, duration: seconds });
}

/** What the package tells of a key that was counted. */
export function stateOf(
  { most }: Rate,
  { consumedPoints, msBeforeNext }: { readonly consumedPoints: number; readonly msBeforeNext: number },
): RateState {
  return {
    isOver: consumedPoints > most,
    remaining: Math.max(most - consumedPoints, 0),
    resetSeconds: Math.max(Math.ceil(msBeforeNext / 1_000), 0),
  };
}
