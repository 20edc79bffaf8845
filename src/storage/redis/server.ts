/**
 * The server as the rest of this directory sees it: reads, a log's events, and what has to be durable, each on a connection
 * of its own, so that none of them waits for another.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log.ts";
import type { Observer } from "../../observer.ts";
import { isProblem, Problem } from "../../protocol/problems.ts";
import { type Command, Connection, type Outcome, type Reply, type ScriptCall } from "./connection.ts";
import { type Durability, inspectServer, obstaclesOf, type ServerFacts, weaknessesOf } from "./durability.ts";
import { problemOfFailure } from "./failures.ts";
import { Lane, largestBatch } from "./lane.ts";
import { scripts } from "./script.ts";

export type ServerOptions = {
  readonly url: string;
  /** Undefined for `replica` where a replica is connected, and `async` where none is. */
  readonly durability: Durability | undefined;
  /** Goes on with a server that may lose or forget what it acknowledged. */
  readonly allowWeak: boolean;
  /** Called when the server cannot be used, with a sentence for the operator. */
  readonly onRefused: (error: Error) => void;
  /** Called whenever the server is there, and again after it was lost. */
  readonly onReady: () => void;
  readonly log: Log | undefined;
  readonly observer: Pick<Observer, "committed"> | undefined;
};

/** A write, and whether it is as durable as was wanted. */
export type Written = { readonly reply: Reply; readonly isDurable: boolean };

/** Milliseconds until a server that was not ready to say what it is, is asked again. */
const inspectionPause = 500;

/** Milliseconds in which a read that failed is tried again. */
const longestReadRetry = 1_000;

export class Server {
  readonly #options: ServerOptions;
  readonly #reads: Connection;
  readonly #logs: Lane;
  readonly #durable: Lane;
  #facts: ServerFacts | undefined;
  /** Whether the server at the other end of the connection for reads was asked what it is, and is fit for use. */
  #isInspected = false;
  #complained = false;
  #lost = false;
  #closing = false;
  readonly #wholes = new Set<Promise<unknown>>();

