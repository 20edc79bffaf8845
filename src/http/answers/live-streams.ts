/** All open event streams of this process, with one timer for the heartbeats of all of them. */

export interface LiveStream {
  /** Sends a sign of life. */
  beat(): void;
  /** Closes without an `end`; the client resumes where it was. */
  close(): void;
  /** Set to true by every write; the timer takes it back. */
  wrote: boolean;
}

/**
 * No stream lives for ever, so that one whose reader vanished without a word does not either. Spread by 20 %, so that
 * streams that began together do not come back together.
 */
const maxAgeMs = 15 * 60_000;

/** How many checks fit into one silence, so how late a heartbeat can be. */
const checksPerBeat = 8;

type Place = { quietChecks: number; remainingChecks: number };

export class LiveStreams {
  readonly #streams = new Map<LiveStream, Place>();
  readonly #checkMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(heartbeatMs: number) {
    this.#checkMs = heartbeatMs / checksPerBeat;
  }

  get size(): number {
    return this.#streams.size;
  }

  add(stream: LiveStream): void {
    const ageMs = maxAgeMs * (0.8 + Math.random() * 0.4);
    this.#streams.set(stream, { quietChecks: 0, remainingChecks: Math.ceil(ageMs / this.#checkMs) });
    this.#timer ??= setInterval(() => this.#check(), this.#checkMs);
  }

  delete(stream: LiveStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  closeAll(): void {
    for (const stream of [...this.#streams.keys()]) stream.close();
  }

  #check(): void {
    for (const [stream, place] of this.#streams) {
      place.quietChecks = stream.wrote ? 0 : place.quietChecks + 1;
      stream.wrote = false;
      place.remainingChecks -= 1;
      if (place.remainingChecks <= 0) {
        stream.close();
      } else if (place.quietChecks >= checksPerBeat - 1) {
        place.quietChecks = 0;
        stream.beat();
      }
    }
  }
}
