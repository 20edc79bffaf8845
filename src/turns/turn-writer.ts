import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log.ts";
import type { TurnEvent } from "../protocol/events.ts";
import { emptyLogPosition, positionAfter } from "../protocol/positions.ts";
import { type BegunTurn, LeaseLost, PositionRefused, type Spent, type TurnStore } from "../storage/storage.ts";
import { type LastEvents, turnStarted } from "./last-events.ts";
import type { TurnRecord } from "./turn-record.ts";

/** Milliseconds between tries to settle: the first pause, and the longest. */
const pauses = { first: 100, longest: 5_000 };

/** What a worker knows of a turn that another had before. */
export type Inherited = {
  /** Whether the log has text already. */
  readonly hasText: boolean;
  /** What has to be logged before anything else. */
  readonly owed: readonly TurnEvent[];
};

type SettleTurn = {
  readonly model: string;
  readonly giveUp: AbortSignal;
  readonly beginsNext: () => boolean;
  readonly spent: Spent | undefined;
};

/** Writes one turn's log and knows its head. */
export class TurnWriter {
  readonly #turns: TurnStore;
  readonly #begun: BegunTurn;
  readonly #log: Log;
  readonly #record: TurnRecord;
  #head: number;
  #hasText: boolean;
  #owed: readonly TurnEvent[];

  constructor(
    turns: TurnStore,
    begun: BegunTurn,
    log: Log,
    record: TurnRecord,
    { hasText, owed }: Inherited = { hasText: false, owed: [] },
  ) {
    this.#turns = turns;
    this.#begun = begun;
    this.#log = log;
    this.#record = record;
    this.#head = begun.lease.head;
    this.#hasText = hasText;
    this.#owed = owed;
  }

  /** Nothing has been logged yet, not even that the turn began. */
  get isEmpty(): boolean {
    return this.#head === emptyLogPosition;
  }

  /** Whether any text was logged, and so seen, that no reset took back. */
  get hasText(): boolean {
    return this.#hasText;
  }

  /**
   * Logs all of the events or none, so that nobody ever sees the log between them.
   *
   * @throws LeaseLost, Problem as the storage does
   */
  async append(...added: readonly TurnEvent[]): Promise<void> {
    const events = this.#owed.length === 0 ? added : this.#withOwed(added);
    try {
      this.#head = await this.#turns.append(this.#begun.lease, this.#head, events);
    } catch (error) {
      const head = events.reduce(positionAfter, this.#head);
      if (!(error instanceof PositionRefused && error.head === head)) throw error;
      // Nobody else writes in our epoch: an append whose answer was lost has happened after all.
      this.#head = head;
    }
    this.#owed = [];
    for (const event of added) {
      if (event.type === "text") {
        this.#hasText = true;
        this.#record.textLogged(event.text.length);
      } else if (event.type === "reset") this.#hasText = event.text !== "";
      else if (event.type === "tool") this.#record.toolLogged();
    }
  }

  /** Behind the `turn` event, which is the first of every log. */
  #withOwed<Events extends readonly TurnEvent[]>(events: Events): Events {
    const start = events[0]?.type === "turn" ? 1 : 0;
    return [...events.slice(0, start), ...this.#owed, ...events.slice(start)] as unknown as Events;
  }

  /**
   * Every turn ends: a settling that the storage refuses for now is tried again until it is done, or until `giveUp`
   * fires; then the next start finds the turn and settles it. Gives the session's next turn, if one waited for this end.
   *
   * @param beginsNext asked at each try
   * @throws LeaseLost when the turn is somebody else's by now, Problem when it was given up
   */
  async settle(events: LastEvents, { model, giveUp, beginsNext, spent }: SettleTurn): Promise<BegunTurn | undefined> {
    const { lease } = this.#begun;
    for (let pause = pauses.first; ; pause = Math.min(pause * 2, pauses.longest)) {
      try {
        // Also the log of a turn that ended before it began has a first event.
        const last: LastEvents = this.isEmpty ? [turnStarted(this.#begun, model), ...events] : events;
        const next = await this.#turns.settle(lease, this.#head, this.#withOwed(last), {
          beginNext: beginsNext(),
          spent,
        });
        this.#record.ended(last);
        return next;
      } catch (error) {
        if (error instanceof LeaseLost || giveUp.aborted) throw error;
        if (error instanceof PositionRefused) this.#head = error.head;
        this.#log.warn({ err: error, turn: lease.turn }, "Settling a turn failed and is tried again");
        await delay(pause, undefined, { signal: giveUp }).catch(() => undefined);
      }
    }
  }
}
