/** The list of one's sessions, and what can be done to one. */
import type { ChatClient } from "../../../client/index.ts";
import type { ChangeSession, SessionView } from "../../../src/protocol/sessions.ts";
import { type Failure, failureOf, isAboutCredential } from "../tabs/failure.ts";
import { Observable } from "./observable.ts";
import type { PendingDeletions } from "./pending-deletions.ts";

export type SessionsState = {
  /** Newest activity first. */
  readonly sessions: readonly SessionView[];
  readonly nextCursor: string | null;
  /** True until the list was read for the first time. */
  readonly isNew: boolean;
  readonly isReading: boolean;
  readonly failure: Failure | undefined;
  /** Those that are deleted unless somebody says otherwise in time. */
  readonly removing: readonly SessionView[];
};

type Options = {
  readonly client: Pick<ChatClient, "listSessions" | "changeSession" | "deleteSession">;
  readonly username: () => string | undefined;
  readonly pending: PendingDeletions;
  readonly onFailure: (failure: Failure) => void;
  /** The list is another one than other tabs know. */
  readonly onChanged: () => void;
  /** A session is gone, or about to go. */
  readonly onRemoved: (sessionId: string) => void;
  /** How long a deletion can be taken back, in ms. */
  readonly undoMs?: number;
  /** How soon the list is read again while an answer is being given, in ms. */
  readonly answeringMs?: number;
};

const pageSize = 50;

const unread: SessionsState = {
  sessions: [],
  nextCursor: null,
  isNew: true,
  isReading: false,
  failure: undefined,
  removing: [],
};

export class Sessions {
  readonly state = new Observable<SessionsState>(unread);
  readonly #options: Options;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #refreshing: Promise<void> | undefined;
  #isStale = false;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Reads the newest of the list again. Of several calls at once the last one counts. */
  async refresh(): Promise<void> {
    this.#isStale = true;
    this.#refreshing ??= this.#refreshUntilFresh().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async readMore(): Promise<void> {
    const { nextCursor, isReading } = this.state.get();
    const username = this.#options.username();
    if (nextCursor === null || isReading || username === undefined) return;
    this.#set({ isReading: true });
    try {
      const page = await this.#options.client.listSessions(username, { limit: pageSize, cursor: nextCursor });
      const known = new Set(page.sessions.map(({ session_id: id }) => id));
      const sessions = [...this.state.get().sessions.filter(({ session_id: id }) => !known.has(id)), ...page.sessions];
      this.#set({ sessions, nextCursor: page.next_cursor, isReading: false });
    } catch (error) {
      this.#set({ isReading: false });
      this.#options.onFailure(failureOf(error));
    }
  }

  /** Shows the change at once, and takes it back where the service refuses it. */
  async change(sessionId: string, change: ChangeSession): Promise<void> {
    const old = this.#find(sessionId);
    if (old === undefined) return;
    const { title = old.title, pinned = old.pinned } = change;
    this.#replace({ ...old, title, pinned });
    try {
      this.#replace(await this.#options.client.changeSession(sessionId, change));
      this.#options.onChanged();
    } catch (error) {
      this.#replace(old);
      this.#options.onFailure(failureOf(error));
    }
  }

