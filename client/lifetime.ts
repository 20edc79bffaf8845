/**
 * How long something may go on: until it is ended, or the signal that it was given fires. Made by hand because
 * `AbortSignal.any` is too new for some browsers, and leaves its traces on a signal that outlives it.
 */
export class Lifetime {
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #onAbort = () => this.end(this.#parent?.reason);

  constructor(parent: AbortSignal | undefined) {
    this.#parent = parent;
    if (parent?.aborted) this.#onAbort();
    else parent?.addEventListener("abort", this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends it, and leaves no listener on the signal that it was given. Only the first reason counts. */
  end(reason?: unknown): void {
    this.#parent?.removeEventListener("abort", this.#onAbort);
    this.#controller.abort(reason);
  }
}
