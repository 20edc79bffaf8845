/**
 * The logs of turns that are followed here and run elsewhere, or wait. Whatever the worker logs is fetched once for all who
 * follow the turn here. The channel only says that there is something to fetch; as what is said there may be lost, each log
 * is looked at every second as well.
 */
import { isTerminal, type LoggedEvent } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { isProblem } from "../../protocol/problems.ts";
import { eventsAfter } from "../event-log.ts";
import type { Follower, LiveTurn, LiveTurns } from "../live/live-turns.ts";
import { TurnLog } from "../live/turn-log.ts";
import { wakeChannel } from "./keys.ts";
import type { LeaseKey } from "./leases.ts";
import type { Reads } from "./reads.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** Milliseconds. */
const pollInterval = 1_000;

/** All who follow the same turn here share what is fetched of it. */
export class RemoteTurns {
  readonly #liveTurns: LiveTurns<LeaseKey>;
  readonly #reads: Reads;
  readonly #subscriptions: Subscriptions;
  readonly #turns = new Map<LiveTurn<LeaseKey>, { readonly remote: RemoteTurn; followers: number }>();

  constructor(liveTurns: LiveTurns<LeaseKey>, reads: Reads, subscriptions: Subscriptions) {
    this.#liveTurns = liveTurns;
    this.#reads = reads;
    this.#subscriptions = subscriptions;
  }

  /** Whoever acquires it releases it. */
  acquire(sessionId: string, turn: number, live: LiveTurn<LeaseKey>): RemoteTurn {
    const known = this.#turns.get(live);
    if (known !== undefined) {
      known.followers += 1;
      return known.remote;
    }
    const remote = new RemoteTurn({
      sessionId,
      turn,
      live,
      liveTurns: this.#liveTurns,
      reads: this.#reads,
      subscriptions: this.#subscriptions,
    });
    this.#turns.set(live, { remote, followers: 1 });
    return remote;
  }

  release(live: LiveTurn<LeaseKey>): void {
    const known = this.#turns.get(live);
    if (known === undefined) return;
    known.followers -= 1;
    if (known.followers > 0) return;
    this.#turns.delete(live);
    known.remote.close();
  }
}

type RemoteTurnOptions = {
  readonly sessionId: string;
  readonly turn: number;
  readonly live: LiveTurn<LeaseKey>;
  readonly liveTurns: LiveTurns<LeaseKey>;
  readonly reads: Reads;
  readonly subscriptions: Subscriptions;
};

/** Keeps the log of one turn up to date in memory, for as long as it does not run here. */
class RemoteTurn implements Follower {
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
        if (this.#isRemote) await this.#fetchNew();
      } while (this.#again);
    } catch (error) {
      const { liveTurns, sessionId } = this.#options;
      // Anything else is tried again by the next poll.
      if (isProblem(error, "session_deleted")) liveTurns.deleted(sessionId);
    }
  }

  /** All that is new, and only then shown: to whoever stands behind half of it, that half would look like a whole log. */
  async #fetchNew(): Promise<void> {
    const { live } = this.#options;
    const known = live.log;
    const { events, hasEnded } = await this.#eventsAfter(known?.head ?? emptyLogPosition);
    const isSettled = events.at(-1)?.event.type === "end";
    // The server lost what we know, and the turn was ended without it: whoever follows it begins anew.
    const isAnother = hasEnded && !isSettled;
    const whole = isAnother ? (await this.#eventsAfter(emptyLogPosition)).events : [];
    // It runs here by now, or somebody has it from elsewhere, and memory knows more.
    if (!this.#isRemote || live.log !== known) return;
    if (isAnother) {
      live.log = new TurnLog(whole);
      live.settledElsewhere();
      return;
    }
    live.log ??= new TurnLog([]);
    live.settled = isSettled;
    if (events.length > 0) live.publish(events);
  }

  async #eventsAfter(head: number): Promise<{ readonly events: readonly LoggedEvent[]; readonly hasEnded: boolean }> {
    const { reads, sessionId, turn } = this.#options;
    const events: LoggedEvent[] = [];
    for (let position = head; ; ) {
      const page = await reads.log(sessionId, turn, position);
      const later = eventsAfter(page.events, position) ?? [];
      events.push(...later);
      const last = later.at(-1);
      if (last === undefined || last.event.type === "end") return { events, hasEnded: isTerminal(page.status) };
      position = last.position;
    }
  }
}
