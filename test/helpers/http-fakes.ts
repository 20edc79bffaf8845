/** Stand-ins for what a real back end cannot be made to do on demand. */
import type { LoadGauges } from "../../src/http/overload.ts";
import { type Model, ModelError, type ModelEvent, type ModelRequest } from "../../src/models/model.ts";
import type { ProblemCode } from "../../src/protocol/problems.ts";

/** A model that says what a test tells it to, when it tells it to. */
export class ScriptedModel implements Model {
  readonly name = "scripted";
  readonly condition = "configured";
  readonly contextWindow = undefined;
  readonly continuesAnswers = false;
  #steps: (ModelEvent | ModelError)[] = [];
  /** The answers that wait for something to say. */
  readonly #waiting = new Set<() => void>();

  async ready(): Promise<void> {}

  admit() {
    return { name: this.name, release() {} };
  }

  say(text: string): void {
    this.#add({ type: "text", text });
  }

  takeBack(): void {
    this.#add({ type: "reset" });
  }

  finish(finishReason = "stop"): void {
    this.#add({ type: "finish", finishReason, usage: { input_tokens: 1, output_tokens: 1 }, model: this.name });
  }

  fail(code: ProblemCode): void {
    this.#add(new ModelError(code, "The model server is not well.", { model: this.name }));
  }

  async *generate(_request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const stop = () => this.#wakeAll();
    signal.addEventListener("abort", stop);
    try {
      for (;;) {
        signal.throwIfAborted();
        const step = this.#steps.shift();
        if (step instanceof Error) throw step;
        if (step !== undefined) {
          yield step;
          if (step.type === "finish") return;
          continue;
        }
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async close(): Promise<void> {}

  #add(step: ModelEvent | ModelError): void {
    this.#steps.push(step);
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Of a process at rest: a service inside the tests' own process shares an event loop with whatever they do. */
export const restingGauges: LoadGauges = {
  takeLoopDelay: () => 0,
  heapShare: () => 0,
  descriptorShare: () => 0,
  freeConnections: () => 10_000,
  storageBacklog: () => 0,
  stop: () => undefined,
};
