/**
 * A response that is written piece by piece to a reader of any speed. It says after each piece whether the reader keeps
 * up, and never takes "not now" for "gone".
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Observer } from "../observer.ts";

export type Delivery = "ok" | "blocked" | "closed";

/** A reader for whom more than this waits is cut off; one that resumes loses nothing. */
const maxBufferedBytes = 256 * 1024;

const maxDrainMs = 30_000;

/** Why the signal fires; one for all, as an error for each response would cost a stack trace that nobody looks at. */
const closed = new Error("The response is closed");

export type OutletOptions = {
  /** How long a reader that is behind may take; 30 s unless a test is in a hurry. */
  readonly maxDrainMs?: number;
  readonly observer?: Observer | undefined;
};

export class Outlet {
  readonly #response: ServerResponse;
  readonly #maxDrainMs: number;
  readonly #observer: Observer | undefined;
  readonly #closed = new AbortController();
  readonly #onDrain = () => this.#wake();
  /** Once the headers are out and it is our turn on the connection. */
  #socket: Socket | undefined;
  #wakeWaiting: (() => void) | undefined;

  constructor(response: ServerResponse, options: OutletOptions = {}) {
    this.#response = response;
    this.#maxDrainMs = options.maxDrainMs ?? maxDrainMs;
    this.#observer = options.observer;
    // Once for the whole response: a listener for each wait would leak whenever another event ends the wait.
    response.on("drain", this.#onDrain);
    response.on("close", () => this.#close());
    response.on("error", () => this.#close());
    if (response.destroyed) this.#close();
  }

  /** Fires when the reader is gone or the response has ended. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Writes, also when the reader does not keep up: whoever gets `blocked` awaits `drained` before the next piece. */
  write(piece: string | Uint8Array): Delivery {
    const response = this.#response;
    if (this.#closed.signal.aborted) return "closed";
    if (piece.length === 0) return this.isBlocked ? "blocked" : "ok";
    if (this.#writeChunk(piece) ?? this.#writeThroughResponse(piece)) return "ok";
    if (response.writableLength <= maxBufferedBytes) return "blocked";
    this.#observer?.streamCut("behind");
    this.destroy();
    return "closed";
  }

  /** The first piece brings the headers along, and waits where an earlier answer still has the connection. */
  #writeThroughResponse(piece: string | Uint8Array): boolean {
    const taken = this.#response.write(piece);
    const { socket } = this.#response;
    if (this.#socket === undefined && socket !== null) {
      this.#socket = socket;
      socket.on("drain", this.#onDrain);
    }
    return taken;
  }

  /**
   * A chunk (RFC 9112, 7.1) in one string. `response.write` would make three strings of it, gather them until the next
   * tick and hand over a list, which costs some 6 % of a token. Undefined where that is the only way: for bytes, and
   * while the response still holds back what came before.
   */
  #writeChunk(piece: string | Uint8Array): boolean | undefined {
    const { writableCorked, chunkedEncoding } = this.#response;
    if (this.#socket === undefined || writableCorked > 0 || typeof piece !== "string") return undefined;
    const bytes = Buffer.byteLength(piece);
    const chunk = chunkedEncoding ? `${bytes.toString(16)}\r\n${piece}\r\n` : piece;
    // The same bytes either way, but what waits as UTF-8 takes room for three bytes a character.
    return this.#socket.write(chunk, bytes === piece.length ? "latin1" : "utf8");
  }

  /** True while what was written has not left, so that more would only pile up. */
  get isBlocked(): boolean {
    return this.#response.writableNeedDrain || this.#socket?.writableNeedDrain === true;
  }

  /** Resolves once the reader has caught up or is gone. One that needs more than 30 s for that is cut off. */
  async drained(): Promise<Exclude<Delivery, "blocked">> {
    if (!this.#closed.signal.aborted && this.isBlocked) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wakeWaiting = resolve;
      const timer = setTimeout(() => this.#cutAsStalled(), this.#maxDrainMs);
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
    const timer = setTimeout(() => this.#cutAsStalled(), this.#maxDrainMs);
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
      // Behind what the response holds back until the next tick.
      process.nextTick(() => (this.#response.socket ?? this.#response).write("", () => resolve()));
      const timer = setTimeout(() => resolve(), this.#maxDrainMs);
      await promise;
      clearTimeout(timer);
    }
    this.destroy();
  }

  #cutAsStalled(): void {
    this.#observer?.streamCut("stalled");
    this.destroy();
  }

  #close(): void {
    this.#socket?.off("drain", this.#onDrain);
    this.#closed.abort(closed);
    this.#wake();
  }

  #wake(): void {
    const wake = this.#wakeWaiting;
    this.#wakeWaiting = undefined;
    wake?.();
  }
}
