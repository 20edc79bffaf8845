/**
 * The main thread's end of the database: one thread that writes and one that reads.
 *
 * Group commit: what is to be written while a commit is under way gathers, and goes together in the next one. At rest
 * the first write waits only for the end of the event loop's turn, so that no first token is held back.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Problem } from "../../protocol/problems.ts";
import { LeaseLost, PositionRefused } from "../storage.ts";
import { bootId } from "./boot-id.ts";
import { inMemory } from "./connection.ts";
import { failedSync, isFull, openingFailure, problemOfFailure, refusedAsFull } from "./failures.ts";
import type { Reserve } from "./reserve.ts";
import type { Append, Call, FromThread, Outcome, ThreadData, ToThread, Writing, Written } from "./thread/messages.ts";
import type { ReadOperations, WriteOperations } from "./thread/operations.ts";

type Argument<Operation> = Operation extends (argument: infer A) => unknown ? A : never;
type Result<Operation> = Operation extends (argument: never) => infer R ? R : never;

type Waiting<Value> = { resolve(value: Value): void; reject(error: unknown): void };
/** `since` is on the clock of `performance.now()`. */
type WaitingCall = Waiting<unknown> & { readonly call: Call; readonly since: number };
type WaitingAppend = Waiting<void> & { readonly append: Append; readonly since: number };

/** At most so many writes in one transaction, so that none waits long for its neighbours. */
const largestBatch = 500;

/**
 * The longest pause between two commits, in milliseconds. A commit costs nearly the same for one write as for forty, so one
 * of n writes is followed by a pause of n - 1 milliseconds in which more can gather: under load they cost a fraction, and
 * a lone turn never waits.
 */
const longestPause = 10;

/** Nobody waits for what these write: a turn that ends has told everything but its end. All others cut a pause short. */
const patient: ReadonlySet<keyof WriteOperations> = new Set(["settleTurn"]);

/** What ends or frees something may write into the room of the reserve. */
const endings: ReadonlySet<Call["name"]> = new Set<keyof WriteOperations>([
  "settleTurn",
  "releaseTurn",
  "claimTurns",
  "requestStop",
  "deleteSession",
]);

export class Database {
  readonly #writer: Thread;
  readonly #reader: Thread;
  readonly #reserve: Reserve | undefined;
  #calls: WaitingCall[] = [];
  #appends: WaitingAppend[] = [];
  #committing: Promise<void> | undefined;
  /** A commit follows at the end of this turn of the event loop. */
  #soon = false;
  /** A commit follows at the end of the pause. */
  #pause: NodeJS.Timeout | undefined;
  /** On the clock of `performance.now()`. */
  #pauseEndsAt = 0;
  /** Since when the oldest write of the commit that is under way waits; on the clock of `performance.now()`. */
  #committingSince: number | undefined;
  #closing = false;
  /** Fewer than `largestBatch` while the disk is full. */
  #mostTogether = largestBatch;
  /** Set once the file turned out to be damaged: writing on could only make it worse. */
  #damage: Problem | undefined;

  private constructor(writer: Thread, reader: Thread, reserve: Reserve | undefined) {
    this.#writer = writer;
    this.#reader = reader;
    this.#reserve = reserve;
  }

  /**
   * @param onFatal called when acknowledging anything more would be a lie: a thread died or an fsync failed
   * @param reserve used when a write meets a full disk
   * @throws Error with a sentence for the operator when the file cannot be used
   */
  static async open(path: string, onFatal: (error: Error) => void, reserve?: Reserve): Promise<Database> {
    const worker = { boot: bootId(), id: randomUUID() };
    // A database in memory belongs to one connection.
    if (path === inMemory) {
      const thread = await Thread.start({ path, role: "writer-and-reader", worker }, onFatal);
      return new Database(thread, thread, reserve);
    }
    const writer = Thread.start({ path, role: "writer", worker }, onFatal);
    // The writer makes the tables that the reader prepares its statements for.
    const reader = Thread.start({ path, role: "reader", worker }, onFatal, writer);
    try {
      return new Database(await writer, await reader, reserve);
    } catch (error) {
      await Promise.all(
        [writer, reader].map((starting) => starting.then((thread) => thread.close()).catch(() => undefined)),
      );
      throw error;
    }
  }

