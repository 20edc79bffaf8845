import { isTerminal } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { mayAccess } from "../access.ts";
import { placeEvents } from "../event-log.ts";
import { type Following, type History, type Lease, LeaseLost, type TurnStore } from "../storage.ts";
import type { Database } from "./database.ts";
import type { LiveTurn, LiveTurns } from "./live-turns.ts";
import type { TurnKey } from "./thread/events.ts";
import type { LeaseKey } from "./thread/turns.ts";
import { TurnReader } from "./turn-reader.ts";

export function turnStore(database: Database, liveTurns: LiveTurns, clock: () => number): TurnStore {
  function hold(sessionId: string, key: LeaseKey, owner: string, head: number): Lease {
    const signal = liveTurns.acquire(sessionId, key.turn).hold(key, owner, head);
    return { sessionId, turn: key.turn, epoch: key.epoch, head, signal };
  }

  /** Runs a write under a lease; a lease that turns out to be lost is given up. */
  async function withLease<Result>(lease: Lease, write: (live: LiveTurn, key: LeaseKey) => Promise<Result>) {
    const live = liveTurns.held(lease.sessionId, lease.turn, lease.epoch);
    try {
      return await write(live, live.lease.key);
    } catch (error) {
      if (error instanceof LeaseLost) liveTurns.leaseLost(lease.sessionId, lease.turn, lease.epoch);
      throw error;
    }
  }

  return {
    async accept(access, turn) {
      const { owner, ...key } = await database.write("acceptTurn", { access, turn, now: clock() });
      return hold(turn.sessionId, key, owner, emptyLogPosition);
    },

    append(lease, position, events) {
      return withLease(lease, async (live, key) => {
        const added = placeEvents(position, events);
        const { stopRequested } = await database.write("appendEvents", { lease: key, position, added });
        live.publish(position, added);
        if (stopRequested) liveTurns.stop(lease.sessionId, lease.turn);
        return added.at(-1)?.position ?? position;
      });
    },

    settle(lease, position, events) {
      return withLease(lease, async (live, key) => {
        const added = placeEvents(position, events);
        await database.write("settleTurn", { lease: key, position, added, now: clock() });
        live.publish(position, added);
        liveTurns.settled(lease.sessionId, lease.turn);
      });
    },

    async claimLapsed() {
      const lapsed = await database.write("claimLapsed", {});
      return lapsed.map(({ sessionId, owner, head, key, turn, epoch, ...facts }) => ({
        lease: hold(sessionId, { key, turn, epoch }, owner, head),
        ...facts,
      }));
    },

    async requestStop(access, sessionId, turn) {
      await database.write("requestStop", { access, sessionId, turn });
      liveTurns.stop(sessionId, turn);
    },

    read: (access, sessionId, turn) => database.read("readTurn", { access, sessionId, turn }),

    async follow(access, sessionId, turn, after, signal): Promise<Following> {
      // Known to memory before the log is looked at, so that no end in between goes unnoticed.
      const live = liveTurns.acquire(sessionId, turn);
      const onDone = () => liveTurns.release(sessionId, turn);
      const reader = (key: TurnKey, place: number | undefined) =>
        new TurnReader({ database, key, live, after: place, signal, onDone });
      const { lease } = live;
      if (lease !== undefined && mayAccess(access, lease.owner) && live.since(after) !== undefined) {
        return { turn, finished: false, events: reader(lease.key, after) };
      }
      try {
        const { status, head, key } = await database.read("startLog", { access, sessionId, turn });
        if (isTerminal(status)) live.settled = true;
        if (isTerminal(status) && after >= head) {
          onDone();
          return { turn, finished: true, events: nothing() };
        }
        return { turn, finished: false, events: reader({ key, turn }, after > head ? undefined : after) };
      } catch (error) {
        onDone();
        throw error;
      }
    },

    async history(access, sessionId, window): Promise<History> {
      const { session, hasMore, range } = await database.read("openHistory", { access, sessionId, window });
      async function* pages() {
        for (let { above } = range; ; ) {
          const page = await database.read("readHistory", { ...range, above });
          const last = page.at(-1);
          if (last === undefined) return;
          yield page;
          above = last.turn;
        }
      }
      return { session, hasMore, pages: pages() };
    },

    remember: (access, sessionId, { before, maxLength }) =>
      database.read("remember", { access, sessionId, before, maxLength }),
  };
}

async function* nothing(): AsyncGenerator<never> {}
