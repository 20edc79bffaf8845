/** The turns that run in this process: starts them, takes over those of a dead one, and ends them when it goes down. */
import { setTimeout as delay } from "node:timers/promises";
import type { ToolUsed } from "../protocol/events.ts";
import { isProblem } from "../protocol/problems.ts";
import { type BegunTurn, type LapsedTurn, LeaseLost, type Spent, type TurnStore } from "../storage/storage.ts";
import type { LastEvents } from "./last-events.ts";
import type { Producer } from "./producer.ts";
import { type RecoveryPolicy, recoveryOf, resetAfterLoss } from "./recovery.ts";
import { type RunTurn, runTurn, TurnInterrupted } from "./run-turn.ts";
import { costOf } from "./turn-cost.ts";
import { TurnRecord, type TurnWatchers } from "./turn-record.ts";
import { TurnWriter } from "./turn-writer.ts";

export interface TurnEngine {
  /**
   * Runs a turn in the background, to its end, and then those of its session that waited for it.
   *
   * @param cause the place of what it is begun for, in its trace (tracer.ts)
   */
  start(begun: BegunTurn, producer: Producer, cause?: string): void;
  /**
   * Takes over every turn that a dead process left running, and begins those that waited for them, or for space on a
   * full disk; to be called at the start, and whenever the storage says that there may be more. Resolves when those that are to end have ended; what the storage refuses for now is tried again in the
   * background. While draining it leaves all of that to the next start.
   *
   * @throws Problem `storage_corrupt`: waiting will not mend that
   */
  recover(): Promise<Recovered>;
  /**
   * Waits until the running turns have ended, at most `graceMs`; then interrupts the rest, also those that start later,
   * and waits for them. What cannot be settled even then is left to the next start, as are the turns that wait.
   */
  drain(graceMs: number): Promise<void>;
  readonly running: number;
}

/** How many turns of a dead process were ended, and how many go on. */
export type Recovered = { readonly ended: number; readonly resumed: number };

/** Makes what fills a turn's log, for a turn that begins without anybody's request or was taken over. */
export interface Producers {
  /**
   * @param published text of the turn that was published before; the producer gives what comes after it
   * @param done what was done for the turn before, and must not be done again
   */
  producerOf(begun: BegunTurn, published: string, done?: readonly ToolUsed[]): Producer;
  /** What whoever had a turn before spent on it. */
  spentBefore(lapsed: LapsedTurn): Promise<Spent | undefined>;
  /** Whether a producer can go on from published text. */
  readonly goOn: boolean;
  /** Named in the `turn` event of a turn that ends before it began. */
  readonly modelName: string;
}

export type TurnEngineOptions = {
  readonly turns: TurnStore;
  readonly producers: Producers;
  readonly policy: RecoveryPolicy;
} & TurnWatchers;

/** Milliseconds until a storage that refused to settle lapsed turns is asked again. */
const retryPause = 5_000;

export function createTurnEngine(options: TurnEngineOptions): TurnEngine {
  const { turns, producers, policy, log, observer, tracer } = options;
  const watchers = { log, observer, tracer };
  const running = new Set<Promise<void>>();
  const interrupt = new AbortController();
  let draining = false;
  /** Set while the storage cannot be asked for turns of dead processes: the next try. */
  let retry: NodeJS.Timeout | undefined;
  const beginsNext = () => !draining;

  function track(work: Promise<void>): void {
    const done = work.finally(() => running.delete(done));
    running.add(done);
  }

  function start(first: Pick<RunTurn, "begun" | "producer" | "inherited" | "cause">): void {
    track(
      (async () => {
        const common = { turns, interrupt: interrupt.signal, policy, beginsNext, ...watchers };
        let next = await runTurn({ ...common, ...first });
        while (next !== undefined) {
          observer?.turnBegan("waited");
          next = await runTurn({ ...common, begun: next, producer: producers.producerOf(next, "") });
        }
      })(),
    );
  }

  function begin(begun: BegunTurn): void {
    observer?.turnBegan("waited");
    start({ begun, producer: producers.producerOf(begun, "") });
  }

  async function endLapsed(lapsed: LapsedTurn, last: LastEvents, model: string): Promise<void> {
    const record = new TurnRecord(lapsed, watchers);
    try {
      const inherited = { hasText: lapsed.text !== "", owed: resetAfterLoss(lapsed) };
      const writer = new TurnWriter(turns, lapsed, log, record, inherited);
      const spent = await costOf([() => producers.spentBefore(lapsed)], log);
      const next = await writer.settle(last, { model, giveUp: interrupt.signal, beginsNext, spent });
      if (next !== undefined) begin(next);
    } catch (error) {
      record.left("lost");
      if (!(error instanceof LeaseLost)) log.error({ err: error }, "A turn of a dead process could not be settled");
    }
  }

  /** Gives the promise of its end for a turn that is ended; one that goes on only is started. */
  function recoverOne(lapsed: LapsedTurn): Promise<void> | undefined {
    observer?.turnBegan("recovered");
    const model = lapsed.model ?? producers.modelName;
    const recovery = recoveryOf(lapsed, { policy, goesOn: producers.goOn, model });
    if ("last" in recovery) return endLapsed(lapsed, recovery.last, model);
    const { published } = recovery;
    const beginsAnew = published !== lapsed.text;
    const spent = () => producers.spentBefore(lapsed);
    const inherited = { hasText: lapsed.text !== "", owed: resetAfterLoss(lapsed), beginsAnew, spent };
    start({ begun: lapsed, producer: producers.producerOf(lapsed, published, lapsed.tools), inherited });
    return undefined;
  }

  async function recover(): Promise<Recovered> {
    // The next start finds them.
    if (draining) return { ended: 0, resumed: 0 };
    try {
      const { lapsed, begun } = await turns.claim();
      clearTimeout(retry);
      retry = undefined;
      const endings = lapsed.flatMap((turn) => recoverOne(turn) ?? []);
      for (const turn of begun) begin(turn);
      const ended = Promise.all(endings).then(() => undefined);
      track(ended);
      await Promise.race([ended, delay(retryPause, undefined, { ref: false })]);
      return { ended: endings.length, resumed: lapsed.length + begun.length - endings.length };
    } catch (error) {
      if (isProblem(error, "storage_corrupt")) throw error;
      if (retry === undefined)
        log.error({ err: error }, "The turns of dead processes could not be claimed; they are tried again");
      clearTimeout(retry);
      retry = setTimeout(recoverAgain, retryPause).unref();
      return { ended: 0, resumed: 0 };
    }
  }

  function recoverAgain(): void {
    recover().catch((error) => log.error({ err: error }, "The turns of a dead process cannot be claimed"));
  }

  return {
    recover,
    get running() {
      return running.size;
    },
    start(begun, producer, cause) {
      observer?.turnBegan("asked");
      start({ begun, producer, cause });
    },
    async drain(graceMs) {
      draining = true;
      const timer = setTimeout(() => interrupt.abort(new TurnInterrupted()), graceMs);
      while (running.size > 0) await Promise.all(running);
      clearTimeout(timer);
      interrupt.abort(new TurnInterrupted());
    },
  };
}
