/**
 * Asking a provider for one answer: which model, with whose permission, and when again after a failure. What comes is
 * told at once to whoever gathers it (generation.ts).
 */
import type { Log } from "../../log.ts";
import type { EndedAttempt, Observer } from "../../observer.ts";
import type { Usage } from "../../protocol/events.ts";
import type { Span, Tracer } from "../../tracer.ts";
import type { ModelError, ModelEvent, ModelRequest, WantedCall } from "../model.ts";
import { isOutage } from "../outages.ts";
import { Attempt, type AttemptOptions, type AttemptSink } from "./attempt.ts";
import type { CallOutcome, Permit } from "./circuit-breaker.ts";
import { Continuation } from "./continuation.ts";
import type { Gate, GateAdmission } from "./gate.ts";
import type { ModelList } from "./model-list.ts";
import { chatCompletionBody, type Prefill } from "./request.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { type Circumstances, pauseBeforeRetry, type RetrySettings } from "./retry-policy.ts";
import { holdsResults, type ToolRefusals, toolsRefusal } from "./tool-refusals.ts";

/** One model server, as all of its answers share it. */
export type Provider = Pick<AttemptOptions, "connection" | "timeouts" | "now"> & {
  readonly list: ModelList;
  readonly gate: Gate;
  readonly budget: RetryBudget;
  readonly toolRefusals: ToolRefusals;
  readonly retry: RetrySettings;
  readonly extraBody: Readonly<Record<string, unknown>>;
  readonly prefill: Prefill;
  readonly log: Pick<Log, "info">;
  readonly observer?: Observer | undefined;
  readonly tracer?: Tracer | undefined;
  /** The server is told of which trace a request is a part. */
  readonly tellsPlace: boolean;
};

/** What an asking tells: any number of texts, the calls that the answer asks for, then one finish or one failure. */
export type AskingSink = {
  text(text: string): void;
  calls(calls: readonly WantedCall[]): void;
  finish(finish: ModelEvent): void;
  fail(error: unknown): void;
};

export class Asking implements AttemptSink {
  readonly #provider: Provider;
  readonly #request: ModelRequest;
  readonly #sink: AskingSink;
  readonly #admission: GateAdmission | undefined;
  #startedAt = 0;
  /** The models that are left to ask, the one that is asked now first. */
  #models: readonly string[] = [];
  #attempt: Attempt | undefined;
  #isAsking = false;
  #span: Span | undefined;
  /** Where the attempt goes on with an answer that has begun. */
  #continuation: Continuation | undefined;
  #permit: Permit | undefined;
  #pause: NodeJS.Timeout | undefined;
  #retries = 0;
  #mayForgiveStaleConnection = true;
  #spoke = false;
  #abandoned = false;

  constructor(provider: Provider, request: ModelRequest, sink: AskingSink, admission: GateAdmission | undefined) {
    this.#provider = provider;
    this.#request = request;
    this.#sink = sink;
    this.#admission = admission;
  }

