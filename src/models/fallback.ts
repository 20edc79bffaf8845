/**
 * Two models as one: what the first one cannot answer, the second one does. The switch happens once in an answer, and by
 * default only while nothing was said; text that both said is never put together.
 *
 * The beginning of an answer that is gone on with counts as said. It is kept where the second one can go on from it, too,
 * and the first one has not added to it; otherwise it is reset like all that was said.
 */
import type { Log } from "../log.ts";
import type { ProblemCode } from "../protocol/problems.ts";
import { type Admission, type Model, ModelError, type ModelEvent, type ModelRequest } from "./model.ts";
import { isOutage } from "./outages.ts";

export type FallbackOptions = {
  readonly first: Model;
  readonly second: Model;
  /** Whether the second one may also take over an answer that has begun; what was said by then is reset. */
  readonly afterText: boolean;
  readonly log: Pick<Log, "warn">;
};

export function openModelWithFallback(options: FallbackOptions): Model {
  const { first, second } = options;
  const next = () => (first.condition === "open" ? second : first);
  return {
    get name() {
      return next().name;
    },
    get contextWindow() {
      return next().contextWindow;
    },
    // What the second one cannot do is made good by a reset.
    get continuesAnswers() {
      return first.continuesAnswers;
    },
    get condition() {
      if (first.condition === "configured") return "configured";
      return first.condition === "open" && second.condition === "open" ? "open" : "degraded";
    },
    ready: () => next().ready(),
    admit: () => admitToEither(first, second),
    generate(request, signal, admission) {
      const admitted = admission instanceof EitherAdmission ? admission : undefined;
      return new AnswerWithFallback(options, request, signal, admitted);
    },
    async close() {
      await Promise.all([first.close(), second.close()]);
    },
  };
}

/** A place with one of the two. */
class EitherAdmission implements Admission {
  readonly model: Model;
  readonly admission: Admission;

  constructor(model: Model) {
    this.model = model;
    this.admission = model.admit();
  }

  get name(): string {
    return this.model.name;
  }

  release(): void {
    this.admission.release();
  }
}

function admitToEither(first: Model, second: Model): Admission {
  try {
    return new EitherAdmission(first);
  } catch (firstError) {
    if (!(firstError instanceof ModelError)) throw firstError;
    try {
      return new EitherAdmission(second);
    } catch (secondError) {
      throw secondError instanceof ModelError ? sooner(firstError, secondError) : secondError;
    }
  }
}

function sooner(one: ModelError, other: ModelError): ModelError {
  return (other.retryAfterSeconds ?? 0) < (one.retryAfterSeconds ?? 0) ? other : one;
}

/** Failures of one server that another one may not have, beside outages: its key, its credit, its models, its address. */
const ownToOneServer: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "upstream_unavailable",
  "upstream_auth",
  "upstream_quota",
  "upstream_forbidden",
  "upstream_redirect",
  "model_not_found",
]);

/**
 * Written as an iterator by hand: as soon as no switch is possible any more, a pull is handed to the model as it is, so
 * that a token costs nothing here.
 */
class AnswerWithFallback implements AsyncIterableIterator<ModelEvent, undefined> {
  readonly #options: FallbackOptions;
  readonly #request: ModelRequest;
  readonly #signal: AbortSignal;
  #answer: AsyncIterator<ModelEvent, undefined>;
  #startedAt: number | undefined;
  /** Whether there is text that a switch would take back: said here, or the beginning that the request holds. */
  #spoke: boolean;
  /** Whether any of it was said here. */
  #spokeHere = false;
  #asksSecond = false;
  /** The second model begins anew, where there is text. */
  #beginsAnew = false;
  /** Why the second model was asked; undefined while the first one is, and where only the second one was admitted to. */
  #firstError: ModelError | undefined;
  /** What the second model began with, while the reset that goes before it is handed out. */
  #heldBack: IteratorResult<ModelEvent, undefined> | undefined;
  #isCertain: boolean;

