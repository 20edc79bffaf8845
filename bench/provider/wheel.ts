/**
 * One timer for all paced streams: a wheel with a place for each stream that turns once in an interval, so that the
 * tokens of different streams leave at different moments, evenly spread, as those of strangers do.
 */
import { now } from "../clock.ts";

/** Writes its next token; false after the last one. */
export type Step = () => boolean;

/** Milliseconds by which the kernel wakes a sleeper late; a token may leave so much early instead. */
const wakeUpDelay = 0.09;
const earliness = 0.05;

/** Milliseconds after which the event loop gets a turn even where no token is due, so that a new request waits little. */
const longestSleep = 0.25;

export class Wheel {
  readonly #placeMs: number;
  readonly #places: (Step | undefined)[];
  readonly #startedAt = now();
  readonly #bed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #next = 0;
  #occupied = 0;

  constructor(streams: number, intervalMs: number) {
    this.#placeMs = intervalMs / streams;
    this.#places = new Array(streams);
  }

  /** Takes a step in each turn of the wheel from now on, until it says that it was the last. */
  add(stream: number, step: Step): void {
    this.#places[stream] = step;
    this.#occupied += 1;
    if (this.#occupied > 1) return;
    this.#next = this.#placeAt(now()) + 1;
    this.#turn();
  }

  /**
   * Timers have whole milliseconds, in which several tokens would leave together. So this thread sleeps in between,
   * to the tenth of a millisecond; its writes need no event loop, and new requests get a turn of it after each token.
   */
  #turn(): void {
    const due = this.#placeAt(now() + earliness);
    for (; this.#next <= due; this.#next += 1) this.#step(this.#next % this.#places.length);
    if (this.#occupied === 0) return;
    const sleep = Math.min(this.#startedAt + this.#nextOccupied() * this.#placeMs - now(), longestSleep) - wakeUpDelay;
    if (sleep > 0) Atomics.wait(this.#bed, 0, 0, sleep);
    setImmediate(() => this.#turn());
  }

  #step(place: number): void {
    if (this.#places[place]?.() !== false) return;
    this.#places[place] = undefined;
    this.#occupied -= 1;
  }

  /** The next place that has a stream, or one beyond the longest sleep. */
  #nextOccupied(): number {
    const last = this.#next + Math.ceil(longestSleep / this.#placeMs);
    let place = this.#next;
    while (place < last && this.#places[place % this.#places.length] === undefined) place += 1;
    return place;
  }

  #placeAt(time: number): number {
    return Math.floor((time - this.#startedAt) / this.#placeMs);
  }
}
