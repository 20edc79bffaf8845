import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log.ts";
import type { TurnEvent } from "../protocol/events.ts";
import { positionAfter } from "../protocol/positions.ts";
import { type Lease, LeaseLost, PositionRefused, type TurnStore } from "../storage/storage.ts";
import { type LastEvents, withStart } from "./last-events.ts";

/** Milliseconds between tries to settle: the first pause, and the longest. */
const pauses = { first: 100, longest: 5_000 };

/** Writes one turn's log and knows its head. */
export class TurnWriter {
  readonly #turns: TurnStore;
  readonly #lease: Lease;
  readonly #log: Log;
  #head: number;
  #hasText = false;

  constructor(turns: TurnStore, lease: Lease, log: Log) {
    this.#turns = turns;
    this.#lease = lease;
    this.#log = log;
    this.#head = lease.head;
  }

  /** Whether any text was logged, and so seen, that no reset took back. */
  get hasText(): boolean {
    return this.#hasText;
  }

  /** @throws LeaseLost, Problem as the storage does */
  async append(event: TurnEvent): Promise<void> {
    try {
      this.#head = await this.#turns.append(this.#lease, this.#head, [event]);
    } catch (error) {
      const head = positionAfter(this.#head, event);
      if (!(error instanceof PositionRefused && error.head === head)) throw error;
      // Nobody else writes in our epoch: an append whose answer was lost has happened after all.
      this.#head = head;
    }
    if (event.type === "text") this.#hasText = true;
    else if (event.type === "reset") this.#hasText = event.text !== "";
  }

  /**
   * Every turn ends: a settling that the storage refuses for now is tried again until it is done, or until `giveUp`
   * fires; then the next start finds the turn and settles it.
   *
   * @throws LeaseLost when the turn is somebody else's by now, Problem when it was given up
   */
  async settle(events: LastEvents, model: string, giveUp: AbortSignal): Promise<void> {
    for (let pause = pauses.first; ; pause = Math.min(pause * 2, pauses.longest)) {
      try {
        return await this.#turns.settle(this.#lease, this.#head, withStart(this.#lease, this.#head, model, events));
      } catch (error) {
        if (error instanceof LeaseLost || giveUp.aborted) throw error;
        if (error instanceof PositionRefused) this.#head = error.head;
        this.#log.warn({ err: error, turn: this.#lease.turn }, "Settling a turn failed and is tried again");
        await delay(pause, undefined, { signal: giveUp }).catch(() => undefined);
      }
    }
  }
}
