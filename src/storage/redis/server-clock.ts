/**
 * The time of day that all replicas share, by the server's clock: what one of them stored, another one measures from. A replica
 * of which the clock is wrong would else have a question answered too late, or a session deleted too early.
 */
import { steadyClock } from "../steady-clock.ts";
import { listOf } from "./rows.ts";
import type { Server } from "./server.ts";

/** Milliseconds: an answer that took longer says less of when it was given than one that is not older than this. */
const goodLook = 100;
const longKnown = 60_000;

export class ServerClock {
  readonly #server: Pick<Server, "readOnce">;
  /** What a clock told last, and when that was on the clock of `performance.now()`; this machine's before the first look. */
  #seen = { time: Date.now(), at: performance.now() };
  #steady: (() => number) | undefined;

  constructor(server: Pick<Server, "readOnce">) {
    this.#server = server;
  }

  /** Milliseconds since 1970; by this machine's clock until the server has told its own. */
  readonly now = (): number => this.#steady?.() ?? Math.floor(this.#timeOfDay());

  /** Asks the server for its time. Where it tells none, what is known goes on. */
  async look(): Promise<void> {
    const asked = performance.now();
    const reply = await this.#server.readOnce(["TIME"]).catch(() => undefined);
    const answered = performance.now();
    if (reply === undefined) return;
    const isKnown = this.#steady !== undefined && answered - this.#seen.at < longKnown;
    if (isKnown && answered - asked > goodLook) return;
    const [seconds, microseconds] = listOf(reply).map(Number);
    if (seconds === undefined || microseconds === undefined) return;
    // Of the way there and back, about the half was before.
    const time = seconds * 1_000 + microseconds / 1_000 + (answered - asked) / 2;
    this.#seen = { time, at: answered };
    this.#steady ??= steadyClock({ timeOfDay: () => this.#timeOfDay() });
  }

  #timeOfDay(): number {
    return this.#seen.time + performance.now() - this.#seen.at;
  }
}
