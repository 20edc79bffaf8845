/**
 * Limits that all replicas hold together. While the server is away each of them holds its own callers to the whole limit:
 * too generous by as many replicas as there are is better than refusing everybody.
 */
import { createHash, randomUUID } from "node:crypto";
import RateLimiterRedis from "rate-limiter-flexible/lib/RateLimiterRedis.js";
import type { LimitStore, Place, Rate, RateCounter, RateState } from "../limit-store.ts";
import { LocalLimits } from "../local-limits.ts";
import { keepPlaces, leavePlace, takePlace } from "./places.ts";
import type { Script } from "./script.ts";
import type { Server } from "./server.ts";

/** How often places are renewed, in milliseconds: twice before they would be over (`places.ts`). */
const renewalMs = 10_000;

export class SharedLimits implements LimitStore {
  readonly #server: Server;
  readonly #local = new LocalLimits();
  /** The places of this process, by where they are. */
  readonly #held = new Map<string, Set<string>>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: Server) {
    this.#server = server;
    this.#timer = setInterval(() => this.#renew(), renewalMs).unref();
  }

  counter(rate: Rate): RateCounter {
    const { name, most, seconds } = rate;
    const limiter = new RateLimiterRedis({
      storeClient: scriptRunner(this.#server),
      useRedisPackage: true,
      rejectIfRedisNotReady: true,
      keyPrefix: `chat:rate:${name}`,
      points: most,
      duration: seconds,
    });
    const local = this.#local.counter(rate);
    return {
      rate,
      count: (key) =>
        limiter.penalty(key).then(
          (counted) => stateOf(rate, counted),
          () => local.count(key),
        ),
    };
  }

  async takePlace(key: string, most: number): Promise<Place | undefined> {
    // Also what this process holds itself counts, for the time when the server is away.
    const local = await this.#local.takePlace(key, most);
    if (local === undefined) return undefined;
    const name = placesOf(key);
    const member = randomUUID();
    const [outcome] = await this.#server.logAll([takePlace(name, member, most)]).catch(() => []);
    if (outcome === "full") {
      local.leave();
      return undefined;
    }
    this.#hold(name, member);
    return {
      leave: () => {
        local.leave();
        this.#leave(name, member);
      },
    };
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #hold(name: string, member: string): void {
    const members = this.#held.get(name) ?? new Set();
    this.#held.set(name, members.add(member));
  }

  #leave(name: string, member: string): void {
    const members = this.#held.get(name);
    if (members?.delete(member) !== true) return;
    if (members.size === 0) this.#held.delete(name);
    this.#server.note(leavePlace(name, member));
  }

  #renew(): void {
    for (const [name, members] of this.#held) this.#server.note(keepPlaces(name, [...members]));
  }
}

/** What the package tells of a key that was counted. */
function stateOf(
  { most }: Rate,
  { consumedPoints, msBeforeNext }: { readonly consumedPoints: number; readonly msBeforeNext: number },
): RateState {
  return {
    isOver: consumedPoints > most,
    remaining: Math.max(most - consumedPoints, 0),
    resetSeconds: Math.max(Math.ceil(msBeforeNext / 1_000), 0),
  };
}

/** By a hash, as what it is for may be long. */
function placesOf(key: string): string {
  return `chat:places:${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
}

/** What the package knows a client by, on a connection that we have already. */
function scriptRunner(server: Server) {
  const scripts = new Map<string, Script>();
  return {
    get isReady(): boolean {
      return server.isReady;
    },
    /** @throws Problem, where another limiter takes over */
    async eval(source: string, { keys: [key = ""], arguments: values }: EvalOptions): Promise<unknown> {
      const script = scripts.get(source) ?? scriptOf(source);
      scripts.set(source, script);
      return server.readOnce({ script, key, values });
    },
  };
}

type EvalOptions = { readonly keys: readonly string[]; readonly arguments: readonly string[] };

function scriptOf(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}
