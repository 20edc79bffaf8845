/**
 * Counts with OpenAI's vocabulary o200k_base (GPT-4o and later) in a thread of its own, which starts with the first count
 * and not before: many services never need one.
 */
import { Worker } from "node:worker_threads";
import type { Log } from "../../log.ts";
import { estimateTokens } from "../estimate.ts";
import type { TokenCounter, TokenCounts } from "../token-counter.ts";
import type { CountReply, CountRequest } from "./messages.ts";

export type O200kCounterOptions = {
  readonly log: Pick<Log, "warn">;
  /** The thread's entry. */
  readonly thread?: URL;
  /** Milliseconds for which estimates have to do after a thread's death, because what killed it may kill the next. */
  readonly restartPauseMs?: number;
};

/**
 * UTF-16 code units that may wait to be counted, a few seconds' work. Whoever comes then is better off with an estimate
 * at once than with one after its time is up.
 */
const maxWaiting = 4 * 1024 * 1024;

/** A runaway vocabulary or text ends the thread, not the process. */
const memoryLimits = { maxOldGenerationSizeMb: 256 };

type Waiting = { readonly length: number; resolve(counts: readonly number[] | undefined): void };

const defaults = { thread: new URL("./thread.ts", import.meta.url), restartPauseMs: 30_000 };

/** Opens the counter; its thread does not run yet. */
export function openO200kCounter(options: O200kCounterOptions): TokenCounter {
  const { log, thread, restartPauseMs } = { ...defaults, ...options };
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lastId = 0;
  let waitingLength = 0;
  let restartAt = 0;
  let warned = false;
  let closed = false;

  function settle(id: number, counts: readonly number[] | undefined): void {
    const found = waiting.get(id);
    if (found === undefined) return;
    waiting.delete(id);
    waitingLength -= found.length;
    found.resolve(counts);
  }

  function bury(dead: Worker | undefined, error: unknown): void {
    if (worker !== dead) return;
    worker = undefined;
    restartAt = performance.now() + restartPauseMs;
    for (const id of [...waiting.keys()]) settle(id, undefined);
    if (closed || warned) return;
    warned = true;
    log.warn({ err: error }, "Counting tokens failed; they are estimated until it works again");
  }

  function start(): Worker {
    // Nothing of the command line or the environment (keys among it) is of use there.
    const started = new Worker(thread, { resourceLimits: memoryLimits, execArgv: [], env: {} });
    started.on("message", ({ id, counts }: CountReply) => settle(id, counts));
    started.on("error", (error) => bury(started, error));
    started.on("exit", (code) => bury(started, new Error(`The counting thread ended with code ${code}`)));
    // It has nothing that would be lost with the process.
    started.unref();
    return started;
  }

  function ask(texts: readonly string[], withinMs: number): Promise<readonly number[] | undefined> {
    return new Promise((resolve) => {
      lastId += 1;
      const id = lastId;
      const length = texts.reduce((sum, text) => sum + text.length, 0);
      // Its text still has to be counted, or at least passed over, by the thread: it goes on waiting without its caller.
      const timer = setTimeout(() => resolve(undefined), withinMs);
      const entry: Waiting = {
        length,
        resolve(counts) {
          clearTimeout(timer);
          resolve(counts);
        },
      };
      waiting.set(id, entry);
      waitingLength += length;
      try {
        worker ??= start();
        worker.postMessage({ id, texts } satisfies CountRequest);
      } catch (error) {
        bury(worker, error);
      }
    });
  }

  return {
    async count(texts, withinMs): Promise<TokenCounts> {
      const canAsk = !closed && withinMs > 0 && waitingLength < maxWaiting && performance.now() >= restartAt;
      const counts = canAsk ? await ask(texts, withinMs) : undefined;
      return counts === undefined
        ? { counts: texts.map(estimateTokens), estimated: true }
        : { counts, estimated: false };
    },

    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}
