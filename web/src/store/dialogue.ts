/** The session that the page shows: what was said in it, and what is being said. */
import type { Answer, ChatClient, ChatEvent, SentAnswer } from "../../../client/index.ts";
import { textAfter } from "../../../client/index.ts";
import { type Failure, failureOf } from "../tabs/failure.ts";
import { everyFrame, type Frames } from "../tabs/frames.ts";
import type { LiveTurn } from "../tabs/live-turn.ts";
import type { TurnFeed } from "../tabs/turn-feed.ts";
import { before, type Exchange, exchangesOf, isActive, newExchange, refreshed, withLive } from "./exchange.ts";
import { Observable } from "./observable.ts";
import type { OutboxItem } from "./outbox.ts";

export type DialogueState = {
  /** Undefined for a dialogue that nobody has begun. */
  readonly sessionId: string | undefined;
  readonly exchanges: readonly Exchange[];
  readonly hasOlder: boolean;
  readonly reading: "newest" | "older" | undefined;
  readonly failure: Failure | undefined;
};

/** The text of the answer that is being given, so far. */
export type LiveAnswer = { readonly key: string; readonly text: string };

export type DialogueEvents = {
  /** Some of an answer was said, or all of it. */
  answering(text: string, end: Exchange | undefined): void;
  /** Something did not work that the dialogue itself does not show. */
  failed(failure: Failure): void;
};

type Options = {
  readonly client: Pick<ChatClient, "history" | "stop"> & {
    follow(...asked: Parameters<ChatClient["follow"]>): AsyncIterable<ChatEvent>;
  };
  readonly feed: Pick<TurnFeed, "watch" | "unwatch">;
  readonly events: DialogueEvents;
  readonly frames?: (callback: () => void) => Frames;
};

/** Turns a page of history. */
const pageTurns = 30;

/** As the service has it. */
const largestPage = 200;

/** How far back somebody is taken who asks for one old turn. */
const mostPages = 50;

const nobody: DialogueState = {
  sessionId: undefined,
  exchanges: [],
  hasOlder: false,
  reading: undefined,
  failure: undefined,
};

type Followed = {
  readonly key: string;
  readonly turn: number;
  /** What earlier turns said of the answer; undefined while that is not known. */
  beginning: string | undefined;
  /** Settled once the beginning is known, or cannot be. */
  reading: Promise<void> | undefined;
  /** What is shown until then. */
  readonly shown: string;
  live: LiveTurn | undefined;
};

export class Dialogue {
  readonly state = new Observable<DialogueState>(nobody);
  readonly live = new Observable<LiveAnswer | undefined>(undefined);
  readonly #options: Options;
  readonly #frames: Frames;
  #followed: Followed | undefined;
  #opening: Promise<void> = Promise.resolve();
  /** How many prompts were accepted while it is shown. */
  #accepted = 0;
  /** Ends what was begun for the session that was shown before. */
  #shown = new AbortController();

  constructor(options: Options) {
    this.#options = options;
    this.#frames = (options.frames ?? everyFrame)(() => this.#showLive());
  }

  /** Shows another session; undefined for a new one. */
  async open(sessionId: string | undefined): Promise<void> {
    if (sessionId === this.state.get().sessionId && this.state.get().failure === undefined) return this.#opening;
    this.#leave();
    this.state.set({ ...nobody, sessionId, reading: sessionId === undefined ? undefined : "newest" });
    this.#opening = this.refresh();
    return this.#opening;
  }

  /** Reads back to a turn, as far as there is any. False where it is not in the dialogue, or too far away. */
  async reach(turn: number): Promise<boolean> {
    const { sessionId } = this.state.get();
    for (let pages = 0; pages < mostPages; pages += 1) {
      const { exchanges, hasOlder, sessionId: shown } = this.state.get();
      if (shown !== sessionId) return false;
      if ((exchanges[0]?.turn ?? turn) <= turn || !hasOlder) break;
      await this.readOlder(largestPage);
    }
    return this.state.get().exchanges.some((exchange) => exchange.turn === turn || exchange.answerTurn === turn);
  }

