/**
 * The main thread's end of the database: one thread that writes and one that reads.
 *
 * Group commit: what is to be written while a commit is under way gathers, and goes together in the next one. At rest
 * the first write waits only for the end of the event loop's turn, so there is no timer to hold back a first token.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Problem } from "../../protocol/problems.ts";
import { LeaseLost, PositionRefused } from "../storage.ts";
import { bootId } from "./boot-id.ts";
import { inMemory } from "./connection.ts";
import { openingFailure, problemOfFailure } from "./failures.ts";
import type { Call, FromThread, Outcome, ThreadData, ThreadRole, ToThread } from "./thread/messages.ts";
import { durableAgainstPowerFailure, type ReadOperations, type WriteOperations } from "./thread/operations.ts";

type Argument<Operation> = Operation extends (argument: infer A) => unknown ? A : never;
type Result<Operation> = Operation extends (argument: never) => infer R ? R : never;

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void };
type Write = Waiting & { readonly call: Call; readonly durable: boolean };

/** At most so many writes in one transaction, so that none waits long for its neighbours. */
const largestBatch = 500;

export class Database {
  readonly #writer: Thread;
  readonly #reader: Thread;
  #gathering: Write[] = [];
  #committing: Promise<void> | undefined;
  #scheduled = false;
  #closing = false;
  /** Set once the file turned out to be damaged: writing on could only make it worse. */
  #damage: Problem | undefined;

  private constructor(writer: Thread, reader: Thread) {
    this.#writer = writer;
    this.#reader = reader;
  }

  /**
   * @param onFatal called when acknowledging anything more would be a lie: a thread died or an fsync failed
   * @throws Error with a sentence for the operator when the file cannot be used
   */
  static async open(path: string, onFatal: (error: Error) => void): Promise<Database> {
    const worker = { boot: bootId(), id: randomUUID() };
    // A database in memory belongs to one connection.
    if (path === inMemory) {
      const thread = await Thread.start({ path, role: "writer-and-reader", worker }, onFatal);
      return new Database(thread, thread);
    }
    // The writer makes the tables that the reader prepares its statements for.
    const writer = await Thread.start({ path, role: "writer", worker }, onFatal);
    try {
      return new Database(writer, await Thread.start({ path, role: "reader", worker }, onFatal));
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  /** Resolves once the write is committed. */
  write<Name extends keyof WriteOperations>(
    name: Name,
    argument: Argument<WriteOperations[Name]>,
  ): Promise<Result<WriteOperations[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#damage !== undefined) return reject(this.#damage ?? unavailable(undefined));
      const durable = durableAgainstPowerFailure[name];
      this.#gathering.push({ call: { name, argument }, durable, resolve: resolve as Waiting["resolve"], reject });
      this.#schedule();
    });
  }

  async read<Name extends keyof ReadOperations>(
    name: Name,
    argument: Argument<ReadOperations[Name]>,
  ): Promise<Result<ReadOperations[Name]>> {
    const outcomes = await this.#reader.ask((id) => ({ kind: "read", id, call: { name, argument } }));
    return this.#valueFrom(outcomes[0]) as Result<ReadOperations[Name]>;
  }

  /** Commits what was given to `write` before, refuses what comes after, and lets go of the file. */
  async close(): Promise<void> {
    if (this.#gathering.length > 0) this.#commitGathered();
    this.#closing = true;
    await this.#committing;
    // The writer last: whoever closes last brings everything from the write-ahead log into the file.
    await this.#reader.close();
    await this.#writer.close();
  }

  #schedule(): void {
    if (this.#committing !== undefined || this.#scheduled) return;
    this.#scheduled = true;
    // After the poll phase: everything that this turn of the event loop read from its sockets goes together.
    setImmediate(() => {
      this.#scheduled = false;
      this.#commitGathered();
    });
  }

  #commitGathered(): void {
    this.#committing ??= this.#commitAll().finally(() => {
      this.#committing = undefined;
    });
  }

  async #commitAll(): Promise<void> {
    while (this.#gathering.length > 0) {
      const batch = this.#gathering.splice(0, largestBatch);
      const calls = batch.map(({ call }) => call);
      const durable = batch.some((write) => write.durable);
      try {
        const outcomes = await this.#writer.ask((id) => ({ kind: "write", id, calls, durable }));
        batch.forEach((write, index) => {
          this.#settle(write, outcomes[index]);
        });
      } catch (error) {
        for (const write of batch) write.reject(error);
      }
    }
  }

  #settle({ resolve, reject }: Waiting, outcome: Outcome | undefined): void {
    try {
      resolve(this.#valueFrom(outcome));
    } catch (error) {
      reject(error);
    }
  }

  #valueFrom(outcome: Outcome | undefined): unknown {
    switch (outcome?.kind) {
      case "value":
        return outcome.value;
      case "problem":
        throw new Problem(outcome.code, outcome.detail, outcome.turn === undefined ? {} : { turn: outcome.turn });
      case "lease-lost":
        throw new LeaseLost();
      case "position-refused":
        throw new PositionRefused(outcome.head);
      case "failed": {
        const problem = problemOfFailure(outcome);
        if (problem.code === "storage_corrupt") this.#damage = problem;
        throw problem;
      }
      case undefined:
        throw new Error("A database thread gave no outcome");
    }
  }
}

/** A worker thread with a connection of its own. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(outcomes: readonly Outcome[]): void; reject(error: unknown): void }>();
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

  static async start(data: ThreadData & { role: ThreadRole }, onFatal: (error: Error) => void): Promise<Thread> {
    const worker = new Worker(new URL("./thread/thread.ts", import.meta.url), { workerData: data });
    const ended = once(worker, "exit").then((): [FromThread] => {
      throw new Error("A database thread ended before it was ready");
    });
    ended.catch(() => undefined);
    const [message] = (await Promise.race([once(worker, "message"), ended])) as [FromThread];
    if (message.kind === "open-failed") {
      await worker.terminate();
      throw openingFailure(data.path, message);
    }
    return new Thread(worker, onFatal);
  }

  ask(message: (id: number) => ToThread): Promise<readonly Outcome[]> {
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
    if (message.kind !== "done") return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    // After a failed fsync SQLite reports the next commit as a success, although the kernel dropped the pages.
    if (message.outcomes.some(isFailedSync)) this.#onFatal(new Error("The disk failed to sync the database file"));
    waiting?.resolve(message.outcomes);
  }

  #die(error: Error): void {
    if (this.#dead !== undefined) return;
    this.#dead = error;
    for (const { reject } of this.#waiting.values()) reject(unavailable(error));
    this.#waiting.clear();
    if (this.#closing === undefined) this.#onFatal(error);
  }
}

function unavailable(cause: Error | undefined): Problem {
  return new Problem("storage_unavailable", "The storage is closed.", { cause });
}

/** SQLITE_IOERR_FSYNC of https://www.sqlite.org/rescode.html */
function isFailedSync(outcome: Outcome): boolean {
  return outcome.kind === "failed" && outcome.errcode === 1034;
}
