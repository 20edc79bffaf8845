/**
 * One answer as its consumer pulls it: gathers what the asking brings (asking.ts) and hands it out. Written as an
 * iterator by hand, for this is the hot path: a token costs one promise, and only when it is awaited.
 */
import type { ModelEvent, ModelRequest, WantedCall } from "../model.ts";
import { Asking, type AskingSink, type Provider } from "./asking.ts";
import type { GateAdmission } from "./gate.ts";

type Outcome = { readonly finish: ModelEvent } | { readonly error: unknown } | "left";
type Waiter = {
  readonly resolve: (result: IteratorResult<ModelEvent, undefined>) => void;
  readonly reject: (error: unknown) => void;
};

/** UTF-16 code units that may wait for the consumer before the server is made to wait. */
const maxGathered = 64 * 1024;

const over: IteratorResult<ModelEvent, undefined> = { done: true, value: undefined };

export class Generation implements AsyncIterableIterator<ModelEvent, undefined>, AskingSink {
  readonly #asking: Asking;
  readonly #signal: AbortSignal;
  #started = false;
  #text = "";
  #calls: readonly WantedCall[] = [];
  #outcome: Outcome | undefined;
  #waiter: Waiter | undefined;
  #closed = false;

  constructor(provider: Provider, request: ModelRequest, signal: AbortSignal, admission?: GateAdmission) {
    this.#asking = new Asking(provider, request, this, admission);
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
    if (this.#text.length >= maxGathered) this.#asking.pause();
  }

  calls(calls: readonly WantedCall[]): void {
    this.#calls = calls;
  }

  finish(finish: ModelEvent): void {
    this.#conclude({ finish });
  }

  fail(error: unknown): void {
    this.#conclude({ error });
  }

  #start(): void {
    this.#started = true;
    this.#signal.addEventListener("abort", this.#abort, { once: true });
    this.#asking.start();
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
    this.#asking.abandon();
    this.#wake();
  }

  /** Hands what there is to a consumer that waits for it: text first, then calls, then the outcome. */
  #wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    if (this.#text !== "") {
      this.#waiter = undefined;
      waiter.resolve({ done: false, value: { type: "text", text: this.#text } });
      this.#text = "";
      this.#asking.resume();
    } else if (this.#outcome !== undefined && this.#outcome !== "left") {
      this.#waiter = undefined;
      if (this.#calls.length > 0 && "finish" in this.#outcome) {
        const calls = this.#calls;
        this.#calls = [];
        waiter.resolve({ done: false, value: { type: "tool_calls", calls } });
        return;
      }
      this.#closed = true;
      if ("finish" in this.#outcome) waiter.resolve({ done: false, value: this.#outcome.finish });
      else waiter.reject(this.#outcome.error);
    }
  }
}
