/** Channels of the server, listened to on a connection of their own and again on each new one. */
import { Connection } from "./connection.ts";

export type ChannelListener = (message: string) => void;

/** Milliseconds between looks whether the connection still works: a silent one looks like one on which nothing is said. */
const checkInterval = 5_000;

export class Subscriptions {
  readonly #connection: Connection;
  readonly #listeners = new Map<string, Set<ChannelListener>>();
  readonly #check: NodeJS.Timeout;

  constructor(url: string) {
    this.#connection = new Connection({ url, name: "chat-wakes", onReady: () => this.#subscribeToAll() });
    this.#check = setInterval(() => void this.#connection.send([["PING"]]), checkInterval).unref();
  }

  add(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners !== undefined) {
      listeners.add(listener);
      return;
    }
    this.#listeners.set(channel, new Set([listener]));
    this.#subscribe(channel);
  }

  remove(channel: string, listener: ChannelListener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners === undefined) return;
    listeners.delete(listener);
    if (listeners.size > 0) return;
    this.#listeners.delete(channel);
    this.#connection.unsubscribe(channel, this.#deliver).catch(() => undefined);
  }

  close(): void {
    clearInterval(this.#check);
    this.#connection.close();
  }

  readonly #deliver = (message: string, channel: string): void => {
    for (const listener of this.#listeners.get(channel) ?? []) listener(message);
  };

  #subscribeToAll(): void {
    for (const channel of this.#listeners.keys()) this.#subscribe(channel);
  }

  #subscribe(channel: string): void {
    this.#connection
      .subscribe(channel, this.#deliver)
      // What was said before is not known: whoever listens looks.
      .then(() => this.#deliver("subscribed", channel))
      // The next connection subscribes again.
      .catch(() => undefined);
  }
}
