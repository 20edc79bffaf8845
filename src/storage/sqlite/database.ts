/** The main thread's end of the database: one thread that writes and one that reads. */
import { randomUUID } from "node:crypto";
import type { Observer } from "../../observer.ts";
import { Problem } from "../../protocol/problems.ts";
import { CommitPacer } from "../commit-pacer.ts";
import { LeaseLost, PositionRefused } from "../storage.ts";
import { bootId } from "./boot-id.ts";
import { inMemory } from "./connection.ts";
import { Thread, unavailable, type Waiting } from "./database-thread.ts";
import { isFull, problemOfFailure, refusedAsFull } from "./failures.ts";
import type { Reserve } from "./reserve.ts";
import type { Append, Call, Outcome } from "./thread/messages.ts";
import type { ReadOperations, WriteOperations } from "./thread/operations.ts";

type Argument<Operation> = Operation extends (argument: infer A) => unknown ? A : never;
type Result<Operation> = Operation extends (argument: never) => infer R ? R : never;

/** `since` is on the clock of `performance.now()`. */
type WaitingCall = Waiting<unknown> & { readonly call: Call; readonly since: number };
type WaitingAppend = Waiting<void> & { readonly append: Append; readonly since: number };

/** At most so many writes in one transaction, so that none waits long for its neighbours. */
const largestBatch = 500;

/** Nobody waits for what these write: a turn that ends has told everything but its end. All others cut a pause short. */
const patient: ReadonlySet<keyof WriteOperations> = new Set(["settleTurn"]);

/** What ends or frees something may write into the room of the reserve. */
const endings: ReadonlySet<Call["name"]> = new Set<keyof WriteOperations>([
  "settleTurn",
  "releaseTurn",
  "claimTurns",
  "requestStop",
  "deleteSession",
  "purgeDeleted",
  "revokeKey",
]);

type DatabaseOptions = {
  /** Used when a write meets a full disk. */
  readonly reserve?: Reserve | undefined;
  readonly observer?: Pick<Observer, "committed"> | undefined;
};

export class Database {
  readonly #writer: Thread;
  readonly #reader: Thread;
  readonly #reserve: Reserve | undefined;
  #calls: WaitingCall[] = [];
  #appends: WaitingAppend[] = [];
  readonly #pacer: CommitPacer;
  /** Since when the oldest write of the commit that is under way waits; on the clock of `performance.now()`. */
  #committingSince: number | undefined;
  #closing = false;
  /** Fewer than `largestBatch` while the disk is full. */
  #mostTogether = largestBatch;
  /** Set once the file turned out to be damaged: writing on could only make it worse. */
  #damage: Problem | undefined;

  private constructor(writer: Thread, reader: Thread, { reserve, observer }: DatabaseOptions) {
    this.#writer = writer;
    this.#reader = reader;
    this.#reserve = reserve;
    this.#pacer = new CommitPacer({ isWaiting: () => this.#isWaiting, commit: () => this.#commit(), observer });
  }

  /**
   * @param onFatal called when acknowledging anything more would be a lie: a thread died or an fsync failed
   * @throws Error with a sentence for the operator when the file cannot be used
   */
  static async open(path: string, onFatal: (error: Error) => void, options: DatabaseOptions = {}): Promise<Database> {
    const worker = { boot: bootId(), id: randomUUID() };
    // A database in memory belongs to one connection.
    if (path === inMemory) {
      const thread = await Thread.start({ path, role: "writer-and-reader", worker }, onFatal);
      return new Database(thread, thread, options);
    }
    const writer = Thread.start({ path, role: "writer", worker }, onFatal);
    // The writer makes the tables that the reader prepares its statements for.
    const reader = Thread.start({ path, role: "reader", worker }, onFatal, writer);
    try {
      return new Database(await writer, await reader, options);
    } catch (error) {
      await Promise.all(
        [writer, reader].map((starting) => starting.then((thread) => thread.close()).catch(() => undefined)),
      );
      throw error;
    }
  }

  /** For whoever only calls `read`. */
  static async openForReading(path: string, onFatal: (error: Error) => void): Promise<Database> {
    const thread = await Thread.start({ path, role: "reader", worker: { boot: bootId(), id: randomUUID() } }, onFatal);
    return new Database(thread, thread, {});
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
      this.#pacer.request({ patient: patient.has(name) });
    });
  }

  /** Resolves once the events are committed, and safe from the death of the process. @throws LeaseLost, PositionRefused */
  append(append: Append): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closing || this.#damage !== undefined) return reject(this.#damage ?? unavailable(undefined));
      this.#appends.push({ append, since: performance.now(), resolve, reject });
      this.#pacer.request({ patient: true });
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
    await this.#pacer.finish();
    // The writer last: whoever closes last brings everything from the write-ahead log into the file.
    await this.#reader.close();
    await this.#writer.close();
  }

  get #isWaiting(): boolean {
    return this.#calls.length + this.#appends.length > 0;
  }

  #commit(): { writes: number; done: Promise<void> } {
    this.#committingSince = this.#oldest;
    if (this.isFull) this.#refuseBeginnings();
    else this.#mostTogether = largestBatch;
    const calls = this.#calls.splice(0, this.#mostTogether);
    const appends = this.#appends.splice(0, this.#mostTogether);
    const writes = calls.length + appends.length;
    const done = writes === 0 ? Promise.resolve() : this.#commitBatch(calls, appends);
    return {
      writes,
      done: done.finally(() => {
        this.#committingSince = undefined;
      }),
    };
  }

  /** Never rejects. */
  async #commitBatch(calls: readonly WaitingCall[], appends: readonly WaitingAppend[]): Promise<void> {
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
        throw problemFrom(outcome);
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

function problemFrom({ code, detail, turn, retryAfterSeconds, most }: Extract<Outcome, { kind: "problem" }>): Problem {
  return new Problem(code, detail, {
    ...(turn !== undefined && { turn }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(most !== undefined && { most }),
  });
}
