/**
 * A response that is written piece by piece to a reader of any speed. It says after each piece whether the reader keeps
 * up, and never takes "not now" for "gone".
 */
import type { ServerResponse } from "node:http";

export type Delivery = "ok" | "blocked" | "closed";

/** A reader for whom more than this waits is cut off; one that resumes loses nothing. */
const maxBufferedBytes = 256 * 1024;

const maxDrainMs = 30_000;

export class Outlet {
  readonly #response: ServerResponse;
  readonly #maxDrainMs: number;
  readonly #closed = new AbortController();
  #wakeWaiting: (() => void) | undefined;

  constructor(response: ServerResponse, options: { readonly maxDrainMs?: number } = {}) {
    this.#response = response;
    this.#maxDrainMs = options.maxDrainMs ?? maxDrainMs;
    // Once for the whole response: a listener for each wait would leak whenever another event ends the wait.
    response.on("drain", () => this.#wake());
    response.on("close", () => this.#close());
    response.on("error", () => this.#close());
    if (response.destroyed) this.#close();
  }

  /** Fires when the reader is gone or the response has ended. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Writes, once the headers are written; also when the reader does not keep up; whoever gets `blocked` awaits `drained` before the next piece. */
  write(piece: string | Uint8Array): Delivery {
    const response = this.#response;
    if (this.#closed.signal.aborted) return "closed";
    if (response.write(piece)) return "ok";
    if (response.writableLength <= maxBufferedBytes) return "blocked";
    this.destroy();
    return "closed";
  }

  /** True while what was written has not left, so that more would only pile up. */
  get isBlocked(): boolean {
    return this.#response.writableNeedDrain;
  }

  /** Resolves once the reader has caught up or is gone. One that needs more than 30 s for that is cut off. */
  async drained(): Promise<Exclude<Delivery, "blocked">> {
    if (!this.#closed.signal.aborted && this.isBlocked) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeWaiting = resolve;
      const timer = setTimeout(() => this.destroy(), this.#maxDrainMs);
      await promise;
      clearTimeout(timer);
    }
    return this.#closed.signal.aborted ? "closed" : "ok";
  }

  /** Nothing more comes. What was written has 30 s to leave. */
  end(): void {
    if (this.#closed.signal.aborted) return;
    const response = this.#response;
    response.end();
    // Also when the reader is not behind by so much that it counts as blocked.
    const timer = setTimeout(() => this.destroy(), this.#maxDrainMs);
    response.on("close", () => clearTimeout(timer));
    this.#close();
  }

  /**
   * Cuts the connection by a TCP reset, so that the reader cannot take what it has for the whole: a mere end would look
   * like success where a proxy speaks HTTP/1.0, in which the end of the connection is the end of the answer.
   */
  destroy(): void {
    this.#response.socket?.resetAndDestroy();
    this.#response.destroy();
    this.#close();
  }

  /** The same, once what was written has left. */
  async reset(): Promise<void> {
    if (!this.#closed.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.signal.addEventListener("abort", () => resolve(), { once: true });
      this.#response.write("", () => resolve());
      const timer = setTimeout(() => resolve(), this.#maxDrainMs);
      await promise;
      clearTimeout(timer);
    }
    this.destroy();
  }

  #close(): void {
    this.#closed.abort();
    this.#wake();
  }

  #wake(): void {
    const wake = this.#wakeWaiting;
    this.#wakeWaiting = undefined;
    wake?.();
  }
}
