/** The verbs of the chat API. */
import type { HistoryMessage, StoppedTurn, TurnAnswer } from "../src/protocol/chat.ts";
import type { Login } from "../src/protocol/login.ts";
import type { SearchResults } from "../src/protocol/search.ts";
import type { ChangeSession, SessionListView, SessionView } from "../src/protocol/sessions.ts";
import type { LeaderboardView, ShowsView } from "../src/protocol/trivia.ts";
import { Answer, type ConnectionChange, readTurn, requireEventStream, type SentAnswer } from "./answer.ts";
import { type ChatRequest, Connection, type ServiceAccess } from "./connection.ts";
import { makeIdempotencyKey } from "./idempotency-key.ts";
import { Lifetime } from "./lifetime.ts";
import { queryOf, sessionPath, turnPath } from "./paths.ts";
import { ChatProblem } from "./problems.ts";
import { type Repeatability, type RetryOptions, withRetries } from "./retries.ts";

export type ChatClientOptions = {
  /** Where the service is, such as `https://chat.example.org/api`; the page's own origin when left out. */
  readonly baseUrl?: string;
  /** Of an earlier session, to go on as the same guest; or a key. */
  readonly token?: string;
  /** How often a request is sent at most before its failure is told; 5 by default. Following has no such bound. */
  readonly tries?: number;
  /** The longest wait before the next try, in ms, where the service does not ask for more; 15,000 by default. */
  readonly maxDelayMs?: number;
  /** How long a connection may be silent, in ms; 30,000 by default, which is three heartbeats. */
  readonly silenceMs?: number;
  readonly fetch?: typeof globalThis.fetch;
};

type Abortable = { readonly signal?: AbortSignal | undefined };

export type FollowOptions = Abortable & {
  /** Told whenever a connection is open and whenever one was lost, for a page that shows it. */
  readonly onConnection?: ((change: ConnectionChange) => void) | undefined;
};

export type StartOptions = FollowOptions & {
  /** What happens when a turn is running; by default `reject`, a ChatProblem `turn_in_progress`. */
  readonly ifBusy?: "reject" | "queue" | "interrupt" | undefined;
  /** Only if this turn is the newest (0: none yet); otherwise a ChatProblem `stale_turn`. */
  readonly ifTurn?: number | undefined;
  /** By default a new one for each call. One that the caller keeps makes a call in another process the same call. */
  readonly idempotencyKey?: string | undefined;
};

export type SendOptions = StartOptions & {
  /** The turn whose place this prompt takes, and that of all turns after it. */
  readonly replaces?: number | undefined;
};

export type HistoryOptions = Abortable & {
  /** Only the newest so many turns (1 to 200); the whole dialogue when left out. */
  readonly limit?: number | undefined;
  /** Only turns before this one, to page back. */
  readonly before?: number | undefined;
};

export type ListOptions = Abortable & {
  /** How many at most (1 to 200); 50 when left out. */
  readonly limit?: number | undefined;
  /** `next_cursor` of the page before. */
  readonly cursor?: string | undefined;
};

export type SearchOptions = ListOptions & {
  /** Only in sessions of this username. */
  readonly username?: string | undefined;
};

export type ExportedSession = {
  readonly session: SessionView;
  readonly message_history: readonly HistoryMessage[];
};

export type ChatHistory = {
  readonly session_id: string;
  readonly username: string;
  readonly message_history: readonly HistoryMessage[];
  readonly has_more: boolean;
};

/**
 * Talks to one service as one guest or key. Every method throws a ChatProblem when the service says no, a ConnectionLost
 * when it cannot be reached, and the reason of the signal that it was given once that fires.
 */
export class ChatClient {
  readonly #options: Omit<ServiceAccess, "token">;
  readonly #retries: RetryOptions;
  #token: string | undefined;

  constructor(options: ChatClientOptions = {}) {
    const { baseUrl = "", silenceMs = 30_000, tries = 5, maxDelayMs = 15_000, token } = options;
    // Called by its name, as a browser's fetch refuses to be called as somebody's method.
    const fetchFunction = options.fetch ?? ((input, init) => fetch(input, init));
    this.#options = { baseUrl: baseUrl.replace(/\/+$/, ""), silenceMs, fetch: fetchFunction };
    this.#retries = { tries, maxDelayMs };
    this.#token = token;
  }

  /**
   * What proves to be the same guest later, or in another program; undefined before the first session, and in a page of the
   * service itself, whose proof is a cookie.
   */
  get token(): string | undefined {
    return this.#token;
  }