  start(): void {
    const { list } = this.#provider;
    this.#startedAt = performance.now();
    const begin = () => {
      if (this.#abandoned) return;
      this.#models = list.candidates();
      this.#askFirstTime();
    };
    const ready = list.ready();
    if (ready === undefined) begin();
    else void ready.then(begin);
  }

  pause(): void {
    this.#attempt?.pause();
  }

  resume(): void {
    this.#attempt?.resume();
  }

  /** Lets go of everything at once and tells nothing more; does nothing after a finish or a failure. */
  abandon(): void {
    this.#abandoned = true;
    clearTimeout(this.#pause);
    this.#attempt?.abandon();
    this.#attemptEnded("abandoned");
    this.#permit?.end("abandoned");
    this.#admission?.release();
  }

  text(text: string): void {
    this.#tell(this.#continuation === undefined ? text : this.#continuation.take(text));
  }

  finish(finishReason: string, usage: Usage | null, calls: readonly WantedCall[]): void {
    // Where it fails instead, what is held back goes with it: nobody has seen it, so the answer may be asked for again.
    if (this.#continuation !== undefined) this.#tell(this.#continuation.end());
    this.#permit?.end("succeeded");
    this.#attemptEnded("answered");
    if (calls.length > 0) this.#sink.calls(calls);
    this.#sink.finish({ type: "finish", finishReason, usage, model: this.#model });
  }

  fail(error: ModelError, circumstances: Circumstances): void {
    const { gate, list, toolRefusals } = this.#provider;
    this.#attemptEnded(error.code);
    if (circumstances.staleConnection && this.#mayForgiveStaleConnection) {
      this.#mayForgiveStaleConnection = false;
      this.#send();
      return;
    }
    this.#permit?.end(this.#outcomeOf(error));
    if (error.refusesTools) {
      if (!holdsResults(this.#request.messages)) toolRefusals.add(error.model);
      this.#sink.fail(error);
      return;
    }
    if (error.code === "upstream_auth") gate.refuseKey();
    if (error.code === "model_not_found") {
      list.refuse(error.model);
      this.#models = this.#models.slice(1);
      if (this.#models.length > 0) {
        this.#askFirstTime();
        return;
      }
    }
    const pause = this.#pauseBeforeRetry(error, circumstances);
    if (pause === undefined) {
      this.#sink.fail(error);
      return;
    }
    this.#retries += 1;
    this.#provider.observer?.retried(error.code);
    this.#provider.log.info({ err: error, pauseMs: Math.round(pause) }, "An answer is asked for again");
    this.#pause = setTimeout(() => this.#askAgain(error), pause);
  }

  get #model(): string {
    return this.#models[0] ?? "";
  }

  /** Does nothing where none is under way. */
  #attemptEnded(outcome: EndedAttempt["outcome"]): void {
    if (!this.#isAsking) return;
    this.#isAsking = false;
    this.#provider.observer?.attemptEnded({ model: this.#model, outcome });
    this.#span?.end({ outcome }, outcome === "answered" || outcome === "abandoned" ? undefined : outcome);
  }

  #tell(text: string): void {
    if (text === "") return;
    if (!this.#spoke) {
      this.#spoke = true;
      this.#permit?.began();
      this.#span?.event("first text");
    }
    this.#sink.text(text);
  }

  #askFirstTime(): void {
    if (this.#request.tools !== undefined && this.#provider.toolRefusals.has(this.#model)) {
      this.#sink.fail(toolsRefusal(this.#model, "not asked again"));
      return;
    }
    try {
      this.#permit = this.#admission?.take(this.#model) ?? this.#provider.gate.enter(this.#model);
    } catch (error) {
      this.#sink.fail(error);
      return;
    }
    this.#provider.budget.countCall();
    this.#send();
  }

  /** @param last why: what the answer ends with when the server is no longer asked. */
  #askAgain(last: ModelError): void {
    try {
      this.#permit = this.#provider.gate.enter(this.#model);
    } catch {
      this.#sink.fail(last);
      return;
    }
    this.#send();
  }

  #send(): void {
    const { connection, timeouts, now, extraBody, prefill, tracer, tellsPlace } = this.#provider;
    const { messages, answerSoFar = "", tools: offered } = this.#request;
    const model = this.#model;
    this.#continuation = answerSoFar === "" ? undefined : new Continuation(answerSoFar);
    const sent = this.#continuation?.sent ?? "";
    const continues = sent !== "";
    const beginning = continues ? { prefill, text: sent } : undefined;
    const body = chatCompletionBody(model, messages, extraBody, { beginning, tools: offered?.tools });
    const offersTools = offered !== undefined;
    const startedAt = this.#startedAt;
    const { turnStartedAt = startedAt } = this.#request;
    this.#isAsking = true;
    this.#span = tracer?.begin("chat", this.#request.cause, {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": model,
      "server.address": connection.origin,
    });
    const place = tellsPlace ? this.#span?.place : undefined;
    this.#attempt = new Attempt(
      { connection, place, timeouts, now, model, body, continues, offersTools, startedAt, turnStartedAt },
      this,
    );
  }

  /** Asks the budget last: what it gives is spent. */
  #pauseBeforeRetry(error: ModelError, circumstances: Circumstances): number | undefined {
    const { gate, budget, retry, timeouts } = this.#provider;
    if (this.#spoke || gate.condition(this.#model) !== "configured") return undefined;
    const { turnStartedAt = this.#startedAt, retries = Number.POSITIVE_INFINITY } = this.#request;
    if (this.#retries >= retries) return undefined;
    const dueAt = Math.min(this.#startedAt + timeouts.firstTokenMs, turnStartedAt + timeouts.turnMs);
    const remainingMs = dueAt - performance.now();
    const pause = pauseBeforeRetry({ error, circumstances, retries: this.#retries, remainingMs }, retry);
    return pause !== undefined && budget.take() ? pause : undefined;
  }

  #outcomeOf({ code }: ModelError): CallOutcome {
    // An answer that is cut for its length was coming; one that has not begun by then never was.
    if (code === "turn_time_limit") return this.#spoke ? "succeeded" : "failed";
    return isOutage(code) ? "failed" : "refused";
  }
}
