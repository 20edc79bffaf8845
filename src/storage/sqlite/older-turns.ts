/**
 * Has turns indexed that a database had before there was an index, a few at a time in the background: it goes on where
 * the last process left, and holds nobody up. What is not indexed yet is not found yet.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log.ts";
import type { Database } from "./database.ts";

/** Milliseconds between two steps, each of which keeps the writer for 5 ms; and until the next try after a failure. */
const pauses = { step: 20, failure: 60_000 };

export class OlderTurns {
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(database: Database, log: Log | undefined) {
    this.#done = this.#indexAll(database, log);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #indexAll(database: Database, log: Log | undefined): Promise<void> {
    for (let more = true; more && !this.#stop.signal.aborted; ) {
      let pause = pauses.step;
      try {
        more = (await database.read("awaitsIndexing", {})) && (await database.write("indexOlder", {}));
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        log?.warn({ err: error }, "Older turns could not be made searchable; they are tried again");
        pause = pauses.failure;
      }
      if (more) await delay(pause, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
    }
  }
}