  constructor(options: FallbackOptions, request: ModelRequest, signal: AbortSignal, admitted?: EitherAdmission) {
    this.#options = options;
    this.#request = request;
    this.#signal = signal;
    const { first, second, afterText } = options;
    this.#spoke = request.answerSoFar !== undefined && request.answerSoFar !== "";
    let admission = admitted?.admission;
    if (admitted?.model === second && (!this.#spoke || afterText)) {
      this.#answer = this.#askSecond(request, admission);
      // Whoever was admitted to the second model alone has nowhere else to go.
      this.#isCertain = !this.#beginsAnew;
      return;
    }
    if (admitted?.model === second) {
      // Text stands, so that place is of no use: the answer ends with what keeps the first one from going on.
      admitted.release();
      admission = undefined;
    }
    this.#answer = iterate(first.generate(request, signal, admission));
    this.#isCertain = this.#spoke && !afterText;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ModelEvent, undefined>> {
    return this.#isCertain ? this.#answer.next() : this.#nextOfEither();
  }

  async return(): Promise<IteratorResult<ModelEvent, undefined>> {
    this.#isCertain = true;
    await this.#answer.return?.();
    return { done: true, value: undefined };
  }

  async #nextOfEither(): Promise<IteratorResult<ModelEvent, undefined>> {
    this.#startedAt ??= this.#request.turnStartedAt ?? performance.now();
    if (this.#heldBack !== undefined) {
      this.#isCertain = true;
      return this.#heldBack;
    }
    try {
      const result = await this.#answer.next();
      return this.#asksSecond ? this.#fromSecond(result) : this.#fromFirst(result);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      if (this.#firstError !== undefined) throw this.#whyNeither(this.#firstError, error);
      if (this.#asksSecond) throw error;
      if (!isOutage(error.code) && !ownToOneServer.has(error.code)) throw error;
      this.#switch(error);
      return this.#nextOfEither();
    }
  }

  #fromFirst(result: IteratorResult<ModelEvent, undefined>): IteratorResult<ModelEvent, undefined> {
    this.#spokeHere ||= result.value?.type === "text";
    this.#spoke ||= this.#spokeHere;
    // What was said stays, unless the operator wants it otherwise.
    this.#isCertain = this.#spoke && !this.#options.afterText;
    return result;
  }

  #fromSecond(result: IteratorResult<ModelEvent, undefined>): IteratorResult<ModelEvent, undefined> {
    if (!this.#beginsAnew) {
      this.#isCertain = true;
      return result;
    }
    // Only now is what the first one said given up: had the second one failed too, it would have been the answer.
    this.#heldBack = result;
    return { done: false, value: { type: "reset" } };
  }

  #switch(error: ModelError): void {
    const { second, log } = this.#options;
    log.warn({ err: error, model: second.name }, "The fallback model is asked for an answer");
    this.#firstError = error;
    const turnStartedAt = this.#startedAt ?? performance.now();
    this.#answer = this.#askSecond({ ...this.#request, turnStartedAt });
  }

  #askSecond(request: ModelRequest, admission?: Admission): AsyncIterator<ModelEvent, undefined> {
    const { second } = this.#options;
    this.#asksSecond = true;
    this.#beginsAnew = this.#spoke && (this.#spokeHere || !second.continuesAnswers);
    const { answerSoFar: _, ...fresh } = request;
    return iterate(second.generate(this.#beginsAnew ? fresh : request, this.#signal, admission));
  }

  /** Where both fail: the first one's words stand under its own error, and "is left alone" says less than any other. */
  #whyNeither(first: ModelError, second: ModelError): ModelError {
    return this.#spoke || second.code === "upstream_unavailable" ? first : second;
  }
}

function iterate(events: AsyncIterable<ModelEvent>): AsyncIterator<ModelEvent, undefined> {
  return events[Symbol.asyncIterator]();
}
