/** Sends bytes over a connection and reads what comes back as responses. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Answer } from "../helpers/answer-checks.ts";
import { parseResponse } from "../helpers/raw-responses.ts";

/** How a connection was over: by the server's FIN, by a reset, or because we closed it. */
export type ConnectionEnd = "closed" | "reset" | "by us";

/** What this test waits for at most, in milliseconds: longer than any time limit of the service's. */
const patienceMs = 40_000;

export class RawClient {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #end: ConnectionEnd | undefined;
  #changed = Promise.withResolvers<void>();
  readonly #ours: Set<Socket>;

  private constructor(socket: Socket, ours: Set<Socket>) {
    this.socket = socket;
    this.#ours = ours;
    socket.on("data", (piece) => {
      this.#received = Buffer.concat([this.#received, piece as Buffer]);
      this.#wake();
    });
    socket.on("end", () => this.#finish("closed"));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE") this.#finish("reset");
    });
    socket.on("close", () => {
      this.#finish("by us");
      ours.delete(socket);
    });
  }

  /** @param ours holds the socket for as long as it is open */
  static async open(port: number, ours: Set<Socket>): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    ours.add(socket);
    const client = new RawClient(socket, ours);
    await once(socket, "connect");
    return client;
  }

  /** How the connection ended, undefined while it is open. */
  get end(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Bytes that were received and are no part of a response that was read. */
  get unread(): Buffer {
    return this.#received;
  }

  /**
   * Sends no empty piece: Node writes it after the piece before, when the answer and a reset may have come already, fails
   * at it, and then reads nothing of what has arrived.
   */
  send(bytes: Buffer): void {
    if (bytes.length > 0 && !this.socket.destroyed) this.socket.write(bytes);
  }

  /**
   * The next final response, interim ones (1xx) left out; undefined when the connection ended without one.
   *
   * @param withinMs gives `late` after so long
   * @throws NotHttp; Error when nothing comes within this test's patience
   */
  async read(method: string): Promise<Answer | undefined>;
  async read(method: string, withinMs: number): Promise<Answer | "late" | undefined>;
  async read(method: string, withinMs?: number): Promise<Answer | "late" | undefined> {
    const deadline = performance.now() + (withinMs ?? patienceMs);
    for (;;) {
      const parsed = parseResponse(this.#received, method, this.#end !== undefined);
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.length);
        if (parsed.response.status >= 200) return parsed.response;
      } else if (this.#end !== undefined) {
        return undefined;
      } else if (!(await this.#change(deadline))) {
        if (withinMs !== undefined) return "late";
        throw new Error(`No response in ${patienceMs} ms, only ${JSON.stringify(this.#received.toString("latin1"))}`);
      }
    }
  }

  /** No more from us; the server may still answer. */
  finish(): void {
    this.socket.end();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  close(): void {
    this.#end ??= "by us";
    this.socket.destroy();
  }

  /** Waits for the next bytes or the end. False when neither came in time. */
  async #change(deadline: number): Promise<boolean> {
    const timeout = Promise.withResolvers<false>();
    const timer = setTimeout(() => timeout.resolve(false), Math.max(0, deadline - performance.now()));
    const changed = await Promise.race([this.#changed.promise.then(() => true as const), timeout.promise]);
    clearTimeout(timer);
    return changed;
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }

  #finish(end: ConnectionEnd): void {
    this.#end ??= end;
    if (end === "closed" && !this.socket.writableEnded) this.socket.end();
    this.#ours.delete(this.socket);
    this.#wake();
  }
}
