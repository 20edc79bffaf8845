import { isTerminal, type LoggedEvent } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { mayAccess } from "../access.ts";
import { factsOf, mergeText, placeEvents, textOf, toolsOf } from "../event-log.ts";
import type { LiveTurns } from "../live/live-turns.ts";
import { nothing, type StoredLog, TurnReader } from "../live/turn-reader.ts";
import {
  type BegunTurn,
  type Following,
  type History,
  type Lease,
  LeaseLost,
  PositionRefused,
  type Turn,
  type TurnStore,
} from "../storage.ts";
import type { Database } from "./database.ts";
import type { TurnKey } from "./thread/events.ts";
import { journalEntry } from "./thread/journal.ts";
import type { Begun, LeaseKey } from "./thread/running-turns.ts";

export function turnStore(database: Database, liveTurns: LiveTurns<LeaseKey>, clock: () => number): TurnStore {
  function hold(sessionId: string, key: LeaseKey, owner: string, log: readonly LoggedEvent[]): Lease {
    const signal = liveTurns.acquire(sessionId, key.turn).hold(key, owner, log);
    return { sessionId, turn: key.turn, epoch: key.epoch, head: log.at(-1)?.position ?? emptyLogPosition, signal };
  }

  function begin(sessionId: string, { key, epoch, turn, ...facts }: Begun): BegunTurn {
    return { lease: hold(sessionId, { key, turn, epoch }, facts.owner, []), ...facts };
  }

  /** A lease that a write found to be lost is given up. */
  function giveUpIfLost(lease: Lease, error: unknown): unknown {
    if (error instanceof LeaseLost) liveTurns.leaseLost(lease.sessionId, lease.turn, lease.epoch);
    return error;
  }

  /** A turn as the tables have it, but for the log of one that runs here: that is in memory until it is settled. */
  async function upToDate(sessionId: string, turn: Turn, readAgain: () => Promise<Turn>): Promise<Turn> {
    if (turn.status !== "running") return turn;
    const log = liveTurns.runningLog(sessionId, turn.turn);
    // Without a log it was settled or given back since it was read, and the tables have all of it.
    return log === undefined ? readAgain() : { ...turn, ...factsOf(log.whole()) };
  }

  return {
    async accept(access, turn) {
      const { sessionId, ask, once } = turn;
      if (once !== undefined && database.isFull) {
        // No write is tried on a full disk, and finding a turn needs none.
        const known = await database.read("findSent", { access, sessionId, ask, once, now: clock() });
        if (known !== undefined) return { kind: "known", turn: known };
      }
      const accepted = await database.write("acceptTurn", { access, turn, now: clock() });
      if (accepted.kind === "known") return accepted;
      if (accepted.kind === "queued") {
        const { interrupted } = accepted;
        if (interrupted !== undefined) liveTurns.stop(sessionId, interrupted);
        return { kind: "queued", turn: accepted.turn };
      }
      const { kind, ...begun } = accepted;
      return { kind, turn: begun.turn, begun: begin(sessionId, begun) };
    },

    findSent: (access, { sessionId, ask, once }) =>
      database.read("findSent", { access, sessionId, ask, once, now: clock() }),

    async append(lease, position, events) {
      const live = liveTurns.held(lease.sessionId, lease.turn, lease.epoch);
      const { key, turn, epoch } = live.lease.key;
      const added = placeEvents(position, events);
      const head = added.at(-1)?.position ?? position;
      try {
        await database.append([key, turn, epoch, position, head, journalEntry(live.lease.key, added)]);
      } catch (error) {
        throw giveUpIfLost(lease, error);
      }
      live.publish(added);
      return head;
    },

    async settle(lease, position, events, { beginNext, spent }) {
      const live = liveTurns.held(lease.sessionId, lease.turn, lease.epoch);
      if (position !== live.log.head) throw new PositionRefused(live.log.head);
      const added = placeEvents(position, events);
      const whole = mergeText([...live.log.whole(), ...added]);
      let next: Begun | undefined;
      try {
        const settlement = { lease: live.lease.key, position, whole, spent, now: clock() };
        // On a full disk the next one could only fail; it waits for the claim that follows when there is space again.
        next = await database.write("settleTurn", { ...settlement, beginNext: beginNext && !database.isFull });
      } catch (error) {
        throw giveUpIfLost(lease, error);
      }
      live.publish(added);
      liveTurns.settled(lease.sessionId, lease.turn);
      return next && begin(lease.sessionId, next);
    },

    async chargeDeleted({ owner, username }, spent) {
      await database.write("chargeDeleted", { whose: { owner, username }, spent, now: clock() });
    },

    async release(lease) {
      const live = liveTurns.held(lease.sessionId, lease.turn, lease.epoch);
      try {
        await database.write("releaseTurn", { lease: live.lease.key });
      } finally {
        liveTurns.leaseLost(lease.sessionId, lease.turn, lease.epoch);
      }
    },

    async claim() {
      const { lapsed, begun } = await database.write("claimTurns", {});
      return {
        lapsed: lapsed.map(({ sessionId, log, key, turn, epoch, ...facts }) => ({
          lease: hold(sessionId, { key, turn, epoch }, facts.owner, log),
          text: textOf(log),
          tools: toolsOf(log),
          ...facts,
        })),
        begun: begun.map(({ sessionId, ...next }) => begin(sessionId, next)),
      };
    },

    async requestStop(access, sessionId, turn, unbegun) {
      const status = await database.write("requestStop", { access, sessionId, turn, unbegun, now: clock() });
      if (status === "running") liveTurns.stop(sessionId, turn);
      if (status === "queued") liveTurns.settledWithoutLease(sessionId, turn);
    },

    async read(access, sessionId, turn) {
      const readTurn = () => database.read("readTurn", { access, sessionId, turn });
      return upToDate(sessionId, await readTurn(), readTurn);
    },

    async follow(access, sessionId, turn, after, signal): Promise<Following> {
      // Known to memory before the log is looked at, so that no end in between goes unnoticed.
      const live = liveTurns.acquire(sessionId, turn);
      const onDone = () => liveTurns.release(sessionId, turn);
      const reader = (key: TurnKey, place: number | undefined) =>
        new TurnReader({ stored: storedLog(database, key), live, after: place, signal, onDone });
      const { lease } = live;
      if (lease !== undefined && mayAccess(access, lease.owner)) {
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
      const readPage = (above: number, below: number) => database.read("readHistory", { ...range, above, below });
      const readTurn = async ({ turn }: Turn) => (await readPage(turn - 1, turn + 1))[0] as Turn;
      async function* pages() {
        for (let { above } = range; ; ) {
          const page = await readPage(above, range.below);
          const last = page.at(-1);
          if (last === undefined) return;
          yield await Promise.all(page.map((turn) => upToDate(sessionId, turn, () => readTurn(turn))));
          above = last.turn;
        }
      }
      return { session, hasMore, pages: pages() };
    },

    remember: (access, sessionId, { maxLength }) => database.read("remember", { access, sessionId, maxLength }),
  };
}

function storedLog(database: Database, turn: TurnKey): StoredLog {
  return {
    after: (position) => database.read("readLog", { turn, after: position }),
    textSoFar: () => database.read("readText", turn),
  };
}
