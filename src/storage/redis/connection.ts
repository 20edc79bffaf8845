/**
 * One connection to the server, made anew whenever it is lost. Commands are never kept for later: while there is no
 * connection they fail at once, and a server that does not answer in time counts as lost.
 */
import { RedisClient } from "@redis/client";
import type { Problem } from "../../protocol/problems.ts";
import { isDemoted, isUnknownScript, problemOfFailure, refusalOf } from "./failures.ts";
import type { Script } from "./script.ts";

/** As the server gives it: nothing, a number, a string or a list of them. */
export type Reply = null | number | string | readonly Reply[];

/** A plain command by its words, or a script on a key. */
export type Command = readonly string[] | ScriptCall;

export type ScriptCall = { readonly script: Script; readonly key: string; readonly values: readonly string[] };

/** What became of a command: a reply, or a failure in our words. */
export type Outcome = Reply | Problem;

type Client = ReturnType<typeof makeClient>;

export type ConnectionOptions = {
  readonly url: string;
  /** Shown by the server among its clients. */
  readonly name: string;
  /** Called whenever a connection is there, also a new one in the place of another. */
  readonly onReady?: (() => void) | undefined;
  /** Called whenever it is lost or cannot be made. */
  readonly onLost?: ((cause: Error) => void) | undefined;
  /** Called when no try can succeed: with why, for the operator. Not any more once a connection worked. */
  readonly onRefused?: ((sentence: string, cause: Error) => void) | undefined;
};

/** So many commands may wait for their answers; more are refused. */
const mostInFlight = 1_000;

/** Milliseconds. */
const connectTimeout = 3_000;
const commandTimeout = 2_000;
const longestReconnectPause = 2_000;

export class Connection {
  readonly #options: ConnectionOptions;
  #client: Client | undefined;
  #worked = false;
  #closed = false;
  #inFlight = 0;
  /** How many scripts the server did not know, so that they were sent once more, with their source. */
  unknownScripts = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#connect();
  }

  get isReady(): boolean {
    return this.#client?.isReady ?? false;
  }

  /**
   * Sends commands together and gives what became of each, in their order. Never rejects.
   *
   * @param milliseconds how much longer than other commands these may take
   */
  async send(commands: readonly Command[], milliseconds = 0): Promise<readonly Outcome[]> {
    const client = this.#client;
    if (client === undefined || !client.isReady) return commands.map(() => unreachable());
    if (this.#inFlight + commands.length > mostInFlight) return commands.map(() => overcrowded());
    this.#inFlight += commands.length;
    const timer = setTimeout(() => this.#giveUp(client, new Error("No answer in time")), commandTimeout + milliseconds);
    try {
      return await Promise.all(commands.map((command) => this.#outcomeOf(client, command)));
    } finally {
      clearTimeout(timer);
      this.#inFlight -= commands.length;
    }
  }

  /** @param listener is given what is said on the channel, from when this resolves on */
  async subscribe(channel: string, listener: (message: string, channel: string) => void): Promise<void> {
    if (this.#client?.isReady) await this.#client.subscribe(channel, listener);
  }

  /** @param listener without it the client would take a channel that is subscribed to meanwhile for one that still is */
  async unsubscribe(channel: string, listener: (message: string, channel: string) => void): Promise<void> {
    if (this.#client?.isReady) await this.#client.unsubscribe(channel, listener);
  }

  /** Gives up the connection for a new one, which may lead to another server. */
  renew(cause: Error): void {
    if (this.#client !== undefined) this.#giveUp(this.#client, cause);
  }

  close(): void {
    this.#closed = true;
    this.#client?.destroy();
  }

  /** What waits on this connection fails, and the next one may lead to a server that answers. */
  #giveUp(client: Client, cause: Error): void {
    if (client !== this.#client || this.#closed) return;
    this.#options.onLost?.(cause);
    client.destroy();
    this.#connect();
  }

  async #outcomeOf(client: Client, command: Command): Promise<Outcome> {
    try {
      return await this.#run(client, command);
    } catch (error) {
      if (isDemoted(error)) this.#giveUp(client, error as Error);
      return problemOfFailure(error);
    }
  }

  async #run(client: Client, command: Command): Promise<Reply> {
    if (!("script" in command)) return client.sendCommand(command);
    const { script, key, values } = command;
    try {
      return await client.sendCommand(["EVALSHA", script.sha, "1", key, ...values]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      this.unknownScripts += 1;
      return client.sendCommand(["EVAL", script.source, "1", key, ...values]);
    }
  }

  #connect(): void {
    const client = makeClient(this.#options, (retries, cause) => this.#pauseBefore(retries, cause));
    this.#client = client;
    client.on("error", (error: Error) => {
      if (this.#closed || client !== this.#client) return;
      this.#options.onLost?.(error);
      const refusal = this.#refusalOf(error);
      if (refusal !== undefined) this.#options.onRefused?.(refusal, error);
    });
    client.on("ready", () => {
      this.#worked = true;
      this.#options.onReady?.();
    });
    // It goes on trying until it is closed, and says how that goes by its events.
    client.connect().catch(() => undefined);
  }

  /** Why no other try can succeed. Where nobody wants to know, or once a connection worked, one always may. */
  #refusalOf(error: Error): string | undefined {
    return this.#worked || this.#options.onRefused === undefined ? undefined : refusalOf(error);
  }

  /** Milliseconds; at random, so that the replicas of a service do not all come at once. */
  #pauseBefore(retries: number, cause: Error): number | false {
    if (this.#closed || this.#refusalOf(cause) !== undefined) return false;
    return Math.random() * Math.min(longestReconnectPause, 100 * 2 ** retries);
  }
}

const protocol = { RESP: 2 } as const;

/**
 * Once for all connections: `createClient` makes a class with every command of Redis for each connection whose options are
 * not those of the last one, which takes 30 ms of CPU.
 */
const newClient = RedisClient.factory(protocol);

function makeClient({ url, name }: ConnectionOptions, pauseBefore: (retries: number, cause: Error) => number | false) {
  const options = {
    ...protocol,
    url,
    name,
    disableOfflineQueue: true,
    // Its own time limits cost a timer for each command, and do not count any more once the command is sent.
    commandOptions: { timeout: 0 },
    socket: { connectTimeout, reconnectStrategy: pauseBefore },
  };
  return newClient(options);
}

function unreachable(): Problem {
  return problemOfFailure(new Error("There is no connection to the server"));
}

function overcrowded(): Problem {
  return problemOfFailure(new Error(`${mostInFlight} commands wait for their answers already`));
}
