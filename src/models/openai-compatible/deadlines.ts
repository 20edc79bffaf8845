/**
 * The time limits of one answer, watched by one timer. Progress only moves a timestamp; the timer looks at it when it
 * fires, so that a token costs no timer of its own.
 */

export type Timeouts = {
  /** Until the connection stands (TCP, and TLS where used), in milliseconds. */
  readonly connectMs: number;
  /** From then until the response headers. */
  readonly headersMs: number;
  /** From asking until the first piece of text, or of the thoughts that some models send before it. */
  readonly firstTokenMs: number;
  /** Between two pieces. */
  readonly gapMs: number;
  /** The whole answer. */
  readonly turnMs: number;
};

export type DeadlineName =
  | "upstream_unreachable"
  | "upstream_timeout"
  | "first_token_timeout"
  | "upstream_stalled"
  | "turn_time_limit"
  /** The answer is whole; its token count is still awaited. */
  | "late_usage";

export class Deadlines {
  readonly #onExpired: (name: DeadlineName) => void;
  readonly #turnEndsAt: number;
  #firstTextDueAt: number;
  #phase: DeadlineName = "upstream_timeout";
  #phaseEndsAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #timerFiresAt = Number.POSITIVE_INFINITY;

  /**
   * @param startedAt when this server was first asked, on the clock of `performance.now()`.
   * @param turnStartedAt when the first server was, where this is not the only one.
   */
  constructor(
    startedAt: number,
    timeouts: Timeouts,
    onExpired: (name: DeadlineName) => void,
    turnStartedAt: number = startedAt,
  ) {
    this.#onExpired = onExpired;
    this.#turnEndsAt = turnStartedAt + timeouts.turnMs;
    this.#firstTextDueAt = startedAt + timeouts.firstTokenMs;
    this.#watch();
  }

  /** From now on `name` expires after `milliseconds`, instead of what the last call named. */
  enter(name: DeadlineName, milliseconds: number): void {
    this.#phase = name;
    this.#phaseEndsAt = performance.now() + milliseconds;
    if (this.#phaseEndsAt < this.#timerFiresAt) this.#watch();
  }

  /** Nothing more is owed by the time of the first text. */
  textCame(): void {
    this.#firstTextDueAt = Number.POSITIVE_INFINITY;
  }

  /** While we make the server wait, it cannot be late; the whole answer still can. */
  suspend(): void {
    this.#phaseEndsAt = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerFiresAt = Number.NEGATIVE_INFINITY;
  }

  #nearest(): { readonly name: DeadlineName; readonly at: number } {
    let nearest: { name: DeadlineName; at: number } = { name: "turn_time_limit", at: this.#turnEndsAt };
    if (this.#firstTextDueAt < nearest.at) nearest = { name: "first_token_timeout", at: this.#firstTextDueAt };
    if (this.#phaseEndsAt <= nearest.at) nearest = { name: this.#phase, at: this.#phaseEndsAt };
    return nearest;
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timerFiresAt = this.#nearest().at;
    this.#timer = setTimeout(() => this.#check(), Math.max(Math.ceil(this.#timerFiresAt - performance.now()), 1));
  }

  #check(): void {
    const nearest = this.#nearest();
    if (performance.now() < nearest.at) {
      this.#watch();
      return;
    }
    this.stop();
    this.#onExpired(nearest.name);
  }
}
