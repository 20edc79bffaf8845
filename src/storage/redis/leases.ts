/**
 * The leases of this process: renewed while it lives, so that turns of a replica that died or hangs become free, and the
 * sessions that somebody has to look after.
 *
 * Times are the server's: no clock of a replica decides whose turn it is.
 */
import { isProblem } from "../../protocol/problems.ts";
import type { LiveTurns } from "../live/live-turns.ts";
import type { Whose } from "./acceptance.ts";
import type { Command, ScriptCall } from "./connection.ts";
import { busyKey, placesKey, sessionKey } from "./keys.ts";
import { keepPlaces } from "./places.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";

/** What a lease is known by. */
export type LeaseKey = {
  readonly sessionId: string;
  readonly turn: number;
  readonly epoch: number;
  readonly whose: Whose;
};

/** Milliseconds. */
export type LeaseTimes = {
  /** After so long without a sign of its worker a turn may be taken over. */
  readonly lease: number;
  /** How often a worker gives a sign. */
  readonly renewal: number;
  /** How often a replica looks for turns that it could take over. */
  readonly sweep: number;
};

export const defaultLeaseTimes: LeaseTimes = { lease: 10_000, renewal: 3_000, sweep: 2_000 };

/** How many sessions are looked after together, and the milliseconds for which they are left to whoever does so. */
const mostDue = { count: 100, milliseconds: 5_000 };

/** How many leases are renewed together. */
const mostRenewed = 200;

/** Sessions to be looked after. */
export type Due = {
  readonly sessionIds: readonly string[];
  /** False where there may be more. */
  readonly isAll: boolean;
  /** Takes those that turned out to be idle from the index, unless somebody touched them since. */
  readonly forget: (idle: readonly string[]) => Command;
};

type Held = { readonly sessionId: string; readonly turn: number; readonly key: LeaseKey };

export class Leases {
  readonly #server: Server;
  readonly #liveTurns: LiveTurns<LeaseKey>;
  readonly #times: LeaseTimes;
  readonly #timers: NodeJS.Timeout[];
  /** Those whose turns are being ended: they may be over on the server before we are told so. */
  readonly ending = new WeakSet<LeaseKey>();

  /** @param onSweep called when it is time to claim what others left */
  constructor(server: Server, liveTurns: LiveTurns<LeaseKey>, times: LeaseTimes, onSweep: () => void) {
    this.#server = server;
    this.#liveTurns = liveTurns;
    this.#times = times;
    this.#timers = [
      setInterval(() => void this.#renewAll(), times.renewal),
      // Not all replicas at the same moment.
      setInterval(onSweep, times.sweep * (0.9 + Math.random() * 0.2)),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  get milliseconds(): string {
    return String(this.#times.lease);
  }

  /** Has the session looked after when a lease that begins now is over, or at once. */
  touch(sessionId: string, when: "when the lease is over" | "now"): ScriptCall {
    return touchBusy(when === "now" ? "0" : this.milliseconds, "at the latest", [sessionId]);
  }

  /** The sessions that somebody has to look after now; nobody else is given them for a while. */
  async takeDue(): Promise<Due> {
    const { count, milliseconds } = mostDue;
    const call = { script: scripts["take-due"], key: busyKey, values: [String(count), String(milliseconds)] };
    const [due, ids] = listOf((await this.#server.write(call)).reply);
    const sessionIds = listOf(ids).map(String);
    return {
      sessionIds,
      isAll: sessionIds.length < count,
      forget: (idle) => ({ script: scripts["forget-idle"], key: busyKey, values: [String(due), ...idle] }),
    };
  }

  /** Gives up what is still held, so that nobody has to wait for the end of its leases. */
  farewell(): readonly Command[] {
    return [...this.#liveTurns.leases()].flatMap(({ sessionId, key }) => [
      this.#call("release-turn", key, "0"),
      this.touch(sessionId, "now"),
    ]);
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async #renewAll(): Promise<void> {
    const all = [...this.#liveTurns.leases()];
    for (let start = 0; start < all.length && !this.#server.isClosing; start += mostRenewed) {
      await this.#renewSome(all.slice(start, start + mostRenewed));
    }
  }

  async #renewSome(held: readonly Held[]): Promise<void> {
    const renewals = held.map(({ key }) => this.#call("renew-lease", key, this.milliseconds));
    const sessionIds = [...new Set(held.map(({ sessionId }) => sessionId))];
    const touch = touchBusy(this.milliseconds, "not before", sessionIds);
    const places = held.map(({ sessionId, key }) => keepPlaces(placesKey(...key.whose), [sessionId]));
    const outcomes = await this.#server.logAll([touch, ...renewals, ...places]);
    for (const [index, { sessionId, turn, key }] of held.entries()) {
      const outcome = outcomes[index + 1];
      // The server is away: whoever reaches it first goes on.
      if (outcome === undefined || isProblem(outcome)) continue;
      const [kind, isStopRequested] = listOf(outcome);
      if (kind === "lease_lost") {
        if (!this.ending.has(key)) this.#liveTurns.leaseLost(sessionId, turn, key.epoch);
      }
      // What told us of it at once was lost.
      else if (isStopRequested === 1) this.#liveTurns.stop(sessionId, turn);
    }
  }

  #call(name: "renew-lease" | "release-turn", { sessionId, turn, epoch }: LeaseKey, value: string): ScriptCall {
    return { script: scripts[name], key: sessionKey(sessionId), values: [String(turn), String(epoch), value] };
  }
}

function touchBusy(
  milliseconds: string,
  when: "at the latest" | "not before",
  sessionIds: readonly string[],
): ScriptCall {
  const values = [milliseconds, when === "not before" ? "1" : "0", ...sessionIds];
  return { script: scripts["touch-busy"], key: busyKey, values };
}
