/** Whether a model server may be asked now: each model has a breaker, and a refused key holds up everything. */
import type { Log } from "../../log.ts";
import { type Admission, type ModelCondition, ModelError } from "../model.ts";
import { CircuitBreaker, type Permit } from "./circuit-breaker.ts";
import { failure } from "./failures.ts";

/** How long nothing is asked after the key was refused, in milliseconds: only the operator can mend that. */
const keyHoldMs = 30_000;

export type GateOptions = {
  /** Scheme, host and port of the server, for the log. */
  readonly server: string;
  readonly log: Pick<Log, "info" | "warn">;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
};

export class Gate {
  readonly #options: GateOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();
  #keyHeldUntil = Number.NEGATIVE_INFINITY;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** @throws ModelError `upstream_unavailable` */
  enter(model: string): Permit {
    const keyHold = this.#keyHold;
    if (keyHold > 0) {
      const detail = "The model server refused the service's key a moment ago, so it is not asked again yet.";
      throw new ModelError("upstream_unavailable", detail, { model, retryAfterSeconds: inSeconds(keyHold) });
    }
    const breaker = this.#breaker(model);
    const permit = breaker.enter();
    if (permit === undefined) {
      const { state, waitMs } = breaker;
      throw failure("upstream_unavailable", model, {
        fact: `circuit breaker ${state}`,
        retryAfterSeconds: inSeconds(waitMs),
      });
    }
    return permit;
  }

  /**
   * @param name the model that is asked first; a list that is still being looked up may change it later.
   * @throws ModelError `upstream_unavailable`
   */
  admit(name: () => string): GateAdmission {
    return new GateAdmission(name, this.enter(name()));
  }

  refuseKey(): void {
    if (this.#keyHold <= 0) {
      const { log, server } = this.#options;
      log.warn({ server }, "The model server refused the key; nothing new is asked of it for 30 seconds at a time");
    }
    this.#keyHeldUntil = this.#options.now() + keyHoldMs;
  }

  condition(model: string): ModelCondition {
    const { state } = this.#breaker(model);
    if (state === "open" || this.#keyHold > 0) return "open";
    return state === "closed" ? "configured" : "degraded";
  }

  get #keyHold(): number {
    return this.#keyHeldUntil - this.#options.now();
  }

  #breaker(model: string): CircuitBreaker {
    const known = this.#breakers.get(model);
    if (known !== undefined) return known;
    const { log, server, now } = this.#options;
    const breaker = new CircuitBreaker(now, (state) => {
      if (state === "open") log.warn({ model, server }, "The model server keeps failing and is left alone for a while");
      else log.info({ model, server }, "The model server answers again");
    });
    this.#breakers.set(model, breaker);
    return breaker;
  }
}

/** A permit for one model, kept until the answer is pulled. */
export class GateAdmission implements Admission {
  readonly #name: () => string;
  readonly #model: string;
  #permit: Permit | undefined;

  constructor(name: () => string, permit: Permit) {
    this.#name = name;
    this.#model = name();
    this.#permit = permit;
  }

  get name(): string {
    return this.#name();
  }

  /** Gives the permit where it was for this model; one for another is given back. */
  take(model: string): Permit | undefined {
    if (model !== this.#model) this.release();
    const permit = this.#permit;
    this.#permit = undefined;
    return permit;
  }

  release(): void {
    this.#permit?.end("abandoned");
    this.#permit = undefined;
  }
}

function inSeconds(milliseconds: number): number {
  return Math.max(Math.ceil(milliseconds / 1_000), 1);
}
