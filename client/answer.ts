/** Following a turn: every event exactly once until its `end`, however often the connection is lost on the way. */
import { Backoff } from "./backoff.ts";
import { Connection, type ServiceAccess } from "./connection.ts";
import { EventStreamParser } from "./event-stream-parser.ts";
import { type ChatEvent, readChatEvent } from "./events.ts";
import type { Lifetime } from "./lifetime.ts";
import { turnPath } from "./paths.ts";
import { ChatProblem, ConnectionLost } from "./problems.ts";
import { sleep } from "./sleep.ts";

/** For whoever wants to show how the connection is. */
export type ConnectionChange =
  | { readonly state: "open" }
  | { readonly state: "lost"; readonly cause: unknown; readonly retryInMs: number };

export type AnswerOptions = {
  readonly access: () => ServiceAccess;
  readonly sessionId: string;
  /** Undefined for the newest, or for the one that `after` names. */
  readonly turn: number | undefined;
  /** The id of the last event that is known; undefined for the whole turn. */
  readonly after: string | undefined;
  /** Belongs to the answer from now on. */
  readonly lifetime: Lifetime;
  readonly maxDelayMs: number;
  readonly onConnection: ((change: ConnectionChange) => void) | undefined;
  /** The answer to a prompt, where following begins with it. */
  readonly connection?: Connection;
  readonly replayed?: boolean;
};

/** An answer to a prompt that was sent: its turn is known. */
export type SentAnswer = Answer & {
  readonly turn: number;
  /** True when an earlier request with the same key had started this turn. */
  readonly replayed: boolean;
};

/** How long to wait where no stream has said (`retry:`). */
const defaultRetryMs = 1_000;

/** After `end` the service closes at once; only a proxy that keeps its side open needs this bound. */
const closingMs = 500;

/** Why a connection is closed on which the caller has stopped reading. */
const left = new Error("The answer was left");

/** The events of one turn, to be iterated once. */
export class Answer implements AsyncIterableIterator<ChatEvent> {
  readonly sessionId: string;
  readonly replayed: boolean;
  readonly #options: AnswerOptions;
  readonly #events: AsyncGenerator<ChatEvent, void>;
  readonly #backoff: Backoff;
  #turn: number | undefined;
  #lastEventId: string | undefined;

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.sessionId = options.sessionId;
    this.replayed = options.replayed ?? false;
    this.#turn = options.turn;
    this.#lastEventId = options.after;
    this.#backoff = new Backoff({ baseMs: defaultRetryMs, maxMs: options.maxDelayMs });
    this.#events = this.#follow();
  }

  /** Undefined only before the first event, where the newest turn was asked for. */
  get turn(): number | undefined {
    return this.#turn;
  }

  /** The id of the last event that was given. Whoever keeps it can go on `after` it, also in another process. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws ChatProblem that trying again cannot help, or the reason of the caller's signal */
  next(): Promise<IteratorResult<ChatEvent, void>> {
    return this.#events.next();
  }

  /**
   * Stops following, also while `next` waits; a loop that is left does it by itself. The turn goes on. An answer that
   * is not read at all has to be left in this way, or it holds its connection.
   */
  async return(): Promise<IteratorResult<ChatEvent, void>> {
    this.#options.lifetime.end(left);
    return this.#events.return();
  }

  async *#follow(): AsyncGenerator<ChatEvent, void> {
    const { lifetime, onConnection } = this.#options;
    let connection = this.#options.connection;
    try {
      for (;;) {
        let cause: unknown;
        try {
          connection ??= await this.#connect();
          if (connection === undefined) return;
          onConnection?.({ state: "open" });
          for await (const event of this.#read(connection)) {
            yield event;
            if (event.type === "end") return await finish(connection);
          }
          cause = new ConnectionLost("The connection ended before the answer did.");
        } catch (error) {
          if (lifetime.signal.aborted || !canPass(error)) throw error;
          cause = error;
        }
        connection?.close();
        connection = undefined;
        const retryInMs = this.#backoff.next(cause instanceof ChatProblem ? cause.retryAfterSeconds : undefined);
        onConnection?.({ state: "lost", cause, retryInMs });
        await sleep(retryInMs, lifetime.signal);
      }
    } catch (error) {
      if (lifetime.signal.reason !== left) throw error;
    } finally {
      connection?.close();
      lifetime.end(left);
    }
  }

  /** Asks for what comes after the last event; undefined when there is nothing more. */
  async #connect(): Promise<Connection | undefined> {
    const { access, sessionId, lifetime } = this.#options;
    const path = turnPath(sessionId, this.#turn);
    const headers: Record<string, string> = {};
    if (this.#lastEventId !== undefined) headers["last-event-id"] = this.#lastEventId;
    const connection = await Connection.open(
      access(),
      { method: "GET", path, accept: "text/event-stream", headers },
      lifetime.signal,
    );
    try {
      this.#turn ??= readTurn(connection.response);
      if (connection.response.status !== 204) {
        requireEventStream(connection.response);
        return connection;
      }
    } catch (error) {
      connection.close();
      throw error;
    }
    connection.close();
    return undefined;
  }

  async *#read(connection: Connection): AsyncGenerator<ChatEvent, void> {
    const parser = new EventStreamParser();
    for (let piece = await connection.read(); piece !== undefined; piece = await connection.read()) {
      const events = parser.take(piece);
      if (parser.retryMs !== undefined) this.#backoff.startFrom(parser.retryMs);
      for (const received of events) {
        // The caller may have fired its signal while it had the event before.
        this.#options.lifetime.signal.throwIfAborted();
        const event = readChatEvent(received);
        if (event === undefined) continue;
        if (event.id !== undefined) {
          this.#lastEventId = event.id;
          this.#backoff.reset();
        }
        yield event;
      }
    }
  }
}

/** Lets the connection end by itself, so that it can serve the next request. */
async function finish(connection: Connection): Promise<void> {
  try {
    while ((await connection.read(closingMs)) !== undefined);
  } catch {
    // The answer is whole: how its connection ends does not matter any more.
  }
}

function canPass(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof ChatProblem && error.retryable);
}

/** The turn that an answer is about; undefined where a session has none. */
export function readTurn({ headers }: Response): number | undefined {
  const turn = headers.get("x-turn");
  return turn === null ? undefined : Number(turn);
}

/** @throws ChatProblem `unexpected_answer`, for a page that something else than the service has sent */
export function requireEventStream({ status, headers }: Response): void {
  if (headers.get("content-type")?.startsWith("text/event-stream")) return;
  throw ChatProblem.ofForeignAnswer(status, "The answer is no event stream, so this is no chat service.");
}
