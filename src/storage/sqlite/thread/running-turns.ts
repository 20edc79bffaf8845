/**
 * The turns that run, as the one thread that writes knows them, so that logging a piece of text needs no look into the
 * tables. A change counts at once, as what follows in the same transaction builds on it, and is taken back when that
 * transaction fails.
 */
import { type BegunTurn, LeaseLost, PositionRefused } from "../../storage.ts";
import type { TurnKey } from "./events.ts";
import type { Whose } from "./usage.ts";

/** A lease as the thread knows it. */
export type LeaseKey = TurnKey & { readonly epoch: number };

/** A turn that runs from now on, as its worker is told of it. */
export type Begun = LeaseKey & Omit<BegunTurn, "lease">;

type RunningTurn = {
  readonly turn: number;
  readonly epoch: number;
  /** Stands for the owner and the username of its session. */
  readonly whose: string;
  readonly head: number;
  /** The first row of the journal that holds something of this turn. */
  readonly firstRow: number | undefined;
};

export class RunningTurns {
  /** By the session's key: a session has at most one running turn. */
  readonly #turns = new Map<number, RunningTurn>();
  readonly #countOf = new Map<string, number>();
  /** What the transaction under way has changed, as it was before. */
  readonly #changed: [session: number, before: RunningTurn | undefined][] = [];

  get size(): number {
    return this.#turns.size;
  }

  /** How many turns of one owner's username run. */
  count(whose: Whose): number {
    return this.#countOf.get(nameOf(whose)) ?? 0;
  }

  /** A worker took the turn, whose log stands at `head` in the tables. */
  add({ key, turn, epoch }: LeaseKey, head: number, whose: Whose): void {
    this.#change(key, { turn, epoch, whose: nameOf(whose), head, firstRow: undefined });
  }

  /** @throws LeaseLost */
  checkHeld(lease: LeaseKey): void {
    this.#ofLease(lease);
  }

  /** @throws LeaseLost, PositionRefused */
  check(lease: LeaseKey, position: number): void {
    this.#held(lease, position);
  }

  /**
   * The turn's log grew to `head`, by an entry in that row of the journal.
   *
   * @throws LeaseLost, PositionRefused
   */
  advance(lease: LeaseKey, position: number, head: number, row: number): void {
    const { turn, epoch, whose, firstRow = row } = this.#held(lease, position);
    this.#change(lease.key, { turn, epoch, whose, head, firstRow });
  }

  /** The session's running turn has ended, or is gone. */
  remove(session: number): void {
    if (this.#turns.has(session)) this.#change(session, undefined);
  }

  /** Everything that was logged so far is in the tables. */
  leaveJournal(): void {
    for (const [session, running] of this.#turns) this.#change(session, { ...running, firstRow: undefined });
  }

  /** The first row of the journal that a running turn needs; infinite when none does. */
  oldestRow(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { firstRow } of this.#turns.values()) oldest = Math.min(oldest, firstRow ?? oldest);
    return oldest;
  }

  /** A place in the transaction under way, to roll back to. */
  savepoint(): number {
    return this.#changed.length;
  }

  commit(): void {
    this.#changed.length = 0;
  }

  rollBack(savepoint = 0): void {
    for (const [session, before] of this.#changed.splice(savepoint).reverse()) this.#set(session, before);
  }

  #held(lease: LeaseKey, position: number): RunningTurn {
    const running = this.#ofLease(lease);
    if (running.head !== position) throw new PositionRefused(running.head);
    return running;
  }

  #ofLease({ key, turn, epoch }: LeaseKey): RunningTurn {
    const running = this.#turns.get(key);
    if (running?.turn !== turn || running.epoch !== epoch) throw new LeaseLost();
    return running;
  }

  #change(session: number, running: RunningTurn | undefined): void {
    this.#changed.push([session, this.#turns.get(session)]);
    this.#set(session, running);
  }

  #set(session: number, running: RunningTurn | undefined): void {
    const before = this.#turns.get(session);
    if (before?.whose !== running?.whose) {
      if (before !== undefined) this.#add(before.whose, -1);
      if (running !== undefined) this.#add(running.whose, 1);
    }
    if (running === undefined) this.#turns.delete(session);
    else this.#turns.set(session, running);
  }
  #add(whose: string, change: number): void {
    const count = (this.#countOf.get(whose) ?? 0) + change;
    if (count === 0) this.#countOf.delete(whose);
    else this.#countOf.set(whose, count);
  }
}

/** Neither of the two can hold a NUL. */
function nameOf({ owner, username }: Whose): string {
  return `${owner}\0${username}`;
}