  /** The new dialogue has become this session, by its first prompt. */
  become(sessionId: string): void {
    this.state.update((state) => ({ ...state, sessionId }));
  }

  /** Reads what is newest once more: another tab, another device or a sleep may have come between. */
  async refresh(): Promise<void> {
    const { sessionId } = this.state.get();
    if (sessionId === undefined) return;
    const { signal } = this.#shown;
    const accepted = this.#accepted;
    try {
      const page = await this.#options.client.history(sessionId, { limit: pageTurns, signal });
      // What was read does not know a prompt that was accepted meanwhile.
      if (accepted !== this.#accepted) return await this.refresh();
      this.state.update((state) => {
        const exchanges = refreshed(state.exchanges, exchangesOf(page.message_history));
        const isWhole = exchanges.length > 0 && exchanges[0]?.turn === state.exchanges[0]?.turn;
        const hasOlder = isWhole && state.reading !== "newest" ? state.hasOlder : page.has_more;
        return { ...state, exchanges, hasOlder, reading: undefined, failure: undefined };
      });
      this.#followNext();
    } catch (error) {
      if (!signal.aborted) this.state.update((state) => ({ ...state, reading: undefined, failure: failureOf(error) }));
    }
  }

  /** Reads the page before the oldest turn that is shown. */
  async readOlder(turns = pageTurns): Promise<void> {
    const { sessionId, exchanges, hasOlder, reading } = this.state.get();
    const [first] = exchanges;
    if (sessionId === undefined || first === undefined || !hasOlder || reading !== undefined) return;
    const { signal } = this.#shown;
    this.state.update((state) => ({ ...state, reading: "older" }));
    try {
      const page = await this.#options.client.history(sessionId, { limit: turns, before: first.turn, signal });
      this.state.update((state) => ({
        ...state,
        exchanges: [...exchangesOf(page.message_history), ...state.exchanges],
        hasOlder: page.has_more,
        reading: undefined,
      }));
    } catch (error) {
      if (signal.aborted) return;
      this.state.update((state) => ({ ...state, reading: undefined }));
      this.#options.events.failed(failureOf(error));
    }
  }

  /** The service has stored what was sent: its turn is part of the dialogue. */
  accepted(answer: SentAnswer, item: OutboxItem): void {
    this.#accepted += 1;
    this.state.update((state) => ({ ...state, exchanges: withAccepted(state.exchanges, answer, item) }));
    this.#followNext(answer);
  }

  async stop({ answerTurn }: Exchange): Promise<void> {
    const { sessionId } = this.state.get();
    if (sessionId === undefined) return;
    try {
      await this.#options.client.stop(sessionId, { turn: answerTurn, signal: this.#shown.signal });
      // What is running tells its end by its events; one that waits is not followed.
      if (this.#followed?.turn !== answerTurn) await this.refresh();
    } catch (error) {
      if (!this.#shown.signal.aborted) this.#options.events.failed(failureOf(error));
    }
  }

  close(): void {
    this.#leave();
  }

  #leave(): void {
    this.#shown.abort();
    this.#shown = new AbortController();
    this.#unfollow();
  }

  #unfollow(): void {
    this.#options.feed.unwatch();
    this.#followed = undefined;
    this.#frames.cancel();
    this.live.set(undefined);
  }

  /** Follows the turn that runs, or else the one that is next. */
  #followNext(answer?: Answer): void {
    const { sessionId, exchanges } = this.state.get();
    const next = exchanges.find(isActive);
    if (next === undefined || sessionId === undefined) this.#unfollow();
    if (next === undefined || sessionId === undefined || this.#followed?.turn === next.answerTurn) {
      void answer?.return();
      return;
    }
    const { key, turn, answerTurn, answer: shown } = next;
    const isOwn = answer?.turn === answerTurn;
    // Of an answer that was just continued the beginning is what stands there. One that was found running has some of
    // the rest behind it.
    const beginning = turn === answerTurn ? "" : isOwn ? shown : undefined;
    const followed: Followed = { key, turn: answerTurn, beginning, reading: undefined, shown, live: undefined };
    this.#followed = followed;
    this.live.set({ key, text: shown });
    if (!isOwn) void answer?.return();
    const watcher = {
      changed: (live: LiveTurn) => this.#changed(followed, live),
      failed: (failure: Failure) => this.#failed(followed, failure),
    };
    this.#options.feed.watch(sessionId, answerTurn, watcher, isOwn ? answer : undefined);
  }