  constructor(options: ServerOptions) {
    this.#options = options;
    const { url, observer } = options;
    const onLost = (cause: Error) => this.#onLost(cause);
    this.#reads = new Connection({
      url,
      name: "chat-reads",
      onLost,
      onRefused: (sentence, cause) => this.#refuse(sentence, cause),
      onReady: () => void this.#inspect(),
    });
    const onReady = () => this.#announce();
    this.#logs = new Lane(new Connection({ url, name: "chat-logs", onLost, onReady }), () => undefined, observer);
    this.#durable = new Lane(
      new Connection({ url, name: "chat-writes", onLost, onReady }),
      () => this.#acknowledgement,
      observer,
    );
  }

  /** What its acknowledgements stand for; unknown until it was reached, or where it does not tell. */
  get durability(): Durability | "unknown" {
    const facts = this.#facts;
    return facts?.appendOnly === undefined || facts.sync === undefined ? "unknown" : this.#durability;
  }

  get isReady(): boolean {
    const connections = [this.#reads, this.#logs, this.#durable];
    return this.#isInspected && connections.every(({ isReady }) => isReady);
  }

  get #durability(): Durability {
    const { durability } = this.#options;
    return durability ?? (this.#facts !== undefined && this.#facts.replicas > 0 ? "replica" : "async");
  }

  get #acknowledgement(): { readonly durability: Durability; readonly replicas: number } {
    return { durability: this.#durability, replicas: this.#facts?.replicas ?? 0 };
  }

  /** How long the oldest write has waited, in milliseconds. */
  get backlog(): number {
    return Math.max(this.#logs.backlog, this.#durable.backlog);
  }

  /** Asked once, for whoever wants to know how it is. @throws Problem */
  async readOnce(command: Command): Promise<Reply> {
    return replyOf((await this.#reads.send([command]))[0]);
  }

  /** Reading twice does no harm, so a server that goes away for a moment is asked again. @throws Problem */
  async read(command: Command): Promise<Reply> {
    const until = performance.now() + longestReadRetry;
    for (let pause = 50; ; pause *= 2) {
      this.#checkOpen();
      const outcome = (await this.#reads.send([command]))[0];
      if (!isProblem(outcome, "storage_unavailable") || performance.now() + pause > until) return replyOf(outcome);
      await delay(pause);
    }
  }

  /** Logs events; patient, so that under load many turns' events go together. @throws Problem */
  async log(call: ScriptCall): Promise<Reply> {
    this.#checkOpen();
    const { outcomes } = await this.#logs.write([call], { patient: true });
    return replyOf(outcomes[0]);
  }

  /** Several signs of life and looks at what replicas share, each with what became of it. */
  async logAll(calls: readonly Command[]): Promise<readonly Outcome[]> {
    this.#checkOpen();
    return (await this.#logs.write(calls, { patient: false })).outcomes;
  }

  /** Writes what nobody relies on, some time; whether that succeeds is not told. */
  note(command: Command): void {
    if (!this.#closing) void this.#logs.write([command], { patient: true });
  }

  /**
   * Writes what somebody is going to rely on. Resolves with the last command's reply.
   *
   * @throws Problem what became of the last command
   */
  async write(...commands: readonly Command[]): Promise<Written> {
    this.#checkOpen();
    const { outcomes, isDurable } = await this.#durable.write(commands, { patient: false });
    return { reply: replyOf(outcomes.at(-1)), isDurable };
  }

  /** Several writes, each with what became of it. */
  async writeAll(commands: readonly Command[]): Promise<readonly Outcome[]> {
    this.#checkOpen();
    return (await this.#durable.write(commands, { patient: false })).outcomes;
  }

  /** Work of several writes, of which one needs the reply of another: when it has begun, closing waits for all of it. */
  async whole<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#checkOpen();
    const working = work();
    this.#wholes.add(working);
    try {
      return await working;
    } finally {
      this.#wholes.delete(working);
    }
  }

  /** Nothing is sent any more. */
  get isClosing(): boolean {
    return this.#closing;
  }

  /** Looks again at what the server is: replicas come and go. */
  async refresh(): Promise<void> {
    const facts = await inspectServer(this.#reads).catch(() => undefined);
    if (facts === undefined) return;
    if (facts.role === "slave") return this.#reads.renew(demoted());
    this.#learn(facts);
  }

  /**
   * Writes what was given before, then lets go.
   *
   * @param farewell gives the last writes, which are tried once; asked when all the others are done
   */
  async close(farewell: () => readonly Command[]): Promise<void> {
    await Promise.allSettled(this.#wholes);
    this.#closing = true;
    await Promise.all([this.#logs.finish(), this.#durable.finish()]);
    const last = farewell();
    for (let start = 0; start < last.length; start += largestBatch) {
      await this.#durable.write(last.slice(start, start + largestBatch), { patient: false });
    }
    for (const lane of [this.#logs, this.#durable]) lane.close();
    this.#reads.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw new Problem("storage_unavailable", "The storage is closed.");
  }

  async #inspect(): Promise<void> {
    this.#isInspected = false;
    try {
      const facts = await inspectServer(this.#reads);
      if (facts.role === "slave" && this.#facts !== undefined) {
        return this.#later(() => this.#reads.renew(demoted()));
      }
      // Beforehand, as one that the server does not know yet takes a second try.
      await this.#reads.send(Object.values(scripts).map(({ source }) => ["SCRIPT", "LOAD", source]));
      const { durability, allowWeak } = this.#options;
      const obstacles = obstaclesOf(facts, durability);
      const weaknesses = weaknessesOf(facts);
      if (obstacles.length > 0) return this.#refuse(obstacles.join(" "));
      if (weaknesses.length > 0 && !allowWeak) {
        return this.#refuse(`${weaknesses.join(" ")} ALLOW_WEAK_REDIS=1 starts all the same.`);
      }
      this.#learn(facts);
      this.#complainOnce(weaknesses);
      this.#isInspected = true;
      this.#announce();
    } catch {
      // Still loading its file; where it is lost again, the next connection asks.
      this.#later(() => void this.#inspect());
    }
  }

  /** Whoever was promised a replica is not quietly given less when the last one goes. */
  #learn(facts: ServerFacts): void {
    const promised = Math.min(this.#facts?.replicas ?? 0, 1);
    this.#facts = { ...facts, replicas: Math.max(facts.replicas, promised) };
  }

  #complainOnce(weaknesses: readonly string[]): void {
    if (this.#complained) return;
    this.#complained = true;
    const { log } = this.#options;
    for (const weakness of weaknesses) log?.warn({}, `The Redis server may lose what was acknowledged. ${weakness}`);
    if (this.durability !== "unknown") return;
    log?.warn({}, "The Redis server does not tell whether it keeps what was acknowledged: its durability is unknown");
  }

  #later(act: () => void): void {
    setTimeout(() => {
      if (!this.#closing && this.#reads.isReady) act();
    }, inspectionPause).unref();
  }

  /** Told by each connection, and meant once all of them are there. */
  #announce(): void {
    if (!this.isReady) return;
    const { log, onReady } = this.#options;
    if (this.#lost) log?.info({}, "The Redis server is there again");
    this.#lost = false;
    onReady();
  }

  #onLost(cause: Error): void {
    if (this.#lost || this.#closing) return;
    this.#lost = true;
    this.#options.log?.error({ err: problemOfFailure(cause) }, "The Redis server cannot be reached; trying again");
  }

  #refuse(sentence: string, cause?: Error): void {
    this.#options.onRefused(new Error(`The Redis server of STORAGE_URL cannot be used: ${sentence}`, { cause }));
  }
}

/** A failover is under way: behind the same name there will be a server that takes writes. */
function demoted(): Error {
  return new Error("The server has become a replica, which takes no writes");
}

function replyOf(outcome: Outcome | undefined): Reply {
  if (isProblem(outcome)) throw outcome;
  return outcome ?? null;
}
