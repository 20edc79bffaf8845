/** A real storage for tests: SQLite in memory. */

import type { LoggedEvent } from "../../src/protocol/events.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import type { EventFeed, Storage } from "../../src/storage/storage.ts";

export function openTestStorage(clock: () => number = Date.now): Promise<Storage> {
  return openSqliteStorage({
    path: ":memory:",
    clock,
    onFatal: (error) => {
      throw error;
    },
  });
}

export const capability = { by: "capability" } as const;

let opened = 0;

/** Opens a session of a guest and gives its id. */
export async function openTestSession(storage: Storage, facts: { instructions?: string } = {}): Promise<string> {
  opened += 1;
  const sessionId = opened.toString(16).padStart(32, "0");
  await storage.sessions.open({
    sessionId,
    principal: "guest:test",
    username: "TR",
    title: null,
    instructions: facts.instructions ?? null,
  });
  return sessionId;
}

export const silentLog = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** Events of a test's own, as a storage gives them. */
export function feedOf(events: AsyncIterable<readonly LoggedEvent[]>): EventFeed {
  return {
    [Symbol.asyncIterator]: () => events[Symbol.asyncIterator](),
    async deliver(take) {
      for await (const step of events) if (!(await take(step))) return;
    },
  };
}
