import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../log.ts";
import type { Observer } from "../../observer.ts";
import { LiveTurns } from "../live/live-turns.ts";
import type { Retention, Storage } from "../storage.ts";
import type { Durability } from "./durability.ts";
import { Expiry } from "./expiry.ts";
import { notDurable, searchUnavailable } from "./failures.ts";
import { gameStore } from "./games.ts";
import { keyStore } from "./key-store.ts";
import { checkKey, workerChannel } from "./keys.ts";
import { defaultLeaseTimes, type LeaseKey, Leases, type LeaseTimes } from "./leases.ts";
import { SharedLimits } from "./limits.ts";
import { ownerStore } from "./owners.ts";
import { Reads } from "./reads.ts";
import { Server } from "./server.ts";
import { ServerClock } from "./server-clock.ts";
import { sessionStore } from "./sessions.ts";
import { Subscriptions } from "./subscriptions.ts";
import { turnStore } from "./turns.ts";
import { Usage } from "./usage.ts";

export type RedisOptions = {
  /** `redis://` or `rediss://`, with name and password where they are needed. */
  readonly url: string;
  /** Undefined for `replica` where a replica is connected, and `async` where none is. */
  readonly durability?: Durability | undefined;
  /** Goes on with a server that may lose or forget what it acknowledged. */
  readonly allowWeak?: boolean | undefined;
  /** Milliseconds since 1970, instead of the server's time; leases go by that all the same. */
  readonly clock?: () => number;
  /** For ever, where nothing is said. */
  readonly retention?: Retention | undefined;
  readonly leaseTimes?: LeaseTimes;
  /** Called when the server turns out later not to be usable. The process must end; what was acknowledged is safe. */
  readonly onFatal: (error: Error) => void;
  /** Called when there may be turns to claim. */
  readonly onClaimable?: (() => void) | undefined;
  readonly log?: Log | undefined;
  readonly observer?: Pick<Observer, "committed"> | undefined;
};

/** Milliseconds that opening waits for the server; without it nothing is stored, but the service says so. */
const openingTimeout = 3_000;

/**
 * Opens the storage on a Redis or Valkey server. One that cannot be reached is tried again for as long as it takes.
 *
 * @throws Error with a sentence for the operator when the server is there and cannot be used
 */
export async function openRedisStorage(options: RedisOptions): Promise<Storage> {
  const { url, durability, allowWeak = false, leaseTimes = defaultLeaseTimes, log } = options;
  const { retention = {} } = options;
  const worker = randomUUID();
  const liveTurns = new LiveTurns<LeaseKey>();
  const opened = Promise.withResolvers<void>();
  let isOpen = false;
  const server = new Server({
    url,
    durability,
    allowWeak,
    log,
    observer: options.observer,
    onReady: () => {
      // Also another server, after a failover.
      void serverClock.look().then(opened.resolve);
      if (isOpen) options.onClaimable?.();
    },
    onRefused: (error) => (isOpen ? options.onFatal(error) : opened.reject(error)),
  });
  const serverClock = new ServerClock(server);
  const clock = options.clock ?? serverClock.now;
  const subscriptions = new Subscriptions(url);
  subscriptions.add(workerChannel(worker), (message) => listen(liveTurns, message));
  const leases = new Leases(server, liveTurns, leaseTimes, () => {
    if (!isOpen || !server.isReady) return;
    void server.refresh();
    void serverClock.look();
    options.onClaimable?.();
  });
  const usage = new Usage(server, clock, retention, log);
  const expiry = new Expiry(server, clock, retention);
  const limits = new SharedLimits(server);
  let closing: Promise<void> | undefined;
  const storage: Storage = {
    owners: ownerStore(server),
    sessions: sessionStore({ server, liveTurns, expiry, clock }),
    turns: turnStore({
      server,
      reads: new Reads(server),
      leases,
      expiry,
      liveTurns,
      subscriptions,
      usage,
      worker,
      clock,
      log,
    }),
    search: { find: () => Promise.reject(searchUnavailable()) },
    usage,
    games: gameStore({ server, clock, retention, log }),
    keys: keyStore(server, clock),
    limits,
    clock,
    async check() {
      await server.readOnce(["PING"]);
      const { isDurable } = await server.write(["INCR", checkKey]);
      if (!isDurable) throw notDurable();
    },
    facts: () => ({ kind: "redis", durability: server.durability }),
    backlog: () => server.backlog,
    // Each session's queue is a key of its own, in a slot of its own.
    waitingTurns: async () => undefined,
    close() {
      closing ??= (async () => {
        leases.close();
        limits.close();
        await usage.settled();
        await server.close(() => leases.farewell());
        subscriptions.close();
        liveTurns.closed();
      })();
      return closing;
    },
  };
  try {
    await Promise.race([opened.promise, delay(openingTimeout, undefined, { ref: false })]);
  } catch (error) {
    await storage.close();
    throw error;
  }
  isOpen = true;
  opened.promise.catch((error) => options.onFatal(error));
  return storage;
}

/** What `scripts/*.lua` say to the worker of a turn. */
function listen(liveTurns: LiveTurns<LeaseKey>, message: string): void {
  const [kind, sessionId = "", turn] = message.split(" ");
  if (kind === "stop") liveTurns.stop(sessionId, Number(turn));
  if (kind === "deleted") liveTurns.deleted(sessionId);
}