  #changed(followed: Followed, live: LiveTurn): void {
    if (this.#followed !== followed) return;
    const isNew = followed.live?.started === undefined && live.started !== undefined;
    const isToolNew = live.tools.length > (followed.live?.tools.length ?? 0);
    followed.live = live;
    if (isNew && followed.beginning === undefined) followed.reading = this.#readBeginning(followed, live);
    if (live.end !== undefined) {
      this.#end(followed, live);
      return;
    }
    if (isNew || isToolNew) this.#update(followed, live);
    this.#frames.request();
  }

  #end(followed: Followed, live: LiveTurn): void {
    if (followed.beginning === undefined) {
      void this.#endOnceBegun(followed, live);
      return;
    }
    this.#update(followed, live);
    this.#ended(followed);
  }

  /** The rest of an answer, of which the beginning is still being read, must not stand there as the whole of it. */
  async #endOnceBegun(followed: Followed, live: LiveTurn): Promise<void> {
    await followed.reading;
    if (this.#followed !== followed) return;
    if (followed.beginning !== undefined) {
      this.#end(followed, live);
      return;
    }
    this.#unfollow();
    await this.refresh();
  }

  #update({ key, beginning = "" }: Followed, live: LiveTurn): void {
    this.state.update((state) => ({
      ...state,
      exchanges: state.exchanges.map((exchange) =>
        exchange.key === key ? withLive(exchange, live, beginning) : exchange,
      ),
    }));
  }

  #ended({ key }: Followed): void {
    const exchange = this.state.get().exchanges.find((candidate) => candidate.key === key);
    this.#unfollow();
    if (exchange !== undefined) this.#options.events.answering(exchange.answer, exchange);
    this.#followNext();
  }

  #failed(followed: Followed, failure: Failure): void {
    if (this.#followed !== followed) return;
    this.#unfollow();
    this.#options.events.failed(failure);
    void this.refresh();
  }

  #showLive(): void {
    const followed = this.#followed;
    if (followed?.live === undefined) return;
    const { key, beginning, shown, live } = followed;
    const text = beginning === undefined ? shown : beginning + live.text;
    this.live.set({ key, text });
    this.#options.events.answering(text, undefined);
  }

  /** What the turns said that a continued answer began with, from their logs. */
  async #readBeginning(followed: Followed, live: LiveTurn): Promise<void> {
    const { signal } = this.#shown;
    try {
      let text = "";
      for (let turn = live.started?.continues; turn !== undefined; ) {
        let own = "";
        let earlier: number | undefined;
        for await (const event of this.#options.client.follow(live.sessionId, { turn, signal })) {
          own = textAfter(own, event);
          if (event.type === "turn") earlier = event.continues;
        }
        text = own + text;
        turn = earlier;
      }
      followed.beginning = text;
      this.#frames.request();
    } catch (error) {
      // Without it the answer is shown once it has ended.
      if (!signal.aborted) this.#options.events.failed(failureOf(error));
    }
  }
}

function withAccepted(exchanges: readonly Exchange[], { turn }: SentAnswer, item: OutboxItem): readonly Exchange[] {
  // Read from the history already, where the answer to an earlier try was lost.
  if (exchanges.some(({ turn: known, answerTurn }) => known === turn || answerTurn === turn)) return exchanges;
  if (item.what === "continue") {
    return exchanges.map((exchange) =>
      exchange.turn === item.turn ? { ...exchange, answerTurn: turn, status: "running" } : exchange,
    );
  }
  const kept = item.turn === undefined ? exchanges : before(exchanges, item.turn);
  const status = kept.some(isActive) ? "queued" : "running";
  return [...kept, newExchange(item.id, turn, item.prompt, status)];
}
