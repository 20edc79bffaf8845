/** Writes on one connection, gathered while the ones before them are under way. */
import type { Observer } from "../../observer.ts";
import { isProblem } from "../../protocol/problems.ts";
import { CommitPacer } from "../commit-pacer.ts";
import type { Command, Connection, Outcome } from "./connection.ts";
import { acknowledgementTimeout, type Durability, isAcknowledged, waitCommand } from "./durability.ts";

/** At most so many writes go together. */
export const largestBatch = 200;

type Waiting = {
  readonly commands: readonly Command[];
  readonly since: number;
  resolve(outcomes: Gathered): void;
};

type Gathered = { readonly outcomes: readonly Outcome[]; readonly isDurable: boolean };

type Acknowledgement = { readonly durability: Durability; readonly replicas: number };

export class Lane {
  readonly #connection: Connection;
  readonly #acknowledgement: () => Acknowledgement | undefined;
  readonly #pacer: CommitPacer;
  #waiting: Waiting[] = [];
  /** On the clock of `performance.now()`. */
  #sendingSince: number | undefined;

  /** @param acknowledgement what each batch waits for, besides the server's answers */
  constructor(
    connection: Connection,
    acknowledgement: () => Acknowledgement | undefined,
    observer: Pick<Observer, "committed"> | undefined,
  ) {
    this.#connection = connection;
    this.#acknowledgement = acknowledgement;
    this.#pacer = new CommitPacer({
      isWaiting: () => this.#waiting.length > 0,
      commit: () => this.#commit(),
      observer,
    });
  }

  get isReady(): boolean {
    return this.#connection.isReady;
  }

  get backlog(): number {
    const since = this.#sendingSince ?? this.#waiting[0]?.since;
    return since === undefined ? 0 : performance.now() - since;
  }

  write(commands: readonly Command[], { patient }: { patient: boolean }): Promise<Gathered> {
    return new Promise((resolve) => {
      this.#waiting.push({ commands, since: performance.now(), resolve });
      this.#pacer.request({ patient });
    });
  }

  /** Resolves when everything that was given before is written. */
  finish(): Promise<void> {
    return this.#pacer.finish();
  }

  close(): void {
    this.#connection.close();
  }

  #commit(): { writes: number; done: Promise<void> } {
    this.#sendingSince = this.#waiting[0]?.since;
    const batch = this.#waiting.splice(0, largestBatch);
    return { writes: batch.length, done: this.#send(batch) };
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const acknowledgement = this.#acknowledgement();
    const wait = acknowledgement && waitCommand(acknowledgement.durability, acknowledgement.replicas);
    const commands = batch.flatMap((each) => each.commands);
    const { unknownScripts } = this.#connection;
    // One wait for all of them: it is for what was written on the same connection before it.
    const outcomes = await this.#connection.send(
      wait === undefined ? commands : [...commands, wait],
      wait === undefined ? 0 : acknowledgementTimeout,
    );
    const reply = wait === undefined ? null : (outcomes.at(-1) ?? null);
    const isDurable =
      acknowledgement === undefined ||
      acknowledgement.durability === "async" ||
      // A script that the server did not know was written after the wait.
      (unknownScripts === this.#connection.unknownScripts &&
        !isProblem(reply) &&
        isAcknowledged(acknowledgement.durability, acknowledgement.replicas, reply));
    this.#sendingSince = undefined;
    let start = 0;
    for (const { commands: own, resolve } of batch) {
      resolve({ outcomes: outcomes.slice(start, start + own.length), isDurable });
      start += own.length;
    }
  }
}
