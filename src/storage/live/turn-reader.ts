/**
 * A reader's way through a turn's log: from where it stands to the `end`, across the hand-over from stored to live.
 *
 * There is no hand-over to get wrong: the reader only has a position. Each step takes what memory or the storage hold
 * after that position, or else waits to be woken. A slow reader costs nobody anything, as nothing is
 * queued for it.
 */
import type { LoggedEvent } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { Problem } from "../../protocol/problems.ts";
import { sessionDeleted } from "../../protocol/refusals.ts";
import { splitLongText, type TextSoFar, textSoFar } from "../event-log.ts";
import type { EventFeed, TakeEvents } from "../storage.ts";
import type { Follower, LiveTurn } from "./live-turns.ts";

/** UTF-16 code units. */
const longestPiece = 8 * 1024;

type Step = IteratorResult<readonly LoggedEvent[], undefined>;

/** A turn's log as the back end has stored it. */
export type StoredLog = {
  /** The next events after a position, as many as are wanted at a time; undefined for one that is no place in the log. */
  after(position: number): Promise<readonly LoggedEvent[] | undefined>;
  textSoFar(): Promise<TextSoFar>;
};

export type TurnReaderOptions = {
  readonly stored: StoredLog;
  readonly live: LiveTurn;
  /** Where the reader stands; undefined when its position is no place in the log and it has to begin anew. */
  readonly after: number | undefined;
  readonly signal: AbortSignal;
  readonly onDone: () => void;
};

export class TurnReader implements AsyncIterableIterator<readonly LoggedEvent[], undefined>, EventFeed, Follower {
  readonly #options: TurnReaderOptions;
  #position: number | undefined;
  #ended = false;
  #finished = false;
  #resume: (() => void) | undefined;
  /** Set while every wake is a delivery. */
  #take: TakeEvents | undefined;
  /** What the last delivery gave. */
  #wanted: boolean | Promise<boolean> = true;
  readonly #onAbort = () => this.#finish();

  constructor(options: TurnReaderOptions) {
    this.#options = options;
    this.#position = options.after;
    options.live.followers.add(this);
    options.signal.addEventListener("abort", this.#onAbort);
    if (options.signal.aborted) this.#finish();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  wake(): void {
    if (this.#take !== undefined && this.#isDelivered(this.#take)) return;
    this.#take = undefined;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  async next(): Promise<Step> {
    const value = await this.#nextEvents(() => this.#woken());
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async deliver(take: TakeEvents): Promise<void> {
    try {
      for (;;) {
        const events = await this.#nextEvents(() => this.#deliverWhatComes(take));
        if (events === undefined || !(await take(events))) return;
      }
    } finally {
      this.#finish();
    }
  }

  /** The events after our position, as soon as there are any; undefined when there will be no more. */
  async #nextEvents(wait: () => Promise<void>): Promise<readonly LoggedEvent[] | undefined> {
    const { live } = this.#options;
    try {
      while (!this.#ended) {
        const { wakes, settled } = live;
        const events = await this.#more();
        // Finished while the log was read: nobody wants it any more.
        if (this.#finished) break;
        if (events.length > 0) return this.#give(events);
        if (live.loss === "closed") throw new Problem("storage_unavailable", "The storage is closed.");
        // All of a settled log was there before it was read: nothing after our position means that it is gone.
        if (live.loss === "deleted" || settled) throw sessionDeleted();
        if (live.wakes === wakes) await wait();
      }
    } catch (error) {
      this.#finish();
      throw error;
    }
    this.#finish();
    return undefined;
  }

  /** Delivers what comes into memory, until that is not enough: the log has ended, or `take` needs time or had enough. */
  async #deliverWhatComes(take: TakeEvents): Promise<void> {
    this.#take = take;
    await this.#woken();
    const wanted = this.#wanted;
    this.#wanted = true;
    if (!(await wanted)) this.#finish();
  }

  #isDelivered(take: TakeEvents): boolean {
    const events = this.#position === undefined ? undefined : this.#options.live.log?.since(this.#position);
    if (events === undefined || events.length === 0) return false;
    try {
      this.#wanted = take(this.#give(events));
    } catch (error) {
      this.#wanted = Promise.reject(error);
    }
    return this.#wanted === true && !this.#ended;
  }

  async return(): Promise<Step> {
    this.#finish();
    return { done: true, value: undefined };
  }

  /** The events after our position, none when there are none yet; from memory, or where the turn is not known there from what is stored. */
  #more(): readonly LoggedEvent[] | Promise<readonly LoggedEvent[]> {
    const { log } = this.#options.live;
    if (log === undefined) return this.#readStored();
    const events = this.#position === undefined ? undefined : log.since(this.#position);
    return events ?? resetTo(textSoFar(log.whole()));
  }

  async #readStored(): Promise<readonly LoggedEvent[]> {
    const { stored } = this.#options;
    const events = this.#position === undefined ? undefined : await stored.after(this.#position);
    return events ?? resetTo(await stored.textSoFar());
  }

  #give(events: readonly LoggedEvent[]): readonly LoggedEvent[] {
    const last = events.at(-1);
    this.#position = last?.position;
    this.#ended = last?.event.type === "end";
    return splitLongText(events, longestPiece);
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#ended = true;
    const { live, signal, onDone } = this.#options;
    live.followers.delete(this);
    signal.removeEventListener("abort", this.#onAbort);
    onDone();
    this.wake();
  }
}

/** For a reader whose position is no place in the log, as where it is between the halves of a character. */
function resetTo({ text, position }: TextSoFar): readonly LoggedEvent[] {
  if (position === emptyLogPosition) return [];
  return [{ position, event: { type: "reset", text, reason: "position_not_in_log" } }];
}

/** For whoever has everything already. */
export function nothing(): EventFeed {
  return { async *[Symbol.asyncIterator]() {}, deliver: async () => undefined };
}
