/** Has the storage delete what has outlived its retention, now and then. */
import type { Log } from "../log.ts";
import type { GameStore } from "../storage/game-store.ts";
import type { SessionStore, UsageStore } from "../storage/storage.ts";

export interface RetentionKeeper {
  /** Resolves when nothing of it is under way any more; what is left is found after the next start. */
  close(): Promise<void>;
}

export type RetentionKeeperOptions = {
  readonly sessions: Pick<SessionStore, "expire">;
  readonly usage: Pick<UsageStore, "prune">;
  readonly games: Pick<GameStore, "expire">;
  readonly log: Log;
  /** Milliseconds until it happens: at first, when the start is over, and after each time. */
  readonly pauses?: { readonly first: number; readonly between: number };
};

const defaultPauses = { first: 1_000, between: 60 * 60_000 };

export function keepRetention({
  sessions,
  usage,
  games,
  log,
  pauses = defaultPauses,
}: RetentionKeeperOptions): RetentionKeeper {
  const closing = new AbortController();
  let timer = setTimeout(begin, pauses.first).unref();
  let expiring: Promise<unknown> | undefined;

  function begin(): void {
    expiring = Promise.all([expire(), prune(), expireGames()]).finally(() => {
      if (!closing.signal.aborted) timer = setTimeout(begin, pauses.between).unref();
    });
  }

  async function expire(): Promise<void> {
    try {
      const count = await sessions.expire(closing.signal);
      if (count > 0) log.info({ sessions: count }, "Sessions that were idle for too long were deleted");
    } catch (error) {
      log.warn({ err: error }, "Sessions that were idle for too long could not be deleted; it is tried again");
    }
  }

  async function expireGames(): Promise<void> {
    try {
      const count = await games.expire(closing.signal);
      if (count > 0) log.info({ games: count }, "Games that were idle for too long were deleted");
    } catch (error) {
      log.warn({ err: error }, "Games that were idle for too long could not be deleted; it is tried again");
    }
  }

  async function prune(): Promise<void> {
    try {
      await usage.prune(closing.signal);
    } catch (error) {
      log.warn({ err: error }, "What turns cost long ago could not be deleted; it is tried again");
    }
  }

  return {
    async close() {
      closing.abort();
      clearTimeout(timer);
      await expiring;
    },
  };
}
