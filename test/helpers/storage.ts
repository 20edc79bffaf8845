/** A real storage for tests: SQLite in memory. */

import type { LoggedEvent } from "../../src/protocol/events.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/open.ts";
import type { BegunTurn, EventFeed, Lease, Storage, UnbegunEnd } from "../../src/storage/storage.ts";

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

/** Accepts a prompt in a session that does not answer, so that its turn begins at once. */
export async function beginTurn(storage: Storage, sessionId: string, prompt = "?"): Promise<BegunTurn> {
  const accepted = await storage.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt } });
  if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
  return accepted.begun;
}

/** What a turn that is stopped while it waits is given as its log. */
export function unbegunStop(sessionId: string, turn: number): UnbegunEnd {
  return [
    { type: "turn", session_id: sessionId, turn, model: "m" },
    { type: "end", status: "stopped", finish_reason: null, usage: null, model: "m" },
  ];
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

/** Events of a turn whose model is called m. */
export const turnEvents = {
  started: ({ sessionId, turn }: Pick<Lease, "sessionId" | "turn">) =>
    ({ type: "turn", session_id: sessionId, turn, model: "m" }) as const,
  text: (text: string) => ({ type: "text", text }) as const,
  ended: { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" },
} as const;
