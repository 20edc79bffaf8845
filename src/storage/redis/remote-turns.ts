/**
 * The logs of turns that are followed here and run elsewhere, or wait. Whatever the worker logs is fetched once for all who
 * follow the turn here. The channel only says that there is something to fetch; as what is said there may be lost, each log
 * is looked at every second as well.
 */

import { emptyLogPosition } from "../../protocol/positions.ts";
import { isProblem } from "../../protocol/problems.ts";
import { eventsAfter } from "../event-log.ts";
import type { Follower, LiveTurn, LiveTurns } from "../live/live-turns.ts";
import { TurnLog } from "../live/turn-log.ts";
import { wakeChannel } from "./keys.ts";
import type { Reads } from "./reads.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Milliseconds. */
const pollInterval = 1_000;

export type RemoteTurnOptions = {
  readonly sessionId: string;
  readonly turn: number;
  readonly live: LiveTurn;
  readonly liveTurns: LiveTurns;
  readonly reads: Reads;
  readonly subscriptions: Subscriptions;
};

/** Keeps the log of one turn up to date in memory, for as long as it does not run here. */
export class RemoteTurn implements Follower {
  readonly #options: RemoteTurnOptions;
  readonly #onWake = () => void this.#fetch();
  #poll: NodeJS.Timeout | undefined;
  #fetching: Promise<void> | undefined;
  /** Something happened while a fetch was under way. */
  #again = false;
  #closed = false;

  constructor(options: RemoteTurnOptions) {
    this.#options = options;
    options.live.followers.add(this);
    this.wake();
  }

  /** The turn's worker may have changed. */
  wake(): void {
    const { live } = this.#options;
    if (this.#isRemote && this.#poll === undefined) this.#watch();
    else if (!this.#isRemote && this.#poll !== undefined) this.#unwatch();
    if (live.loss !== undefined) this.close();
  }

  /** Resolves when what was logged before is in memory, if that is where it is read from, or the server cannot be asked. */
  async isUpToDate(): Promise<void> {
    if (this.#isRemote) await this.#fetch();
  }

  #fetch(): Promise<void> {
    if (this.#fetching !== undefined) {
      this.#again = true;
      return this.#fetching;
    }
    this.#fetching = this.#fetchAll().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  close(): void {
    this.#closed = true;
    this.#options.live.followers.delete(this);
    this.#unwatch();
  }

  get #isRemote(): boolean {
    const { lease, settled, loss } = this.#options.live;
    return !this.#closed && lease === undefined && !settled && loss === undefined;
  }

  #watch(): void {
    const { subscriptions, sessionId } = this.#options;
    this.#poll = setInterval(this.#onWake, pollInterval).unref();
    subscriptions.add(wakeChannel(sessionId), this.#onWake);
    this.#onWake();
  }

  #unwatch(): void {
    if (this.#poll === undefined) return;
    const { subscriptions, sessionId } = this.#options;
    clearInterval(this.#poll);
    this.#poll = undefined;
    subscriptions.remove(wakeChannel(sessionId), this.#onWake);
  }

  async #fetchAll(): Promise<void> {
    try {
      do {
        this.#again = false;
        while (this.#isRemote && (await this.#fetchPage())) {
          // There may be more.
        }
      } while (this.#again);
    } catch (error) {
      const { liveTurns, sessionId } = this.#options;
      // Anything else is tried again by the next poll.
      if (isProblem(error, "session_deleted")) liveTurns.deleted(sessionId);
    }
  }

  /** Gives whether anything new was there. */
  async #fetchPage(): Promise<boolean> {
    const { live, reads, sessionId, turn } = this.#options;
    const after = live.log?.head ?? emptyLogPosition;
    const { events } = await reads.log(sessionId, turn, after);
    // It runs here by now, and memory knows more.
    if (!this.#isRemote || (live.log?.head ?? emptyLogPosition) !== after) return false;
    const later = eventsAfter(events, after) ?? [];
    if (live.log === undefined) live.log = new TurnLog([]);
    const isEnded = later.at(-1)?.event.type === "end";
    if (isEnded) live.settled = true;
    if (later.length > 0) live.publish(later);
    return later.length > 0 && !isEnded;
  }
}
