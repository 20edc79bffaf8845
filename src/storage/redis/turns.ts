import type { Log } from "../../log.ts";
import { isTerminal, type LoggedEvent, type TurnEnded } from "../../protocol/events.ts";
import { emptyLogPosition } from "../../protocol/positions.ts";
import { isProblem } from "../../protocol/problems.ts";
import { idempotencyKeyReused } from "../../protocol/refusals.ts";
import { mayAccess } from "../access.ts";
import { mergeText, placeEvents, textOf, toolsOf } from "../event-log.ts";
import type { LiveTurns } from "../live/live-turns.ts";
import { nothing, TurnReader } from "../live/turn-reader.ts";
import {
  type Acceptance,
  type BegunTurn,
  type Following,
  type History,
  type LapsedTurn,
  type Lease,
  LeaseLost,
  mostQueued,
  PositionRefused,
  sendOnceMs,
  type TurnStore,
} from "../storage.ts";
import { acceptanceOf, acceptValues, storedKey } from "./acceptance.ts";
import { appender } from "./append.ts";
import type { ScriptCall } from "./connection.ts";
import type { Expiry } from "./expiry.ts";
import { notDurable } from "./failures.ts";
import { sessionKey, sessionListKey } from "./keys.ts";
import type { Due, LeaseKey, Leases } from "./leases.ts";
import { chunksOf, eventsOfStream } from "./log-chunks.ts";
import { type PlaceForTurn, Places, unlimited } from "./places.ts";
import type { Reads } from "./reads.ts";
import { RemoteTurns } from "./remote-turns.ts";
import { begunFacts, checkFound, type List, listOf } from "./rows.ts";
import { grantValues, scripts } from "./script.ts";
import type { Server } from "./server.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { type Notes, noteOf, notesFrom, notesOf, type Usage } from "./usage.ts";

export type TurnStoreOptions = {
  readonly server: Server;
  readonly reads: Reads;
  readonly leases: Leases;
  readonly expiry: Expiry;
  readonly liveTurns: LiveTurns<LeaseKey>;
  readonly subscriptions: Subscriptions;
  readonly usage: Usage;
  /** Names this opening of the storage, the holder of the leases that it gives. */
  readonly worker: string;
  readonly clock: () => number;
  readonly log: Log | undefined;
};

type Claimed = { readonly lapsed: LapsedTurn[]; readonly begun: BegunTurn[] };