  /** Takes a session out of the list; it is deleted when nobody takes that back in time. */
  remove(sessionId: string): void {
    const session = this.#find(sessionId);
    if (session === undefined || this.#timers.has(sessionId)) return;
    this.#options.pending.add(sessionId);
    this.state.update((state) => ({ ...state, removing: [...state.removing, session] }));
    this.#timers.set(
      sessionId,
      setTimeout(() => void this.#delete(sessionId), this.#options.undoMs ?? 7_000),
    );
    this.#options.onRemoved(sessionId);
  }

  undo(sessionId: string): void {
    clearTimeout(this.#timers.get(sessionId));
    this.#timers.delete(sessionId);
    this.#options.pending.remove(sessionId);
    this.#forgetRemoving(sessionId);
  }

  /** Goes on with deletions that an earlier page began: those that are in sight can be taken back once more. */
  async resumeRemovals(): Promise<void> {
    const ids = this.#options.pending.list();
    if (ids.length === 0) return;
    await this.refresh();
    for (const id of ids) {
      if (this.#find(id) === undefined) void this.#delete(id);
      else this.remove(id);
    }
  }

  /** The page goes: what was to be deleted is deleted by requests that outlive it. */
  finish(deleteKeptAlive: (sessionId: string) => void): void {
    for (const [sessionId, timer] of this.#timers) {
      clearTimeout(timer);
      deleteKeptAlive(sessionId);
    }
    this.#timers.clear();
  }

  async #refreshUntilFresh(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      const username = this.#options.username();
      if (username === undefined) {
        this.#set({ ...unread, removing: this.state.get().removing });
        return;
      }
      this.#set({ isReading: true });
      try {
        const page = await this.#options.client.listSessions(username, { limit: pageSize });
        this.#set({ ...joined(this.state.get(), page.sessions, page.next_cursor), isNew: false, failure: undefined });
      } catch (error) {
        const failure = failureOf(error);
        // Who has no credential yet has no sessions yet.
        if (failure.code === "unauthenticated") this.#set({ sessions: [], nextCursor: null, isNew: false });
        else this.#set({ failure, isNew: false });
      }
      this.#set({ isReading: false });
    }
    this.#lookAgainSoon();
  }

  /** Nobody tells that an answer has ended which is not shown. */
  #lookAgainSoon(): void {
    clearTimeout(this.#again);
    if (!this.state.get().sessions.some(({ state }) => state === "answering")) return;
    this.#again = setTimeout(() => void this.refresh(), this.#options.answeringMs ?? 5_000);
  }

  async #delete(sessionId: string): Promise<void> {
    const { client, pending, onChanged, onFailure } = this.#options;
    try {
      // Another tab may have taken it back, or done it.
      if (!pending.has(sessionId)) return await this.refresh();
      await client.deleteSession(sessionId);
      pending.remove(sessionId);
      this.state.update((state) => ({
        ...state,
        sessions: state.sessions.filter(({ session_id: id }) => id !== sessionId),
      }));
      onChanged();
    } catch (error) {
      const failure = failureOf(error);
      // What the service could not be told is left to the next page; what it refused would be refused again.
      if (!failure.retryable && !isAboutCredential(failure)) pending.remove(sessionId);
      if (failure.code !== "session_not_found") onFailure(failure);
    } finally {
      this.#timers.delete(sessionId);
      this.#forgetRemoving(sessionId);
    }
  }

  #forgetRemoving(sessionId: string): void {
    this.state.update((state) => ({
      ...state,
      removing: state.removing.filter(({ session_id: id }) => id !== sessionId),
    }));
  }

  #find(sessionId: string): SessionView | undefined {
    return this.state.get().sessions.find(({ session_id: id }) => id === sessionId);
  }

  #replace(session: SessionView): void {
    this.state.update((state) => ({
      ...state,
      sessions: state.sessions.map((other) => (other.session_id === session.session_id ? session : other)),
    }));
  }

  #set(change: Partial<SessionsState>): void {
    this.state.update((state) => ({ ...state, ...change }));
  }
}

/** The newest page before what was read of the older ones, as far as those still are where they were. */
function joined(
  { sessions, nextCursor }: SessionsState,
  page: readonly SessionView[],
  pageCursor: string | null,
): Pick<SessionsState, "sessions" | "nextCursor"> {
  if (pageCursor === null || sessions.length <= page.length) return { sessions: page, nextCursor: pageCursor };
  const known = new Set(page.map(({ session_id: id }) => id));
  // What was newer than the end of the page and is not in it is gone.
  const end = page.at(-1)?.updated_at ?? "";
  const older = sessions.filter(({ session_id: id, updated_at: at }) => !known.has(id) && at <= end);
  return { sessions: [...page, ...older], nextCursor };
}

/** In two groups: what was pinned, and the rest. */
export function shownSessions({ sessions, removing }: SessionsState): {
  readonly pinned: readonly SessionView[];
  readonly others: readonly SessionView[];
} {
  const gone = new Set(removing.map(({ session_id: id }) => id));
  const shown = sessions.filter(({ session_id: id }) => !gone.has(id));
  return { pinned: shown.filter(({ pinned }) => pinned), others: shown.filter(({ pinned }) => !pinned) };
}
