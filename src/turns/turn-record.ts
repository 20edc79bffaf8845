/** What an operator is told of a turn at its end: a line of the log, and what is counted. */
import { hashOfSession, type Log } from "../log.ts";
import type { Observer } from "../observer.ts";
import type { TurnEnded } from "../protocol/events.ts";
import type { BegunTurn } from "../storage/storage.ts";
import type { Span, Tracer } from "../tracer.ts";
import type { LastEvents } from "./last-events.ts";

/** Who is told. */
export type TurnWatchers = {
  readonly log: Log;
  readonly observer?: Observer | undefined;
  readonly tracer?: Tracer | undefined;
};

export class TurnRecord {
  readonly #begun: BegunTurn;
  readonly #log: Log;
  readonly #observer: Observer | undefined;
  readonly #span: Span | undefined;
  readonly #begunAt = performance.now();
  #firstTextAt: number | undefined;
  #pieces = 0;
  #length = 0;
  #tools = 0;

  /** @param cause the place of what the turn was begun for, in its trace */
  constructor(begun: BegunTurn, { log, observer, tracer }: TurnWatchers, cause?: string) {
    this.#begun = begun;
    this.#log = log;
    this.#observer = observer;
    const { sessionId, turn } = begun.lease;
    this.#span = tracer?.begin("turn", cause, { session: hashOfSession(sessionId), turn });
  }

  /** Of the turn in its trace, for what it causes. */
  get place(): string | undefined {
    return this.#span?.place;
  }

  /** A piece of text is in the log. On the way of every token, so it only counts. */
  textLogged(length: number): void {
    if (this.#firstTextAt === undefined) this.#firstText();
    this.#pieces += 1;
    this.#length += length;
  }

  /** Something was done for the answer. */
  toolLogged(): void {
    this.#tools += 1;
  }

  #firstText(): void {
    this.#firstTextAt = performance.now();
    this.#span?.event("first text");
  }

  /** The turn is settled. */
  ended(last: LastEvents): void {
    for (const event of last) if (event.type === "text") this.textLogged(event.text.length);
    const end = last.find((event): event is TurnEnded => event.type === "end");
    if (end === undefined) return;
    const { status, usage, model } = end;
    const failure = last.find((event) => event.type === "error");
    const reason = end.reason ?? failure?.code;
    const milliseconds = performance.now() - this.#begunAt;
    const firstTextMs = this.#firstTextAt === undefined ? undefined : this.#firstTextAt - this.#begunAt;
    const sizes = { pieces: this.#pieces, length: this.#length };
    this.#observer?.turnEnded({ status, reason, model, usage, firstTextMs, milliseconds, ...sizes });
    this.#span?.end({ status, reason, model, ...usage, ...sizes }, failure?.code);
    const { sessionId, turn } = this.#begun.lease;
    const facts = {
      session: hashOfSession(sessionId),
      turn,
      status,
      ...(reason !== undefined && { reason }),
      model,
      ...usage,
      ...(firstTextMs !== undefined && { first_text_ms: Math.round(firstTextMs) }),
      duration_ms: Math.round(milliseconds),
      ...sizes,
      ...(this.#tools > 0 && { tools: this.#tools }),
    };
    this.#log.info(facts, "Turn ended");
  }

  /** The turn goes on elsewhere. */
  left(how: "released" | "lost"): void {
    this.#observer?.turnLeft(how);
    this.#span?.end({ left: how });
  }
}
