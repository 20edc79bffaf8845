/** The turns that run in this process: starts them, takes over those of a dead one, and ends them when it goes down. */
import type { Log } from "../log.ts";
import { type LapsedTurn, type Lease, LeaseLost, type TurnStore } from "../storage/storage.ts";
import { eventsAfterInterruption, withStart } from "./last-events.ts";
import type { Producer } from "./producer.ts";
import { runTurn, TurnInterrupted } from "./run-turn.ts";

export interface TurnEngine {
  /** Runs an accepted turn in the background, to its end. */
  start(lease: Lease, producer: Producer): void;
  /** Settles every turn that a dead process left running as `interrupted`; gives how many there were. */
  settleLapsed(): Promise<number>;
  /** Waits until the running turns have ended, at most `graceMs`; then interrupts the rest and waits for them. */
  drain(graceMs: number): Promise<void>;
  readonly running: number;
}

export type TurnEngineOptions = {
  readonly turns: TurnStore;
  /** Named in the `turn` event of a lapsed turn that never got one. */
  readonly modelName: () => string;
  readonly log: Log;
};

export function createTurnEngine({ turns, modelName, log }: TurnEngineOptions): TurnEngine {
  const running = new Map<Promise<void>, AbortController>();

  async function settleAsInterrupted({ lease, model }: LapsedTurn): Promise<void> {
    const name = model ?? modelName();
    try {
      await turns.settle(lease, lease.head, withStart(lease, lease.head, name, eventsAfterInterruption(name)));
    } catch (error) {
      if (!(error instanceof LeaseLost)) throw error;
    }
  }

  return {
    get running() {
      return running.size;
    },
    start(lease, producer) {
      const interrupt = new AbortController();
      const done = runTurn({ turns, lease, producer, interrupt: interrupt.signal, log }).finally(() =>
        running.delete(done),
      );
      running.set(done, interrupt);
    },
    async settleLapsed() {
      const lapsed = await turns.claimLapsed();
      await Promise.all(lapsed.map(settleAsInterrupted));
      return lapsed.length;
    },
    async drain(graceMs) {
      const timer = setTimeout(() => {
        for (const interrupt of running.values()) interrupt.abort(new TurnInterrupted());
      }, graceMs);
      while (running.size > 0) await Promise.all(running.keys());
      clearTimeout(timer);
    },
  };
}
