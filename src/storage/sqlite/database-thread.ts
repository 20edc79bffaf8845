/** A database thread as the main thread sees it: asked one thing after the other, and watched for its death. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Problem } from "../../protocol/problems.ts";
import { failedSync, openingFailure } from "./failures.ts";
import type { Call, FromThread, Outcome, ThreadData, ToThread, Writing, Written } from "./thread/messages.ts";

export type Waiting<Value> = { resolve(value: Value): void; reject(error: unknown): void };

type Answer = Exclude<FromThread, { kind: "ready" | "open-failed" }>;

/** A worker thread with a connection of its own. */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  readonly #onFatal: (error: Error) => void;
  #lastId = 0;
  #dead: Error | undefined;
  #closing: Promise<unknown> | undefined;

  private constructor(worker: Worker, onFatal: (error: Error) => void) {
    this.#worker = worker;
    this.#onFatal = onFatal;
    worker.on("message", (message: FromThread) => this.#receive(message));
    worker.on("error", (error) => this.#die(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.#die(new Error("A database thread ended")));
  }

  /** @param open what has to happen before the file is opened; loading the thread's code does not wait for it. */
  static async start(data: ThreadData, onFatal: (error: Error) => void, open?: Promise<unknown>): Promise<Thread> {
    const worker = new Worker(new URL("./thread/thread.ts", import.meta.url), { workerData: data });
    const ended = once(worker, "exit").then((): [FromThread] => {
      throw new Error("A database thread ended before it was ready");
    });
    ended.catch(() => undefined);
    await open?.catch(async (error) => {
      await worker.terminate();
      throw error;
    });
    worker.postMessage({ kind: "open" } satisfies ToThread);
    const [message] = (await Promise.race([once(worker, "message"), ended])) as [FromThread];
    if (message.kind === "open-failed") {
      await worker.terminate();
      throw openingFailure(data.path, message);
    }
    return new Thread(worker, onFatal);
  }

  async write(writing: Writing): Promise<Written> {
    const answer = await this.#ask((id) => ({ kind: "write", id, ...writing }));
    if (answer.kind !== "written") throw new Error("A database thread answered something else than it was asked");
    return answer.written;
  }

  async read(call: Call): Promise<Outcome> {
    const answer = await this.#ask((id) => ({ kind: "read", id, call }));
    if (answer.kind !== "read") throw new Error("A database thread answered something else than it was asked");
    return answer.outcome;
  }

  #ask(message: (id: number) => ToThread): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined || this.#closing !== undefined) return reject(unavailable(this.#dead));
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.#worker.postMessage(message(this.#lastId));
    });
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return;
    this.#closing ??= once(this.#worker, "exit");
    this.#worker.postMessage({ kind: "close" } satisfies ToThread);
    await this.#closing;
  }

  #receive(message: FromThread): void {
    if (message.kind === "ready" || message.kind === "open-failed") return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    // After a failed fsync SQLite reports the next commit as a success, although the kernel dropped the pages.
    if (outcomesOf(message).some(isFailedSync)) this.#onFatal(new Error("The disk failed to sync the database file"));
    waiting?.resolve(message);
  }

  #die(error: Error): void {
    if (this.#dead !== undefined) return;
    this.#dead = error;
    for (const { reject } of this.#waiting.values()) reject(unavailable(error));
    this.#waiting.clear();
    if (this.#closing === undefined) this.#onFatal(error);
  }
}

export function unavailable(cause: Error | undefined): Problem {
  return new Problem("storage_unavailable", "The storage is closed.", { cause });
}

function outcomesOf(answer: Answer): readonly Outcome[] {
  if (answer.kind === "read") return [answer.outcome];
  const { outcomes, appendOutcomes } = answer.written;
  return appendOutcomes === undefined ? outcomes : [...outcomes, ...appendOutcomes];
}

/** SQLITE_IOERR_FSYNC of https://www.sqlite.org/rescode.html */
function isFailedSync(outcome: Outcome): boolean {
  return outcome.kind === "failed" && outcome.errcode === failedSync;
}