  /** Resolves once the write is committed, and safe from a power failure. */
  write<Name extends keyof WriteOperations>(
    name: Name,
    argument: Argument<WriteOperations[Name]>,
  ): Promise<Result<WriteOperations[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#damage !== undefined) return reject(this.#damage ?? unavailable(undefined));
      const call = { name, argument };
      this.#calls.push({ call, since: performance.now(), resolve: resolve as WaitingCall["resolve"], reject });
      if (!patient.has(name)) this.#pauseEndsAt = 0;
      this.#schedule();
    });
  }

  /** Resolves once the events are committed, and safe from the death of the process. @throws LeaseLost, PositionRefused */
  append(append: Append): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#damage !== undefined) return reject(this.#damage ?? unavailable(undefined));
      this.#appends.push({ append, since: performance.now(), resolve, reject });
      this.#schedule();
    });
  }

  async read<Name extends keyof ReadOperations>(
    name: Name,
    argument: Argument<ReadOperations[Name]>,
  ): Promise<Result<ReadOperations[Name]>> {
    return this.#valueFrom(await this.#reader.read({ name, argument })) as Result<ReadOperations[Name]>;
  }

  /** The disk is full, and nothing is written but what ends or frees something. */
  get isFull(): boolean {
    return this.#reserve?.inUse ?? false;
  }

  /** How long the oldest write has waited, in milliseconds. */
  get backlog(): number {
    const since = this.#committingSince ?? this.#oldest;
    return since === undefined ? 0 : performance.now() - since;
  }

  get #oldest(): number | undefined {
    const [call] = this.#calls;
    const [append] = this.#appends;
    return call === undefined || append === undefined ? (call ?? append)?.since : Math.min(call.since, append.since);
  }

  /** Commits what was given to `write` and `append` before, refuses what comes after, and lets go of the file. */
  async close(): Promise<void> {
    this.#closing = true;
    while (this.#isWaiting || this.#committing !== undefined) {
      this.#commit();
      await this.#committing;
    }
    // The writer last: whoever closes last brings everything from the write-ahead log into the file.
    await this.#reader.close();
    await this.#writer.close();
  }

  get #isWaiting(): boolean {
    return this.#calls.length + this.#appends.length > 0;
  }

  /** The next commit begins when the pause is over, and with all that this turn of the event loop reads from its sockets. */
  #schedule(): void {
    if (this.#committing !== undefined || this.#soon) return;
    const left = this.#pauseEndsAt === 0 ? 0 : this.#pauseEndsAt - performance.now();
    if (left > 0) {
      this.#pause ??= setTimeout(() => this.#commit(), left);
    } else {
      this.#soon = true;
      setImmediate(() => this.#commit());
    }
  }

  #commit(): void {
    this.#soon = false;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (this.#committing !== undefined || !this.#isWaiting) return;
    this.#committing = this.#commitBatch().finally(() => {
      this.#committing = undefined;
      this.#committingSince = undefined;
      if (this.#isWaiting) this.#schedule();
    });
  }

  /** Never rejects. */
  async #commitBatch(): Promise<void> {
    this.#committingSince = this.#oldest;
    if (this.isFull) this.#refuseBeginnings();
    else this.#mostTogether = largestBatch;
    const calls = this.#calls.splice(0, this.#mostTogether);
    const appends = this.#appends.splice(0, this.#mostTogether);
    if (calls.length + appends.length === 0) return;
    this.#pauseEndsAt = performance.now() + Math.min(calls.length + appends.length - 1, longestPause);
    try {
      const { outcomes, appendOutcomes } = await this.#writer.write({
        calls: calls.map(({ call }) => call),
        appends: appends.map(({ append }) => append),
        durable: calls.length > 0,
      });
      // Before anybody hears of it: who then ends a turn finds room.
      if (outcomes.some(isFull) || appendOutcomes?.some(isFull)) await this.#makeRoom();
      for (const [index, call] of calls.entries()) this.#settle(call, outcomes[index]);
      for (const [index, append] of appends.entries()) {
        if (appendOutcomes === undefined) append.resolve();
        else this.#settle(append, appendOutcomes[index]);
      }
    } catch (error) {
      for (const { reject } of [...calls, ...appends]) reject(error);
    }
  }

  /** What does not fit together may fit in smaller batches, one after the other. */
  async #makeRoom(): Promise<void> {
    await this.#reserve?.use();
    this.#mostTogether = Math.ceil(this.#mostTogether / 4);
  }

  /** So that nothing eats the room that is left for the ends of turns. */
  #refuseBeginnings(): void {
    const refused = [...this.#calls.filter(({ call }) => !endings.has(call.name)), ...this.#appends];
    this.#calls = this.#calls.filter(({ call }) => endings.has(call.name));
    this.#appends = [];
    for (const { reject } of refused) reject(refusedAsFull());
  }

  #settle({ resolve, reject }: Waiting<void> | Waiting<unknown>, outcome: Outcome | undefined): void {
    try {
      resolve(this.#valueFrom(outcome) as undefined);
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

type Answer = Exclude<FromThread, { kind: "ready" | "open-failed" }>;

/** A worker thread with a connection of its own. */
class Thread {
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

function unavailable(cause: Error | undefined): Problem {
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
