/**
 * One answer as its consumer pulls it: asks the models of the list in turn and hands on what the first one that exists
 * says. Written as an iterator by hand, for this is the hot path: a token costs one promise, and only when it is awaited.
 */
import type { Usage } from "../../protocol/events.ts";
import type { ModelError, ModelEvent, ModelRequest } from "../model.ts";
import { Attempt, type AttemptOptions, type AttemptSink } from "./attempt.ts";
import type { ModelList } from "./model-list.ts";
import { chatCompletionBody } from "./request.ts";

export type GenerationOptions = Omit<AttemptOptions, "model" | "body" | "startedAt"> & {
  readonly list: ModelList;
  readonly extraBody: Readonly<Record<string, unknown>>;
};

type Outcome = { readonly finish: ModelEvent } | { readonly error: unknown } | "left";
type Waiter = {
  readonly resolve: (result: IteratorResult<ModelEvent, undefined>) => void;
  readonly reject: (error: unknown) => void;
};

/** UTF-16 code units that may wait for the consumer before the server is made to wait. */
const maxGathered = 64 * 1024;

const over: IteratorResult<ModelEvent, undefined> = { done: true, value: undefined };

export class Generation implements AsyncIterableIterator<ModelEvent, undefined>, AttemptSink {
  readonly #options: GenerationOptions;
  readonly #request: ModelRequest;
  readonly #signal: AbortSignal;
  #started = false;
  #startedAt = 0;
  #candidates: readonly string[] = [];
  #asked = 0;
  #attempt: Attempt | undefined;
  #text = "";
  #outcome: Outcome | undefined;
  #waiter: Waiter | undefined;
  #closed = false;

  constructor(options: GenerationOptions, request: ModelRequest, signal: AbortSignal) {
    this.#options = options;
    this.#request = request;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ModelEvent, undefined>> {
    if (this.#closed) return Promise.resolve(over);
    if (this.#waiter !== undefined) return Promise.reject(new Error("The last piece has not been awaited yet."));
    // Also when everything had come: a stop wins over a finish that nobody has seen.
    if (this.#signal.aborted) this.#abort();
    else if (!this.#started) this.#start();
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#wake();
    });
  }

  return(): Promise<IteratorResult<ModelEvent, undefined>> {
    this.#closed = true;
    this.#text = "";
    this.#conclude("left");
    this.#waiter?.resolve(over);
    this.#waiter = undefined;
    return Promise.resolve(over);
  }

  text(text: string): void {
    this.#text += text;
    this.#wake();
    if (this.#text.length >= maxGathered) this.#attempt?.pause();
  }

  finish(finishReason: string, usage: Usage | null): void {
    this.#conclude({ finish: { type: "finish", finishReason, usage, model: this.#candidates[this.#asked - 1] ?? "" } });
  }

  fail(error: ModelError): void {
    if (error.code === "model_not_found") {
      this.#options.list.refuse(error.model);
      if (this.#asked < this.#candidates.length) {
        this.#ask();
        return;
      }
    }
    this.#conclude({ error });
  }

  #start(): void {
    this.#started = true;
    this.#startedAt = performance.now();
    this.#signal.addEventListener("abort", this.#abort, { once: true });
    const begin = () => {
      if (this.#outcome !== undefined) return;
      this.#candidates = this.#options.list.candidates();
      this.#ask();
    };
    const ready = this.#options.list.ready();
    if (ready === undefined) begin();
    else void ready.then(begin);
  }

  #ask(): void {
    const model = this.#candidates[this.#asked] as string;
    this.#asked += 1;
    const body = chatCompletionBody(model, this.#request.messages, this.#options.extraBody);
    this.#attempt = new Attempt({ ...this.#options, model, body, startedAt: this.#startedAt }, this);
  }

  readonly #abort = (): void => {
    this.#text = "";
    // An outcome that was not handed out yet gives way.
    this.#outcome = undefined;
    this.#conclude({ error: this.#signal.reason });
  };

  /** Both exits come through here: the outcome stands, the connection and the listener are gone. */
  #conclude(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#signal.removeEventListener("abort", this.#abort);
    this.#attempt?.abandon();
    this.#wake();
  }

  /** Hands what there is to a consumer that waits for it: text first, then the outcome. */
  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    if (this.#text !== "") {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: { type: "text", text: this.#text } });
      this.#text = "";
      this.#attempt?.resume();
    } else if (this.#outcome !== undefined && this.#outcome !== "left") {
      this.#waiter = undefined;
      this.#closed = true;
      if ("finish" in this.#outcome) waiter.resolve({ done: false, value: this.#outcome.finish });
      else waiter.reject(this.#outcome.error);
    }
  }
}