  /** Opens a session. The first one makes its token that of this client. */
  async openSession(
    session: { readonly username: string; readonly title?: string; readonly instructions?: string },
    options: Abortable = {},
  ): Promise<SessionView & { readonly token?: string }> {
    const { username, title, instructions } = session;
    const body = { username, title, instructions };
    const request = { method: "POST", path: "/sessions", body } as const;
    const opened = await this.#json<SessionView & { token?: string }>(request, "again", options);
    this.#token ??= opened.token;
    return opened;
  }

  /**
   * For pages of the service itself, where a key or an access token is needed: from now on the browser sends it, as a
   * cookie that script cannot read. Gives the only username that it may use, `null` where it may use any; without
   * `credential`, of the one that the browser has.
   */
  logIn(credential?: string, options: Abortable = {}): Promise<Login> {
    const headers: Record<string, string> = {};
    if (credential !== undefined) headers["authorization"] = `Bearer ${credential}`;
    return this.#json({ method: "POST", path: "/login", headers }, "again", options);
  }

  readSession(sessionId: string, options: Abortable = {}): Promise<SessionView> {
    return this.#json({ method: "GET", path: sessionPath(sessionId) }, "once", options);
  }

  /** The sessions of a username, newest activity first, a page at a time. Needs the token of whoever opened them. */
  listSessions(username: string, options: ListOptions = {}): Promise<SessionListView> {
    const { limit, cursor } = options;
    return this.#json({ method: "GET", path: `/sessions${queryOf({ username, limit, cursor })}` }, "once", options);
  }

  /** Renames, pins or instructs a session; `null` takes a title or instructions away. Needs the token. */
  changeSession(sessionId: string, changes: ChangeSession, options: Abortable = {}): Promise<SessionView> {
    const { title, instructions, pinned } = changes;
    const body = { title, instructions, pinned };
    return this.#json({ method: "PATCH", path: sessionPath(sessionId), body }, "once", options);
  }

  /** Everything of a session: itself and its whole dialogue. Needs the token. */
  exportSession(sessionId: string, options: Abortable = {}): Promise<ExportedSession> {
    return this.#json({ method: "GET", path: `${sessionPath(sessionId)}/export` }, "once", options);
  }

  /** The same as a document in Markdown. */
  exportMarkdown(sessionId: string, { signal }: Abortable = {}): Promise<string> {
    const path = `${sessionPath(sessionId)}/export?format=markdown`;
    const attempt = (signal: AbortSignal) => this.#ask({ method: "GET", path, accept: "text/markdown" }, signal);
    return this.#withRetries(attempt, "once", signal);
  }

  /**
   * The messages that have every word, or one that begins with it; those of the turns that ended last come first. Needs
   * the token. A service that stores on a Redis server says no: a ChatProblem `search_unavailable`.
   */
  search(words: string, options: SearchOptions = {}): Promise<SearchResults> {
    const { username, limit, cursor } = options;
    const path = `/sessions/search${queryOf({ q: words, username, limit, cursor })}`;
    return this.#json({ method: "GET", path }, "once", options);
  }

  /** Deletes a session with all that was said in it, for good. Needs the token, or the cookie, of whoever opened it. */
  async deleteSession(sessionId: string, options: Abortable = {}): Promise<void> {
    const path = sessionPath(sessionId);
    let tries = 0;
    const attempt = async (signal: AbortSignal) => {
      tries += 1;
      try {
        return await this.#ask({ method: "DELETE", path, accept: "application/json" }, signal);
      } catch (error) {
        // The try whose answer was lost had deleted it.
        if (tries > 1 && error instanceof ChatProblem && error.code === "session_not_found") return "";
        throw error;
      }
    };
    await this.#withRetries(attempt, "once", options.signal);
  }

  /**
   * Sends a prompt; resolves once it is accepted, which means stored. A send whose answer is lost is repeated with the
   * same key, so that there is one turn however often it took.
   */
  send(sessionId: string, prompt: string, options: SendOptions = {}): Promise<SentAnswer> {
    const body = { payload: prompt, replaces: options.replaces };
    return this.#start({ method: "PUT", path: turnPath(sessionId, undefined), body }, sessionId, options);
  }

  /** Asks the last prompt again, as a new turn that takes the place of the old one. */
  regenerate(sessionId: string, options: StartOptions = {}): Promise<SentAnswer> {
    return this.#start({ method: "POST", path: `${turnPath(sessionId, undefined)}/regenerate` }, sessionId, options);
  }

  /** Goes on where the last answer ended early, as a new turn. */
  continue(sessionId: string, options: StartOptions = {}): Promise<SentAnswer> {
    return this.#start({ method: "POST", path: `${turnPath(sessionId, undefined)}/continue` }, sessionId, options);
  }

