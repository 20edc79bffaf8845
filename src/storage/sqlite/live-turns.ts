/**
 * The turns that run in this process or are followed in it, as far as memory has to know them: who waits for the next
 * event, the newest events, and how to tell the worker to stop. All of it is a shortcut: the log in the database is the
 * truth.
 */
import type { LoggedEvent } from "../../protocol/events.ts";
import { eventsAfter } from "../event-log.ts";
import { LeaseLost, TurnStopRequested } from "../storage.ts";
import type { LeaseKey } from "./thread/turns.ts";

/** A reader that is told when there is more to read. */
export type Follower = { wake(): void };

/** Why no event will come any more, other than that the turn has ended. */
export type Loss = "deleted" | "closed";

type HeldLease = { readonly key: LeaseKey; readonly owner: string; readonly controller: AbortController };

/** When more events than this are in memory, the older half is forgotten; who still needs them reads the log. */
const longestTail = 128;

export class LiveTurn {
  readonly followers = new Set<Follower>();
  /** How many leases and followers hold on to this object. */
  references = 0;
  /** Rises whenever followers are woken, so that a reader can tell whether it missed one while it was reading. */
  wakes = 0;
  lease: HeldLease | undefined;
  settled = false;
  loss: Loss | undefined;
  /** Everything after this position is in the tail; unknown until a lease says where the log stands. */
  #tailStart = Number.POSITIVE_INFINITY;
  #tail: LoggedEvent[] = [];

  hold(key: LeaseKey, owner: string, head: number): AbortSignal {
    const controller = new AbortController();
    this.lease = { key, owner, controller };
    this.#tailStart = head;
    this.#tail = [];
    return controller.signal;
  }

  /** Makes committed events known that stand in the log after `position`. */
  publish(position: number, events: readonly LoggedEvent[]): void {
    if (position !== this.#head) {
      // An append in between was committed without our knowing: what the tail has is no longer all there is.
      this.#tail = [];
      this.#tailStart = position;
    }
    this.#tail.push(...events);
    if (this.#tail.length > longestTail) {
      const forgotten = this.#tail.splice(0, this.#tail.length - longestTail / 2);
      this.#tailStart = forgotten.at(-1)?.position ?? this.#tailStart;
    }
    this.wake();
  }

  /** The committed events after a position; undefined when memory does not know that place. */
  since(position: number): readonly LoggedEvent[] | undefined {
    if (position === this.#head) return [];
    if (position < this.#tailStart || position > this.#head) return undefined;
    // Nearly every reader is one event behind.
    const newest = this.#tail.at(-1);
    const before = this.#tail.at(-2)?.position ?? this.#tailStart;
    return newest !== undefined && position === before ? [newest] : eventsAfter(this.#tail, position);
  }

  get #head(): number {
    return this.#tail.at(-1)?.position ?? this.#tailStart;
  }

  wake(): void {
    this.wakes += 1;
    for (const follower of this.followers) follower.wake();
  }
}

export class LiveTurns {
  readonly #turns = new Map<string, Map<number, LiveTurn>>();

  /** The turn, made known if it is not. Whoever acquires it releases it. */
  acquire(sessionId: string, turn: number): LiveTurn {
    const turns = this.#turns.get(sessionId) ?? new Map<number, LiveTurn>();
    this.#turns.set(sessionId, turns);
    const live = turns.get(turn) ?? new LiveTurn();
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
  held(sessionId: string, turn: number, epoch: number): LiveTurn & { lease: HeldLease } {
    const live = this.#turns.get(sessionId)?.get(turn);
    if (live?.lease?.key.epoch !== epoch) throw new LeaseLost();
    return live as LiveTurn & { lease: HeldLease };
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

  #giveUpLease(live: LiveTurn, sessionId: string, turn: number): void {
    const { lease } = live;
    live.lease = undefined;
    lease?.controller.abort(new LeaseLost());
    live.wake();
    if (lease !== undefined) this.release(sessionId, turn);
  }

  get size(): number {
    return [...this.#turns.values()].reduce((sum, turns) => sum + turns.size, 0);
  }
}
