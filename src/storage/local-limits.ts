/** Limits that one process holds by itself: the only one, or one whose server is away. */
import type { LimitStore, Place, Rate, RateCounter, RateState } from "./limit-store.ts";

export class LocalLimits implements LimitStore {
  readonly #taken = new Map<string, number>();

  counter(rate: Rate): RateCounter {
    return new LocalCounter(rate);
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

type Window = { count: number; readonly endsAt: number };

/** Goes by the clock that nobody can set, so that nobody is refused for longer because of that. */
class LocalCounter implements RateCounter {
  readonly rate: Rate;
  /** By key, in the order in which they end, as all are of the same length. Their ends are on the clock of `performance.now()`. */
  readonly #windows = new Map<string, Window>();

  constructor(rate: Rate) {
    this.rate = rate;
  }

  async count(key: string): Promise<RateState> {
    const { most, seconds } = this.rate;
    const now = performance.now();
    this.#forget(now);
    const window = this.#windows.get(key) ?? { count: 0, endsAt: now + seconds * 1_000 };
    window.count += 1;
    this.#windows.set(key, window);
    return {
      isOver: window.count > most,
      remaining: Math.max(most - window.count, 0),
      resetSeconds: Math.ceil((window.endsAt - now) / 1_000),
    };
  }

  #forget(now: number): void {
    for (const [key, { endsAt }] of this.#windows) {
      if (endsAt > now) return;
      this.#windows.delete(key);
    }
  }
}
