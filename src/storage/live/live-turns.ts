/**
 * The turns that run in this process or are followed in it: their logs, who waits for the next event, and how to tell the
 * worker to stop. The log of a turn that runs here is whole in memory, and every event in it is committed.
 */
import type { LoggedEvent } from "../../protocol/events.ts";
import { LeaseLost, TurnStopRequested } from "../storage.ts";
import { TurnLog } from "./turn-log.ts";

/** A reader that is told when there is more to read. */
export type Follower = { wake(): void };

/** Why no event will come any more, other than that the turn has ended. */
export type Loss = "deleted" | "closed";

/** What a back end knows a lease by. */
export type LeaseKey = { readonly epoch: number };

type HeldLease<Key> = { readonly key: Key; readonly owner: string; readonly controller: AbortController };

export type HeldTurn<Key extends LeaseKey> = LiveTurn<Key> & { readonly lease: HeldLease<Key>; readonly log: TurnLog };

export class LiveTurn<Key extends LeaseKey = LeaseKey> {
  readonly followers = new Set<Follower>();
  /** How many leases and followers hold on to this object. */
  references = 0;
  /** Rises whenever followers are woken, so that a reader can tell whether it missed one while it was reading. */
  wakes = 0;
  lease: HeldLease<Key> | undefined;
  /** Known from when a lease is held here until that is lost; of a settled turn as long as anybody holds on to this object. */
  log: TurnLog | undefined;
  settled = false;
  loss: Loss | undefined;

  hold(key: Key, owner: string, log: readonly LoggedEvent[]): AbortSignal {
    const controller = new AbortController();
    this.lease = { key, owner, controller };
    this.log = new TurnLog(log);
    // Its end may have been seen, and then been lost by the server.
    this.settled = false;
    this.wake();
    return controller.signal;
  }

  /** The turn has ended, and its log is read from where it is stored. */
  settledElsewhere(): void {
    this.settled = true;
    this.wake();
  }

  /** Makes committed events known. */
  publish(events: readonly LoggedEvent[]): void {
    this.log?.append(events);
    this.wake();
  }

  wake(): void {
    this.wakes += 1;
    for (const follower of this.followers) follower.wake();
  }
}

export class LiveTurns<Key extends LeaseKey = LeaseKey> {
  readonly #turns = new Map<string, Map<number, LiveTurn<Key>>>();

  /** The turn, made known if it is not. Whoever acquires it releases it. */
  acquire(sessionId: string, turn: number): LiveTurn<Key> {
    const turns = this.#turns.get(sessionId) ?? new Map<number, LiveTurn<Key>>();
    this.#turns.set(sessionId, turns);
    const live = turns.get(turn) ?? new LiveTurn<Key>();
    turns.set(turn, live);
    live.references += 1;
    return live;
  }

  release(sessionId: string, turn: number): void {
    const turns = this.#turns.get(sessionId);
    const live = turns?.get(turn);
    if (turns === undefined || live === undefined) return;
    live.references -= 1;
    if (live.references > 0) return;
    turns.delete(turn);
    if (turns.size === 0) this.#turns.delete(sessionId);
  }

  /** The turn whose lease this process holds in that epoch. */
  held(sessionId: string, turn: number, epoch: number): HeldTurn<Key> {
    const live = this.#turns.get(sessionId)?.get(turn);
    if (live?.lease?.key.epoch !== epoch) throw new LeaseLost();
    return live as HeldTurn<Key>;
  }

  /** The log of a turn that runs here. */
  runningLog(sessionId: string, turn: number): TurnLog | undefined {
    const live = this.#turns.get(sessionId)?.get(turn);
    return live?.lease === undefined ? undefined : live.log;
  }

  /** Tells the worker of a turn to stop, if it is of this process. */
  stop(sessionId: string, turn: number): void {
    this.#turns.get(sessionId)?.get(turn)?.lease?.controller.abort(new TurnStopRequested());
  }

  /** The turn is settled: its lease is over. */
  settled(sessionId: string, turn: number): void {
    const live = this.#turns.get(sessionId)?.get(turn);
    if (live?.lease === undefined) return;
    live.settled = true;
    live.lease = undefined;
    live.wake();
    this.release(sessionId, turn);
  }

  /** The turn ended without ever having had a lease: its log is in the tables. */
  settledWithoutLease(sessionId: string, turn: number): void {
    this.#turns.get(sessionId)?.get(turn)?.settledElsewhere();
  }

  /** The lease of that epoch turned out to be lost; the turn itself may go on elsewhere. */
  leaseLost(sessionId: string, turn: number, epoch: number): void {
    const live = this.#turns.get(sessionId)?.get(turn);
    if (live?.lease?.key.epoch === epoch) this.#giveUpLease(live, sessionId, turn);
  }

  /** A session is deleted, with all of its turns. */
  deleted(sessionId: string): void {
    for (const turn of [...(this.#turns.get(sessionId)?.keys() ?? [])]) this.#gone(sessionId, turn, "deleted");
  }

  /** The storage closes under all of them. */
  closed(): void {
    for (const [sessionId, turns] of [...this.#turns]) {
      for (const turn of [...turns.keys()]) this.#gone(sessionId, turn, "closed");
    }
  }

  #gone(sessionId: string, turn: number, loss: Loss): void {
    const live = this.#turns.get(sessionId)?.get(turn);
    if (live === undefined) return;
    live.loss = loss;
    this.#giveUpLease(live, sessionId, turn);
  }

  #giveUpLease(live: LiveTurn<Key>, sessionId: string, turn: number): void {
    const { lease } = live;
    live.lease = undefined;
    // From here on somebody else may write it, so only what is stored tells how it goes on.
    live.log = undefined;
    lease?.controller.abort(new LeaseLost());
    live.wake();
    if (lease !== undefined) this.release(sessionId, turn);
  }

  /** Every lease that this process holds. */
  *leases(): Iterable<{ readonly sessionId: string; readonly turn: number; readonly key: Key }> {
    for (const [sessionId, turns] of this.#turns) {
      for (const [turn, { lease }] of turns) if (lease !== undefined) yield { sessionId, turn, key: lease.key };
    }
  }

  /** Whether a turn of that session runs here. */
  runsIn(sessionId: string): boolean {
    return [...(this.#turns.get(sessionId)?.values() ?? [])].some(({ lease }) => lease !== undefined);
  }

  get size(): number {
    return [...this.#turns.values()].reduce((sum, turns) => sum + turns.size, 0);
  }
}
