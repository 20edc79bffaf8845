/**
 * Whether the process has more to do than it can: then new turns are refused before anything of them is read or stored,
 * so that those that run, their followers and stops go on at their pace. What is measured is looked at once a second, so
 * a request pays for a look at a field.
 */
import type { Log } from "../log.ts";
import type { Observer } from "../observer.ts";
import { Problem } from "../protocol/problems.ts";

/** What there is too much of. */
export type OverloadReason = "event_loop" | "memory" | "descriptors" | "storage";

/** What the process can tell about its load. */
export interface LoadGauges {
  /** By how much the event loop came late since this was asked last: the 99th percentile, in milliseconds. */
  takeLoopDelay(): number;
  /** How much of its greatest size the heap has, from 0 to 1. */
  heapShare(): number;
  /** How many of the file descriptors that the process may have are open, from 0 to 1. */
  descriptorShare(): number;
  /** How many more connections there may be. */
  freeConnections(): number;
  /** How long the oldest write has waited for the storage, in milliseconds. */
  storageBacklog(): number;
  stop(): void;
}

export const overloadLimits = {
  loopDelayMs: 200,
  heapShare: 0.85,
  descriptorShare: 0.9,
  /** Kept for stops, health and whoever only reads: streams get none of the last so many. */
  connectionReserve: 100,
  storageBacklogMs: 2_000,
} as const;

const sampleMs = 1_000;

/** The event loop has to be late in so many samples, one after the other: a burst that is over in a moment is no overload. */
const lateSamples = 5;

/** Spread, so that those who were refused together do not come back together. */
const retryAfterSeconds = { shortest: 3, longest: 8 };

export class Overload {
  readonly #gauges: LoadGauges;
  readonly #connectionReserve: number;
  readonly #log: Log;
  readonly #observer: Observer | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #sampled = new Set<OverloadReason>();
  /** How many samples in a row say of the event loop what `#sampled` does not say yet. */
  #loopSamples = 0;
  #logged = "";

  /** @param mostConnections how many connections there may be; where that is few, half of them are the reserve */
  constructor(
    gauges: LoadGauges,
    mostConnections: number,
    { log, observer }: { readonly log: Log; readonly observer?: Observer | undefined },
  ) {
    this.#gauges = gauges;
    this.#connectionReserve = Math.min(overloadLimits.connectionReserve, mostConnections / 2);
    this.#log = log;
    this.#observer = observer;
    this.#timer = setInterval(() => this.#sample(), sampleMs).unref();
  }

  /** Empty while there is no overload. */
  get reasons(): readonly OverloadReason[] {
    const now: OverloadReason[] = [...this.#sampled];
    if (this.#storageIsBehind) now.push("storage");
    if (!now.includes("descriptors") && this.#connectionsRunOut) now.push("descriptors");
    return now;
  }

  /** @throws Problem `overloaded` while the service cannot take new work */
  refuseWork(): void {
    if (this.#sampled.size === 0 && !this.#storageIsBehind && !this.#connectionsRunOut) return;
    throw refusal("The service has more to do than it can and takes nothing new right now.");
  }

  /** @throws Problem `overloaded` while one more connection that stays open would take what stops need */
  refuseStream(): void {
    if (!this.#sampled.has("descriptors") && !this.#connectionsRunOut) return;
    throw refusal("The service has too many open connections to begin another stream right now.");
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#gauges.stop();
  }

  get #storageIsBehind(): boolean {
    return this.#gauges.storageBacklog() > overloadLimits.storageBacklogMs;
  }

  get #connectionsRunOut(): boolean {
    return this.#gauges.freeConnections() < this.#connectionReserve;
  }

  #sample(): void {
    const loopDelay = this.#gauges.takeLoopDelay();
    this.#observer?.loopDelayed(loopDelay);
    this.#sampleLoop(loopDelay > overloadLimits.loopDelayMs);
    this.#set("memory", this.#gauges.heapShare() > overloadLimits.heapShare);
    this.#set("descriptors", this.#gauges.descriptorShare() > overloadLimits.descriptorShare);
    this.#logChange();
  }

  #sampleLoop(isLate: boolean): void {
    this.#loopSamples = isLate === this.#sampled.has("event_loop") ? 0 : this.#loopSamples + 1;
    if (this.#loopSamples < lateSamples) return;
    this.#loopSamples = 0;
    this.#set("event_loop", isLate);
  }

  #set(reason: OverloadReason, isOver: boolean): void {
    if (isOver) this.#sampled.add(reason);
    else this.#sampled.delete(reason);
  }

  #logChange(): void {
    const { reasons } = this;
    const sorted = [...reasons].sort().join(", ");
    if (sorted === this.#logged) return;
    this.#logged = sorted;
    if (sorted === "") this.#log.info({}, "No longer overloaded: new turns are taken again");
    else this.#log.warn({ reasons }, "Overloaded: new turns are refused; those that run go on");
  }
}

function refusal(detail: string): Problem {
  const { shortest, longest } = retryAfterSeconds;
  return new Problem("overloaded", detail, { retryAfterSeconds: shortest + Math.random() * (longest - shortest) });
}
