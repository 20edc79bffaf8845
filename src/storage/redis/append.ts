/** Logging what running turns are given, also over a server that goes away for a moment or loses the end of a log. */
import { setTimeout as delay } from "node:timers/promises";
import type { LoggedEvent } from "../../protocol/events.ts";
import { isProblem } from "../../protocol/problems.ts";
import type { LiveTurns } from "../live/live-turns.ts";
import { type Lease, LeaseLost, PositionRefused } from "../storage.ts";
import type { Reply } from "./connection.ts";
import { sessionKey } from "./keys.ts";
import type { LeaseKey } from "./leases.ts";
import { streamEntry } from "./log-chunks.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";

/**
 * Milliseconds for which a running answer waits for a server that is away, and the longest pause between two tries. What
 * arrives meanwhile is held back by the model's side.
 */
const patience = { whole: 10_000, longestPause: 500 };

/** Resolves once the events are logged. @throws LeaseLost, PositionRefused, Problem as the storage does */
export type LogEvents = (lease: Lease, position: number, added: readonly LoggedEvent[]) => Promise<void>;

export function appender(server: Server, liveTurns: LiveTurns<LeaseKey>): LogEvents {
  /** Resolves once the events are logged, whatever becomes of the server's answers meanwhile. */
  async function logEvents(lease: Lease, position: number, added: readonly LoggedEvent[]): Promise<void> {
    const until = performance.now() + patience.whole;
    let events = added;
    let from = position;
    let wasUnanswered = false;
    for (let pause = 50; ; pause = Math.min(pause * 2, patience.longestPause)) {
      const head = events.at(-1)?.position ?? from;
      const reply = await tryToLog(lease, from, head, events).catch(async (error: unknown) => {
        const isWorthWaiting = isProblem(error, "storage_unavailable") && !server.isClosing && !lease.signal.aborted;
        if (!isWorthWaiting || performance.now() > until) throw error;
        wasUnanswered = true;
        await delay(pause, undefined, { signal: lease.signal }).catch(() => undefined);
        return "again" as const;
      });
      if (reply === "again") continue;
      if (reply === 1) return;
      const [kind, stored] = listOf(reply);
      if (kind === "lease_lost") throw new LeaseLost();
      const storedHead = Number(stored);
      // An earlier try, whose answer was lost, had done it: nobody else writes in our epoch.
      if (wasUnanswered && storedHead === head) return;
      // The server lost the end of the log, as after a failover; it is given what it lost, at the same places.
      const { log } = liveTurns.held(lease.sessionId, lease.turn, lease.epoch);
      const missing = storedHead < position ? log.since(storedHead) : undefined;
      if (missing === undefined) throw new PositionRefused(storedHead);
      from = storedHead;
      events = [...missing, ...added];
    }
  }

  function tryToLog(
    { sessionId, turn, epoch }: Lease,
    position: number,
    head: number,
    events: readonly LoggedEvent[],
  ): Promise<Reply> {
    const values = [turn, epoch, position, head, ...events.flatMap(streamEntry)].map(String);
    return server.log({ script: scripts["append-events"], key: sessionKey(sessionId), values });
  }

  return logEvents;
}
