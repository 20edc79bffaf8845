/**
 * What a tab sees of the turn that it shows: through its own connection where it leads, else through the leader's. Either
 * way events come by position, so a leader that is closed in mid-sentence costs nobody a word.
 */
import type { Answer, ChatClient, ChatEvent, ConnectionChange } from "../../../client/index.ts";
import type { Election } from "./election.ts";
import type { Failure } from "./failure.ts";
import { afterEvent, type LiveTurn, newLiveTurn } from "./live-turn.ts";
import type { TabBus, TabMessage } from "./tab-bus.ts";
import { TurnStreams } from "./turn-streams.ts";

export type Watcher = {
  changed(live: LiveTurn): void;
  failed(failure: Failure): void;
};

type Watched = { live: LiveTurn; readonly watcher: Watcher };

type Options = {
  readonly client: Pick<ChatClient, "follow">;
  readonly bus: TabBus;
  readonly election: Election;
  /** Tells this tab from the others. */
  readonly tab: string;
  readonly onConnection: (isLost: boolean) => void;
};

export class TurnFeed {
  readonly #options: Options;
  readonly #streams: TurnStreams;
  #watched: Watched | undefined;

  constructor(options: Options) {
    this.#options = options;
    const { client, bus, election, onConnection } = options;
    this.#streams = new TurnStreams({
      client,
      events: {
        event: (live, event) => {
          const { sessionId, turn } = live;
          bus.post({ kind: "event", sessionId, turn, event });
          this.#take(live, event);
        },
        failure: (live, failure) => {
          const { sessionId, turn } = live;
          bus.post({ kind: "failure", sessionId, turn, failure });
          this.#fail(live, failure);
        },
        connection: (isLost) => {
          bus.post({ kind: "connection", isLost });
          onConnection(isLost);
        },
      },
    });
    bus.listen((message) => this.#receive(message));
    election.onElected(() => {
      bus.post({ kind: "leader" });
      // Whatever the last leader had lost, this one has not.
      onConnection(false);
      if (this.#watched !== undefined) this.#ask(this.#watched);
    });
  }

  /** Watches this turn instead of the one before, from its beginning. With the answer to the prompt that began it. */
  watch(sessionId: string, turn: number, watcher: Watcher, answer?: Answer): void {
    this.unwatch();
    this.#watched = { live: newLiveTurn(sessionId, turn), watcher };
    this.#ask(this.#watched, answer);
  }

  unwatch(): void {
    if (this.#watched === undefined) return;
    const { sessionId, turn } = this.#watched.live;
    this.#watched = undefined;
    const { election, bus, tab } = this.#options;
    if (election.isLeader) this.#streams.unwatch(sessionId, turn, tab);
    else bus.post({ kind: "unwatch", sessionId, turn, tab });
  }

  /** For the answer that `watch` was given. */
  connectionChanged(answer: Answer | undefined, change: ConnectionChange): void {
    this.#streams.connectionChanged(answer, change);
  }

  /** The network is back. */
  hurry(): void {
    this.#streams.hurry();
  }

  /** The tab goes: its connections end, and another one leads. */
  close(): void {
    this.unwatch();
    this.#streams.close();
    this.#options.election.resign();
  }

  #ask({ live: { sessionId, turn } }: Watched, answer?: Answer): void {
    const { election, bus, tab } = this.#options;
    if (election.isLeader) {
      const known = this.#streams.watch(sessionId, turn, tab, answer);
      this.#takeSnapshot(known);
      return;
    }
    // The turn goes on without its connection, which the leader opens for all tabs.
    void answer?.return();
    bus.post({ kind: "watch", sessionId, turn, tab });
  }

  #receive(message: TabMessage): void {
    switch (message.kind) {
      case "watch": {
        if (!this.#options.election.isLeader) return;
        const { sessionId, turn, tab } = message;
        const live = this.#streams.watch(sessionId, turn, tab);
        this.#options.bus.post({ kind: "snapshot", live });
        return;
      }
      case "unwatch":
        this.#streams.unwatch(message.sessionId, message.turn, message.tab);
        return;
      case "leader":
        if (this.#watched !== undefined) this.#ask(this.#watched);
        return;
      case "snapshot":
        this.#takeSnapshot(message.live);
        return;
      case "event":
        this.#take(message, message.event);
        return;
      case "failure":
        this.#fail(message, message.failure);
        return;
      case "connection":
        this.#options.onConnection(message.isLost);
        return;
      case "changed":
      case "signed-in":
      case "signed-out":
        return;
    }
  }

  #watchedAs({ sessionId, turn }: Pick<LiveTurn, "sessionId" | "turn">): Watched | undefined {
    const live = this.#watched?.live;
    return live?.sessionId === sessionId && live.turn === turn ? this.#watched : undefined;
  }

  #take(of: Pick<LiveTurn, "sessionId" | "turn">, event: ChatEvent): void {
    const watched = this.#watchedAs(of);
    if (watched === undefined) return;
    const live = afterEvent(watched.live, event);
    if (live === undefined) this.#ask(watched);
    else this.#become(watched, live);
  }

  #takeSnapshot(live: LiveTurn): void {
    const watched = this.#watchedAs(live);
    if (watched !== undefined && live.position > watched.live.position) this.#become(watched, live);
  }

  #become(watched: Watched, live: LiveTurn): void {
    if (live === watched.live) return;
    watched.live = live;
    watched.watcher.changed(live);
  }

  #fail(of: Pick<LiveTurn, "sessionId" | "turn">, failure: Failure): void {
    const watched = this.#watchedAs(of);
    if (watched === undefined) return;
    this.#watched = undefined;
    watched.watcher.failed(failure);
  }
}