  /**
   * Follows a turn, running or ended; without `turn` the one of the event id `after`, or else the newest. Gives
   * everything after that event, or the whole turn.
   */
  follow(
    sessionId: string,
    options: FollowOptions & { readonly turn?: number | undefined; readonly after?: string | undefined } = {},
  ): Answer {
    const { turn, after, signal } = options;
    return new Answer({ ...this.#following(options), sessionId, turn, after, lifetime: new Lifetime(signal) });
  }

  /**
   * Stops a turn, running or queued; without `turn` the running one. Resolves once it has ended, with its text. Naming
   * the turn is safer: the next one may have begun.
   */
  stop(sessionId: string, options: Abortable & { readonly turn?: number | undefined } = {}): Promise<StoppedTurn> {
    const { turn } = options;
    // Sent again, a stop of whatever runs might meet the turn that has come up from the queue.
    const request = { method: "DELETE", path: turnPath(sessionId, turn) } as const;
    return this.#json(request, turn === undefined ? "again" : "once", options);
  }

  /** How a turn stands, with its text so far; without `turn` the newest, undefined when there is none. */
  turnState(
    sessionId: string,
    options: Abortable & { readonly turn?: number | undefined } = {},
  ): Promise<TurnAnswer | undefined> {
    return this.#json({ method: "GET", path: turnPath(sessionId, options.turn) }, "once", options);
  }

  /** The dialogue, oldest first. */
  history(sessionId: string, options: HistoryOptions = {}): Promise<ChatHistory> {
    const { limit, before } = options;
    const path = `/chat_history/${encodeURIComponent(sessionId)}${queryOf({ limit, before })}`;
    return this.#json({ method: "GET", path }, "once", options);
  }

  /** The shows that a game of trivia can be about. */
  triviaShows(options: Abortable = {}): Promise<ShowsView> {
    return this.#json({ method: "GET", path: "/trivia/shows" }, "once", options);
  }

  /** The best players of all shows, or of one. */
  triviaLeaderboard(options: Abortable & { readonly show?: string | undefined } = {}): Promise<LeaderboardView> {
    const path = `/trivia/leaderboard${queryOf({ show: options.show })}`;
    return this.#json({ method: "GET", path }, "once", options);
  }

  #access(): ServiceAccess {
    return { ...this.#options, token: this.#token };
  }

  async #start(
    request: Pick<ChatRequest, "method" | "path" | "body">,
    sessionId: string,
    options: StartOptions,
  ): Promise<SentAnswer> {
    const headers: Record<string, string> = { "idempotency-key": options.idempotencyKey ?? makeIdempotencyKey() };
    if (options.ifBusy !== undefined) headers["if-busy"] = options.ifBusy;
    if (options.ifTurn !== undefined) headers["if-turn"] = String(options.ifTurn);
    const whole: ChatRequest = { ...request, accept: "text/event-stream", headers };
    const lifetime = new Lifetime(options.signal);
    try {
      const { signal } = lifetime;
      const attempt = () => Connection.open(this.#access(), whole, signal);
      const connection = await withRetries(attempt, "once", this.#retries, signal);
      requireEventStream(connection.response);
      const turn = readTurn(connection.response);
      if (turn === undefined) throw ChatProblem.ofForeignAnswer(200, "The answer does not name its turn (X-Turn).");
      const replayed = connection.response.headers.get("idempotency-replayed") === "true";
      const place = { sessionId, turn, after: undefined };
      return new Answer({ ...this.#following(options), ...place, lifetime, connection, replayed }) as SentAnswer;
    } catch (error) {
      lifetime.end();
      throw error;
    }
  }

  /** What following takes from this client, whatever is followed. */
  #following({ onConnection }: FollowOptions) {
    return { access: () => this.#access(), maxDelayMs: this.#retries.maxDelayMs, onConnection };
  }

  async #json<T>(
    request: Pick<ChatRequest, "method" | "path" | "headers" | "body">,
    repeatability: Repeatability,
    { signal }: Abortable,
  ): Promise<T> {
    const attempt = (signal: AbortSignal) => this.#ask({ ...request, accept: "application/json" }, signal);
    const text = await this.#withRetries(attempt, repeatability, signal);
    if (text === "") return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw ChatProblem.ofForeignAnswer(200, "The answer is not JSON, so this is no chat service.", error);
    }
  }

  /** One request; the whole body of its answer. */
  async #ask(request: ChatRequest, signal: AbortSignal): Promise<string> {
    const connection = await Connection.open(this.#access(), request, signal);
    return connection.text();
  }

  async #withRetries<T>(
    attempt: (signal: AbortSignal) => Promise<T>,
    repeatability: Repeatability,
    parent: AbortSignal | undefined,
  ): Promise<T> {
    const lifetime = new Lifetime(parent);
    try {
      const { signal } = lifetime;
      return await withRetries(() => attempt(signal), repeatability, this.#retries, signal);
    } finally {
      lifetime.end();
    }
  }
}
