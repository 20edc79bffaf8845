/** All answers of this process that stay open, with one timer for the heartbeats of all event streams. */

import type { Observer } from "../../observer.ts";

/** An answer that stays open until its turn ends, or the service does. */
export interface OpenAnswer {
  /** Ends without the turn's end; the client comes back for the rest. */
  close(): void;
}

/** An event stream. */
export interface LiveStream extends OpenAnswer {
  /** Sends a sign of life. */
  beat(): void;
  /** Set to true by every write; the timer takes it back. */
  wrote: boolean;
  /** Nothing of its turn has come yet, as while that waits for another turn's end. */
  readonly waits: boolean;
}

/**
 * No stream lives for ever, so that one whose reader vanished without a word does not either. Spread by 20 %, so that
 * streams that began together do not come back together.
 */
const defaultMaxAgeMs = 15 * 60_000;

/** How many checks fit into one silence, so how late a heartbeat can be. */
const checksPerBeat = 8;

type Place = { quietChecks: number; remainingChecks: number };

export type LiveStreamsOptions = {
  /** By default 15 minutes. */
  readonly maxAgeMs?: number | undefined;
  readonly observer?: Observer | undefined;
};

export class LiveStreams {
  readonly #streams = new Map<LiveStream, Place>();
  readonly #others = new Set<OpenAnswer>();
  readonly #checkMs: number;
  readonly #maxAgeMs: number;
  readonly #observer: Observer | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(heartbeatMs: number, { maxAgeMs = defaultMaxAgeMs, observer }: LiveStreamsOptions = {}) {
    this.#checkMs = heartbeatMs / checksPerBeat;
    this.#maxAgeMs = maxAgeMs;
    this.#observer = observer;
  }

  /** Answers of every shape. */
  get size(): number {
    return this.#streams.size + this.#others.size;
  }

  add(stream: LiveStream): void {
    const ageMs = this.#maxAgeMs * (0.8 + Math.random() * 0.4);
    this.#streams.set(stream, { quietChecks: 0, remainingChecks: Math.ceil(ageMs / this.#checkMs) });
    this.#timer ??= setInterval(() => this.#check(), this.#checkMs);
    if (this.#closed) stream.close();
  }

  delete(stream: LiveStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** An answer of another shape: no heartbeats, no age, but an end with the service. */
  addOther(answer: OpenAnswer): void {
    this.#others.add(answer);
    if (this.#closed) answer.close();
  }

  deleteOther(answer: OpenAnswer): void {
    this.#others.delete(answer);
  }

  /** Closes the streams of turns that have not begun: they may wait for longer than the service lives. */
  closeWaiting(): void {
    for (const stream of [...this.#streams.keys()]) if (stream.waits) stream.close();
  }

  /** Closes everything, also what comes later. */
  closeAll(): void {
    this.#closed = true;
    for (const answer of [...this.#streams.keys(), ...this.#others]) answer.close();
  }

  #check(): void {
    for (const [stream, place] of this.#streams) {
      place.quietChecks = stream.wrote ? 0 : place.quietChecks + 1;
      stream.wrote = false;
      place.remainingChecks -= 1;
      if (place.remainingChecks <= 0) {
        this.#observer?.streamCut("aged");
        stream.close();
      } else if (place.quietChecks >= checksPerBeat - 1) {
        place.quietChecks = 0;
        stream.beat();
      }
    }
  }
}
