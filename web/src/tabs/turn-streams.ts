/**
 * The leader's connections: one for each turn that any tab watches, and never so many that a browser, which has six for
 * a server over HTTP/1.1, would have none left for sending and reading. Turns beyond that take turns: each goes on from
 * its last event, so nobody misses anything.
 */
import type { Answer, ChatClient, ChatEvent, ConnectionChange } from "../../../client/index.ts";
import { type Failure, failureOf } from "./failure.ts";
import { afterEvent, keyOf, type LiveTurn, lastEventId, newLiveTurn } from "./live-turn.ts";

export type StreamEvents = {
  event(live: LiveTurn, event: ChatEvent): void;
  /** Trying again cannot help. */
  failure(live: LiveTurn, failure: Failure): void;
  connection(isLost: boolean): void;
};

type Stream = {
  live: LiveTurn;
  readonly watchers: Set<string>;
  /** Undefined while the stream waits for a place. */
  answer: Answer | undefined;
  isLost: boolean;
};

type Options = {
  readonly client: Pick<ChatClient, "follow">;
  readonly events: StreamEvents;
  readonly most?: number;
  /** How long a stream keeps its place while others wait, in ms. */
  readonly sliceMs?: number;
};

/** Turns that have ended are remembered for tabs that were slow to ask; so many of them. */
const mostEnded = 8;

export class TurnStreams {
  readonly #options: Required<Options>;
  readonly #streams = new Map<string, Stream>();
  readonly #ended = new Map<string, LiveTurn>();
  #slice: ReturnType<typeof setTimeout> | undefined;

  constructor(options: Options) {
    this.#options = { most: 3, sliceMs: 1_500, ...options };
  }

  /** Begins, or goes on, to follow a turn; what is known of it already. With the answer to a prompt that began it. */
  watch(sessionId: string, turn: number, watcher: string, answer?: Answer): LiveTurn {
    const key = keyOf({ sessionId, turn });
    const ended = this.#ended.get(key);
    if (ended !== undefined) {
      void answer?.return();
      return ended;
    }
    const known = this.#streams.get(key);
    if (known !== undefined) {
      known.watchers.add(watcher);
      void answer?.return();
      return known.live;
    }
    const stream: Stream = {
      live: newLiveTurn(sessionId, turn),
      watchers: new Set([watcher]),
      answer: undefined,
      isLost: false,
    };
    this.#streams.set(key, stream);
    if (answer !== undefined && this.#running().length < this.#options.most) void this.#read(stream, answer);
    else void answer?.return();
    this.#fill();
    return stream.live;
  }

  unwatch(sessionId: string, turn: number, watcher: string): void {
    const stream = this.#streams.get(keyOf({ sessionId, turn }));
    stream?.watchers.delete(watcher);
    if (stream?.watchers.size === 0) this.#drop(stream);
  }

  /** For the answer to a prompt, whose connection was opened before it got here. */
  connectionChanged(answer: Answer | undefined, { state }: ConnectionChange): void {
    const stream = this.#running().find((running) => running.answer === answer);
    if (stream !== undefined) this.#setLost(stream, state === "lost");
  }

  /** The network is back: whoever waits for the next try need not. */
  hurry(): void {
    for (const stream of this.#running()) if (stream.isLost) this.#pause(stream);
    this.#fill();
  }

  close(): void {
    for (const stream of [...this.#streams.values()]) this.#drop(stream);
  }

  #running(): Stream[] {
    return [...this.#streams.values()].filter(({ answer }) => answer !== undefined);
  }

  #waiting(): Stream[] {
    return [...this.#streams.values()].filter(({ answer }) => answer === undefined);
  }

  #drop(stream: Stream): void {
    this.#streams.delete(keyOf(stream.live));
    this.#pause(stream);
    this.#fill();
  }

  #pause(stream: Stream): void {
    void stream.answer?.return();
    stream.answer = undefined;
    if (stream.isLost) this.#setLost(stream, false);
  }

  /** Gives free places to those that wait. */
  #fill(): void {
    const free = this.#options.most - this.#running().length;
    for (const stream of this.#waiting().slice(0, free)) this.#open(stream);
    if (this.#waiting().length > 0) this.#slice ??= setTimeout(() => this.#rotate(), this.#options.sliceMs);
  }

  /** The one that has had its place for longest goes to the end of the line. */
  #rotate(): void {
    this.#slice = undefined;
    const [longest] = this.#running();
    if (longest !== undefined && this.#waiting().length > 0) {
      this.#pause(longest);
      this.#streams.delete(keyOf(longest.live));
      const first = this.#waiting()[0];
      this.#streams.set(keyOf(longest.live), longest);
      if (first !== undefined) this.#open(first);
    }
    this.#fill();
  }

  #open(stream: Stream): void {
    const { sessionId, turn } = stream.live;
    const onConnection = (change: ConnectionChange) => this.connectionChanged(answer, change);
    const answer: Answer = this.#options.client.follow(sessionId, {
      turn,
      after: lastEventId(stream.live),
      onConnection,
    });
    void this.#read(stream, answer);
  }

  async #read(stream: Stream, answer: Answer): Promise<void> {
    stream.answer = answer;
    const { events } = this.#options;
    try {
      for await (const event of answer) {
        if (stream.answer !== answer) return;
        stream.live = afterEvent(stream.live, event) ?? stream.live;
        events.event(stream.live, event);
      }
      // Left on purpose, the turn is still to be followed.
      if (stream.answer !== answer) return;
      if (stream.live.end !== undefined) this.#remember(stream.live);
    } catch (error) {
      if (stream.answer !== answer) return;
      events.failure(stream.live, failureOf(error));
    }
    this.#drop(stream);
  }

  #remember(live: LiveTurn): void {
    this.#ended.set(keyOf(live), live);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > mostEnded && oldest !== undefined) this.#ended.delete(oldest);
  }

  #setLost(stream: Stream, isLost: boolean): void {
    if (stream.isLost === isLost) return;
    stream.isLost = isLost;
    this.#options.events.connection([...this.#streams.values()].some((other) => other.isLost));
  }
}
