/**
 * CONTRACT of a storage back end, its part about limits: what is counted for all replicas together, and need not be stored
 * for long. It never fails and never waits for a server that is away: then each replica holds its callers to the limits by
 * itself.
 */

export type Rate = {
  /** A word, unique among the rates. */
  readonly name: string;
  /** How often something may happen. */
  readonly most: number;
  /** In so many seconds, which begin with the first time. */
  readonly seconds: number;
};

/** Where somebody stands. */
export type RateState = {
  readonly isOver: boolean;
  /** How often it may still happen. */
  readonly remaining: number;
  /** Seconds until the count begins anew. */
  readonly resetSeconds: number;
};

export interface RateCounter {
  readonly rate: Rate;
  /** Counts once more for somebody. */
  count(key: string): Promise<RateState>;
}

/** One of so many that may be taken at once. */
export interface Place {
  /** Calling it twice is harmless. */
  leave(): void;
}

export interface LimitStore {
  counter(rate: Rate): RateCounter;
  /** Undefined where `most` are taken. A place that a process did not live to leave is free again after half a minute. */
  takePlace(key: string, most: number): Promise<Place | undefined>;
}