export function turnStore(options: TurnStoreOptions): TurnStore {
  const { server, reads, leases, expiry, liveTurns, subscriptions, usage, worker, clock, log } = options;

  const logEvents = appender(server, liveTurns);
  const places = new Places(server);
  const remoteTurns = new RemoteTurns(liveTurns, reads, subscriptions);
  /** The leases whose settling was tried and not answered: it may have been done. */
  const unanswered = new WeakSet<AbortSignal>();
  /** What was to be logged last by the leases that were not told whether it was. */
  const maybeLogged = new WeakMap<AbortSignal, readonly LoggedEvent[]>();

  function hold(key: LeaseKey, owner: string, events: readonly LoggedEvent[]): Lease {
    const signal = liveTurns.acquire(key.sessionId, key.turn).hold(key, owner, events);
    const { sessionId, turn, epoch } = key;
    return { sessionId, turn, epoch, head: events.at(-1)?.position ?? emptyLogPosition, signal };
  }

  /** @param reply `begun`, the turn, its epoch and its facts */
  function begin(sessionId: string, [, turn, epoch, ...facts]: List): BegunTurn {
    const begun = begunFacts(facts);
    const key = { sessionId, turn: Number(turn), epoch: Number(epoch), whose: [begun.owner, begun.username] as const };
    return { lease: hold(key, begun.owner, []), ...begun };
  }

  function lapse(sessionId: string, reply: List): LapsedTurn {
    const [, turn, epoch, crashes, stopRequested, tailMayBeLost, entries, ...facts] = reply;
    const events = mergeText(eventsOfStream(listOf(entries)));
    const begun = begunFacts(facts);
    const key = { sessionId, turn: Number(turn), epoch: Number(epoch), whose: [begun.owner, begun.username] as const };
    const first = events[0]?.event;
    return {
      lease: hold(key, begun.owner, events),
      ...begun,
      model: first?.type === "turn" ? first.model : null,
      text: textOf(events),
      tools: toolsOf(events),
      crashes: Number(crashes),
      stopRequested: stopRequested === 1,
      tailMayBeLost: tailMayBeLost === 1,
    };
  }

  /** Lists are in a slot of their own, so what moves a session up in one comes after what it did. */
  function noteActivity(now: number, sessionId: string, owner: string, username: string): void {
    server.note(["ZADD", sessionListKey(owner, username), "XX", "GT", String(now), sessionId]);
  }

  /** A lease that a write found to be lost is given up. */
  function giveUpIfLost({ sessionId, turn, epoch }: Lease, error: unknown): unknown {
    if (error instanceof LeaseLost) liveTurns.leaseLost(sessionId, turn, epoch);
    return error;
  }

  function call(name: keyof typeof scripts, sessionId: string, ...values: readonly (string | number)[]) {
    return { script: scripts[name], key: sessionKey(sessionId), values: values.map(String) };
  }

  async function tryToAccept(sessionId: string, accept: ScriptCall, place: PlaceForTurn) {
    // Known as busy first: one that is and is not known as such would be left alone when its worker dies.
    const { reply, isDurable } = await server.write(leases.touch(sessionId, "when the lease is over"), accept);
    return { isDurable, ...acceptanceOf(checkFound(reply, sessionId), place) };
  }

  async function claimSome({ sessionIds, forget }: Due, claimed: Claimed): Promise<void> {
    // A lease of our own is renewed; one that is over all the same is still ours until somebody else takes it.
    const others = sessionIds.filter((sessionId) => !liveTurns.runsIn(sessionId));
    const replies = await server.writeAll(others.map((id) => call("claim-turn", id, worker, leases.milliseconds)));
    const idle: string[] = [];
    for (const [index, reply] of replies.entries()) {
      const sessionId = others[index] as string;
      // They are due again in a moment.
      if (isProblem(reply)) continue;
      const found = listOf(reply);
      if (found[0] === "lapsed") claimed.lapsed.push(lapse(sessionId, found));
      else if (found[0] === "begun") claimed.begun.push(begin(sessionId, found));
      else if (found[0] === "idle" && (await areCounted(notesFrom(sessionId, found[1])))) idle.push(sessionId);
    }
    if (idle.length > 0) await server.writeAll([forget(idle)]).catch(() => undefined);
  }

  /** Whether nothing is left to count of what a session's turns cost. */
  async function areCounted(notes: Notes | undefined): Promise<boolean> {
    if (notes === undefined) return true;
    return usage.count(notes).then(
      () => true,
      () => false,
    );
  }

  async function release({ sessionId, turn, epoch }: Lease): Promise<void> {
    liveTurns.held(sessionId, turn, epoch);
    try {
      const [reply] = await server.writeAll([
        call("release-turn", sessionId, turn, epoch, 1),
        leases.touch(sessionId, "now"),
      ]);
      if (isProblem(reply)) throw reply;
      if (listOf(reply)[0] === "lease_lost") throw new LeaseLost();
    } finally {
      liveTurns.leaseLost(sessionId, turn, epoch);
    }
  }

  return {
    async accept(access, turn): Promise<Acceptance> {
      const { sessionId, limits } = turn;
      const now = clock();
      const place = limits === undefined ? unlimited : await places.ask(sessionId, limits, now);
      const accept = call(
        "accept-turn",
        sessionId,
        ...acceptValues(turn, now),
        worker,
        leases.milliseconds,
        mostQueued,
        sendOnceMs,
        turn.title ?? "",
        place.mayNotBegin === undefined ? 0 : 1,
        place.mayNotSpend === undefined ? 0 : 1,
        ...grantValues(access),
      );
      const { isDurable, ...accepted } = await tryToAccept(sessionId, accept, place).catch((error) => {
        place.leave();
        throw error;
      });
      const { kind, turn: number } = accepted;
      if (accepted.whose !== undefined) noteActivity(now, sessionId, ...accepted.whose);
      if (kind !== "begun") {
        place.leave();
        if (!isDurable) throw notDurable();
        return { kind, turn: number };
      }
      const begun = begin(sessionId, accepted.reply);
      if (isDurable) return { kind, turn: number, begun };
      // It is answered all the same, by whoever finds it: the same request finds it too.
      await release(begun.lease).catch(() => undefined);
      throw notDurable();
    },

    async findSent(access, { sessionId, ask, once }) {
      const values = [storedKey(ask, once), once.fingerprint, clock() - sendOnceMs, ...grantValues(access)];
      const [kind, turn] = listOf(await server.read(call("find-sent", sessionId, ...values)));
      if (kind === "idempotency_key_reused") throw idempotencyKeyReused();
      return kind === "known" ? Number(turn) : undefined;
    },

    async append(lease, position, events) {
      const live = liveTurns.held(lease.sessionId, lease.turn, lease.epoch);
      if (position !== live.log.head) throw new PositionRefused(live.log.head);
      const added = placeEvents(position, events);
      await logEvents(lease, position, added).catch((error: unknown) => {
        if (isProblem(error, "storage_unavailable")) maybeLogged.set(lease.signal, added);
        throw giveUpIfLost(lease, error);
      });
      maybeLogged.delete(lease.signal);
      live.publish(added);
      return added.at(-1)?.position ?? position;
    },

    async settle(lease, position, events, { beginNext, spent }) {
      const { sessionId, turn, epoch } = lease;
      const live = liveTurns.held(sessionId, turn, epoch);
      if (position !== live.log.head) throw new PositionRefused(live.log.head);
      // Followers elsewhere may have seen it, so it stays, and its place is not used for anything else. The events of a log
      // that is empty as far as its worker knows begin with those that may be there.
      const before = position === emptyLogPosition ? [] : (maybeLogged.get(lease.signal) ?? []);
      const added = [...before, ...placeEvents(before.at(-1)?.position ?? position, events)];
      const whole = [...live.log.whole(), ...added];
      const text = textOf(whole);
      const { status } = events.at(-1) as TurnEnded;
      const { ends, chunks } = chunksOf(whole);
      // The lease may be gone when we are answered: the session can be deleted meanwhile.
      const { key } = live.lease;
      const now = clock();
      const facts = [turn, epoch, status, now, text.length, text === "" ? 0 : 1];
      const next = [worker, leases.milliseconds, beginNext ? 1 : 0, unanswered.has(lease.signal) ? 1 : 0];
      const note = noteOf(spent, now);
      const settle = call("settle-turn", sessionId, ...facts, ...next, note, ends, ...chunks);
      leases.ending.add(key);
      const { reply, isDurable } = await server.write(settle).catch((error: unknown) => {
        unanswered.add(lease.signal);
        throw error;
      });
      unanswered.delete(lease.signal);
      const settled = listOf(reply);
      if (settled[0] === "lease_lost") throw giveUpIfLost(lease, new LeaseLost());
      // Its readers were told everything else already, and the log is as good as it was while it ran.
      if (!isDurable) log?.warn({ turn }, "No replica of the storage confirmed the end of a turn in time");
      live.publish(added);
      noteActivity(now, sessionId, ...key.whose);
      liveTurns.settled(sessionId, turn);
      if (note !== "") usage.countSoon(notesOf(sessionId, key.whose, turn, note));
      if (settled[0] === "begun") return begin(sessionId, settled);
      expiry.note(sessionId);
      places.leave(sessionId, ...key.whose);
      // Else it is looked after when our lease would have ended.
      if (!beginNext && Number(settled[1]) > 0) await server.writeAll([leases.touch(sessionId, "now")]);
      return undefined;
    },

    async chargeDeleted({ lease: { sessionId, turn }, owner, username }, spent) {
      await usage.countUnnoted(notesOf(sessionId, [owner, username], turn, noteOf(spent, clock())));
    },

    release,

    async claim() {
      const claimed: Claimed = { lapsed: [], begun: [] };
      try {
        for (let isAll = false; !isAll; ) {
          const due = await leases.takeDue();
          if (due.sessionIds.length > 0) await claimSome(due, claimed);
          isAll = due.isAll;
        }
      } catch (error) {
        // What was claimed before is ours, whatever becomes of the rest.
        if (claimed.lapsed.length + claimed.begun.length === 0) throw error;
      }
      return claimed;
    },

    async requestStop(access, sessionId, turn, unbegun) {
      const { ends, chunks } = chunksOf(placeEvents(emptyLogPosition, unbegun));
      const { status } = unbegun.at(-1) as TurnEnded;
      const stop = call(
        "request-stop",
        sessionId,
        sessionId,
        turn,
        clock(),
        status,
        ends,
        ...chunks,
        ...grantValues(access),
      );
      const [found] = checkFound((await server.write(stop)).reply, sessionId, turn);
      if (found === "running") liveTurns.stop(sessionId, turn);
      if (found === "queued") expiry.note(sessionId);
    },

    async read(access, sessionId, turn) {
      return reads.turn(access, sessionId, turn);
    },

    async follow(access, sessionId, turn, after, signal): Promise<Following> {
      const live = liveTurns.acquire(sessionId, turn);
      let isRemote = false;
      const onDone = () => {
        if (isRemote) remoteTurns.release(live);
        liveTurns.release(sessionId, turn);
      };
      try {
        const { lease } = live;
        const isOurs = lease !== undefined && mayAccess(access, lease.owner);
        if (!isOurs) {
          const { status, head } = await reads.startOfLog(access, sessionId, turn);
          // A log that is in memory already ends there, with whoever keeps it up to date.
          if (isTerminal(status) && live.log === undefined) live.settledElsewhere();
          if (isTerminal(status) && after >= head) {
            onDone();
            return { turn, finished: true, events: nothing() };
          }
        }
        const remote = remoteTurns.acquire(sessionId, turn, live);
        isRemote = true;
        await remote.isUpToDate();
        const stored = reads.storedLog(sessionId, turn);
        return { turn, finished: false, events: new TurnReader({ stored, live, after, signal, onDone }) };
      } catch (error) {
        onDone();
        throw error;
      }
    },

    async history(access, sessionId, window): Promise<History> {
      const { session, hasMore, range } = await reads.openHistory(access, sessionId, window);
      async function* pages() {
        for (let { above } = range; ; ) {
          const page = await reads.historyPage(sessionId, { above, below: range.below });
          const last = page.at(-1);
          if (last === undefined) return;
          yield page;
          above = last.turn;
        }
      }
      return { session, hasMore, pages: pages() };
    },

    async remember(access, sessionId, { maxLength }) {
      return reads.memory(access, sessionId, maxLength);
    },
  };
}
