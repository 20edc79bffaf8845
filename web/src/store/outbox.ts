/**
 * Prompts on their way: kept until the service has said that it stored them, through lost connections, refusals and
 * reloads. An item is sent with the same idempotency key however often, so it becomes one turn.
 */
import type { ChatClient, SentAnswer } from "../../../client/index.ts";
import { type Failure, failureOf, isAboutCredential } from "../tabs/failure.ts";
import { Observable } from "./observable.ts";
import type { TextStorage } from "./text-storage.ts";

export type OutboxItem = {
  /** Also the idempotency key. */
  readonly id: string;
  /** Undefined until its session is open. */
  readonly sessionId: string | undefined;
  readonly what: "prompt" | "regenerate" | "continue";
  /** Of a continued answer none; else what is shown as its prompt. */
  readonly prompt: string;
  /** The turn whose place it takes, or, of a continued answer, that goes on. */
  readonly turn: number | undefined;
  /** It is meant for the dialogue as it stands after this turn, and for no other. */
  readonly after?: number | undefined;
  /** `waiting`: for the connection, or for a service that has too much to do. `refused`: until somebody decides. */
  readonly state: "sending" | "waiting" | "refused";
  readonly failure: Failure | undefined;
};

type Options = {
  readonly client: Pick<ChatClient, "openSession" | "send" | "regenerate" | "continue">;
  readonly storage: TextStorage;
  readonly username: () => string;
  readonly makeId: () => string;
  readonly onOpened: (sessionId: string, item: OutboxItem) => void;
  readonly onAccepted: (answer: SentAnswer, item: OutboxItem) => void;
  /** The dialogue has gone on without what was meant for how it stood before. */
  readonly onOvertaken: () => void;
  readonly onConnection: (answer: SentAnswer | undefined, change: ConnectionState) => void;
  /** The longest pause between two tries, in ms. */
  readonly maxPauseMs?: number;
};

type ConnectionState = Parameters<NonNullable<NonNullable<Parameters<ChatClient["regenerate"]>[1]>["onConnection"]>>[0];

const storedAs = "outbox";

export class Outbox {
  readonly items: Observable<readonly OutboxItem[]>;
  readonly #options: Options;
  readonly #working = new Map<string, AbortController>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #failures = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
    this.items = new Observable(readItems(options.storage));
    this.items.subscribe(() => {
      const items = this.items.get();
      options.storage.write(storedAs, items.length === 0 ? undefined : JSON.stringify(items));
    });
  }

  /** Goes on with what an earlier page, or an earlier try, left. */
  resume(): void {
    for (const { id, state } of this.items.get()) if (state !== "refused") this.#work(id);
  }

  add(item: Pick<OutboxItem, "sessionId" | "what" | "prompt" | "turn" | "after">): OutboxItem {
    const added: OutboxItem = { ...item, id: this.#options.makeId(), state: "sending", failure: undefined };
    this.items.update((items) => [...items, added]);
    this.#work(added.id);
    return added;
  }

  /** Sends once more what was refused. */
  retry(id: string): void {
    this.#change(id, { state: "sending", failure: undefined });
    this.#work(id);
  }

  /** Sends once more what was refused because nobody had signed in, or not for long enough. */
  retryUnknown(): void {
    for (const { id, failure } of this.items.get()) {
      if (failure !== undefined && isAboutCredential(failure)) this.retry(id);
    }
  }

  /** Gives an item back, to be edited or forgotten. One that was being sent may have become a turn all the same. */
  take(id: string): OutboxItem | undefined {
    const item = this.#item(id);
    this.#remove(id);
    this.#working.get(id)?.abort();
    return item;
  }

  /** Forgets what belongs to a session that is gone. */
  forget(sessionId: string): void {
    for (const item of this.items.get()) if (item.sessionId === sessionId) this.take(item.id);
  }

  #item(id: string): OutboxItem | undefined {
    return this.items.get().find((item) => item.id === id);
  }

  #change(id: string, change: Partial<OutboxItem>): void {
    this.items.update((items) => items.map((item) => (item.id === id ? { ...item, ...change } : item)));
  }

  #remove(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#failures.delete(id);
    this.items.update((items) => items.filter((item) => item.id !== id));
  }

  #work(id: string): void {
    clearTimeout(this.#timers.get(id));
    if (this.#working.has(id) || this.#isBehindAnother(id)) return;
    const controller = new AbortController();
    this.#working.set(id, controller);
    this.#deliver(id, controller.signal)
      .catch((error: unknown) => this.#failed(id, error, controller.signal))
      .finally(() => {
        this.#working.delete(id);
        const next = this.items.get().find((item) => item.state === "sending" && !this.#working.has(item.id));
        if (next !== undefined) this.#work(next.id);
      });
  }

  /** Prompts of one session are sent one after the other, so that they are answered in their order. */
  #isBehindAnother(id: string): boolean {
    const item = this.#item(id);
    const same = this.items
      .get()
      .filter(({ sessionId, state }) => sessionId === item?.sessionId && state !== "refused");
    return same[0]?.id !== id;
  }

  async #deliver(id: string, signal: AbortSignal): Promise<void> {
    const { client, username, onOpened, onAccepted, onConnection } = this.#options;
    let item = this.#item(id);
    if (item === undefined) return;
    if (item.sessionId === undefined) {
      const { session_id: sessionId } = await client.openSession({ username: username() }, { signal });
      // All that was typed into this new dialogue goes there.
      const isWaiting = (other: OutboxItem) => other.sessionId === undefined;
      this.items.update((items) => items.map((other) => (isWaiting(other) ? { ...other, sessionId } : other)));
      item = { ...item, sessionId };
      onOpened(sessionId, item);
    }
    let answer: SentAnswer | undefined;
    const options = {
      idempotencyKey: id,
      signal,
      onConnection: (change: ConnectionState) => onConnection(answer, change),
    };
    const { sessionId = "", what, prompt, turn, after: ifTurn } = item;
    if (what === "regenerate") answer = await client.regenerate(sessionId, options);
    else if (what === "continue") answer = await client.continue(sessionId, options);
    else answer = await client.send(sessionId, prompt, { ...options, ifBusy: "queue", ifTurn, replaces: turn });
    this.#remove(id);
    onAccepted(answer, item);
  }

  #failed(id: string, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    const failure = failureOf(error);
    if (failure.code === "stale_turn" && this.#item(id)?.after !== undefined) {
      this.#remove(id);
      this.#options.onOvertaken();
      return;
    }
    if (!mayPass(failure)) {
      this.#change(id, { state: "refused", failure });
      return;
    }
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    this.#change(id, { state: "waiting", failure });
    const pauseMs = Math.min(this.#options.maxPauseMs ?? 30_000, 1_000 * 2 ** failures);
    this.#timers.set(
      id,
      setTimeout(() => this.#work(id), Math.max(pauseMs, (failure.retryAfterSeconds ?? 0) * 1_000)),
    );
  }
}

/** What is about the dialogue or somebody's allowance is for a person to decide about; the rest is tried again. */
function mayPass({ code, retryable }: Failure): boolean {
  const decisions = ["turn_in_progress", "queue_full", "budget_exhausted", "page_error", "too_many_turns"];
  return retryable && !decisions.includes(code);
}

function readItems(storage: TextStorage): readonly OutboxItem[] {
  const text = storage.read(storedAs);
  if (text === undefined) return [];
  try {
    const items = JSON.parse(text) as readonly OutboxItem[];
    return items.map((item) => (item.state === "refused" ? item : { ...item, state: "sending" }));
  } catch {
    // Written by another version of this page, which nobody can make sense of any more.
    return [];
  }
}
