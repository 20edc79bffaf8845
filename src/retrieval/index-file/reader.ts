/** The reading thread as the main thread sees it: started when something is first asked, and again when it died. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Operations, Question, Reply, ThreadData } from "./messages.ts";

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

export class Reader {
  readonly #path: string;
  #worker: Worker | undefined;
  #closed = false;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();
  /** How many threads there have been: a new one knows nothing of what the one before was told. */
  threads = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws Error when the file cannot be read, or the thread died */
  ask<Name extends keyof Operations>(
    name: Name,
    argument: Parameters<Operations[Name]>[0],
  ): Promise<ReturnType<Operations[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error("The knowledge is closed"));
      const worker = this.#running();
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve: resolve as Waiting["resolve"], reject });
      worker.postMessage({ id: this.#lastId, name, argument } satisfies Question<Name>);
    });
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = once(worker, "exit");
    worker.postMessage("close");
    await ended;
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./thread.ts", import.meta.url), {
      workerData: { path: this.#path } satisfies ThreadData,
    });
    this.#worker = worker;
    this.threads += 1;
    worker.on("message", (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ("failure" in reply) waiting?.reject(new Error(reply.failure));
      else waiting?.resolve(reply.value);
    });
    worker.on("error", (error) => this.#lose(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.#lose(new Error("The thread that reads the knowledge ended")));
    return worker;
  }

  /** The next question starts another thread. */
  #lose(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
