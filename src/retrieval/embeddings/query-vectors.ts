/** The vectors of what is searched for. A search waits little for them, and for a server that failed not at all. */
import type { Log } from "../../log.ts";
import { type EmbeddingServer, embed } from "./client.ts";

type Times = {
  /** How long a search waits, in milliseconds. */
  readonly patience: number;
  /** How long a server that failed is not asked, in milliseconds. */
  readonly pause: number;
};

const defaultTimes: Times = { patience: 2_000, pause: 30_000 };

export class QueryVectors {
  readonly #server: EmbeddingServer;
  readonly #log: Log;
  readonly #times: Times;
  /** On the clock of `performance.now()`. */
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(server: EmbeddingServer, log: Log, times: Times = defaultTimes) {
    this.#server = server;
    this.#log = log;
    this.#times = times;
  }

  get model(): string {
    return this.#server.model;
  }

  /** Undefined where there is none in time. Rejects only when `signal` fires, with its reason. */
  async of(query: string, signal: AbortSignal | undefined): Promise<Float32Array | undefined> {
    if (performance.now() < this.#pausedUntil) return undefined;
    const ending = new AbortController();
    const end = () => ending.abort(signal?.reason);
    const timer = setTimeout(
      () => ending.abort(new Error("The server of embeddings takes too long")),
      this.#times.patience,
    );
    signal?.addEventListener("abort", end, { once: true });
    try {
      const [vector] = await embed(this.#server, [query], ending.signal);
      return vector;
    } catch (error) {
      signal?.throwIfAborted();
      this.#pausedUntil = performance.now() + this.#times.pause;
      this.#log.warn({ err: error }, "Passages are searched by keywords alone, as the server of embeddings fails");
      return undefined;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}
