/** The turns that run in this process: starts them, takes over those of a dead one, and ends them when it goes down. */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log.ts";
import { isProblem } from "../protocol/problems.ts";
import { type LapsedTurn, type Lease, LeaseLost, type TurnStore } from "../storage/storage.ts";
import { eventsAfterLapse } from "./last-events.ts";
import type { Producer } from "./producer.ts";
import { runTurn, TurnInterrupted } from "./run-turn.ts";
import { TurnWriter } from "./turn-writer.ts";

export interface TurnEngine {
  /** Runs an accepted turn in the background, to its end. */
  start(lease: Lease, producer: Producer): void;
  /**
   * Settles every turn that a dead process left running, as `stopped` or `interrupted`. What the storage refuses for
   * now is tried again in the background. Gives how many there were.
   *
   * @throws Problem `storage_corrupt`: waiting will not mend that
   */
  settleLapsed(): Promise<number>;
  /**
   * Waits until the running turns have ended, at most `graceMs`; then interrupts the rest, also those that start later,
   * and waits for them. What cannot be settled even then is left to the next start.
   */
  drain(graceMs: number): Promise<void>;
  readonly running: number;
}

export type TurnEngineOptions = {
  readonly turns: TurnStore;
  /** Named in the `turn` event of a lapsed turn that never got one. */
  readonly modelName: () => string;
  readonly log: Log;
};

/** Milliseconds until a storage that refused to settle lapsed turns is asked again. */
const retryPause = 5_000;

export function createTurnEngine({ turns, modelName, log }: TurnEngineOptions): TurnEngine {
  const running = new Set<Promise<void>>();
  const interrupt = new AbortController();

  function track(work: Promise<void>): void {
    const done = work.finally(() => running.delete(done));
    running.add(done);
  }

  async function settleLapsedTurn(lapsed: LapsedTurn): Promise<void> {
    const model = lapsed.model ?? modelName();
    try {
      const writer = new TurnWriter(turns, lapsed.lease, log);
      await writer.settle(eventsAfterLapse(lapsed, model), model, interrupt.signal);
    } catch (error) {
      if (!(error instanceof LeaseLost)) log.error({ err: error }, "A turn of a dead process could not be settled");
    }
  }

  async function settleLapsed(): Promise<number> {
    try {
      const lapsed = await turns.claimLapsed();
      const settling = Promise.all(lapsed.map(settleLapsedTurn)).then(() => undefined);
      track(settling);
      await Promise.race([settling, delay(retryPause, undefined, { ref: false })]);
      return lapsed.length;
    } catch (error) {
      if (isProblem(error, "storage_corrupt")) throw error;
      log.error({ err: error }, "The turns of a dead process could not be claimed; they are tried again");
      setTimeout(() => void settleLapsed().catch(() => undefined), retryPause).unref();
      return 0;
    }
  }

  return {
    settleLapsed,
    get running() {
      return running.size;
    },
    start(lease, producer) {
      track(runTurn({ turns, lease, producer, interrupt: interrupt.signal, log }));
    },
    async drain(graceMs) {
      const timer = setTimeout(() => interrupt.abort(new TurnInterrupted()), graceMs);
      while (running.size > 0) await Promise.all(running);
      clearTimeout(timer);
      interrupt.abort(new TurnInterrupted());
    },
  };
}
