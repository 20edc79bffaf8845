/**
 * How often and how much anybody may ask. What is counted is counted by the storage, for all replicas together; what is
 * over is remembered here, so that whoever goes on is refused without a look at anything.
 *
 * Callers with a credential of their own are counted by their principal. Guests are counted by their address, as anybody
 * can be as many guests as they like.
 */
import { Problem } from "../protocol/problems.ts";
import { mayAccess } from "../storage/access.ts";
import { RecentlyUsed } from "../storage/recently-used.ts";
import type { Access, LimitStore, Place, Rate, RateCounter, RateState, SessionStore } from "../storage/storage.ts";
import type { TurnLimits } from "../storage/turn-limits.ts";
import { BlockedKeys } from "./blocked-keys.ts";

/** Undefined where there is no such limit. */
export type LimitsConfig = {
  /** How many proxies of the operator stand before the service. */
  readonly proxyHops: number;
  /** In a minute, by a caller with a key or a token of its own. */
  readonly requestsPerMinute: number | undefined;
  /** In a minute, by all guests of one address. */
  readonly addressRequestsPerMinute: number | undefined;
  readonly notFoundPerMinute: number | undefined;
  readonly failedCredentialsPerMinute: number | undefined;
  /** Answers of one username that are followed. */
  readonly streamsAtOnce: number | undefined;
  /** Answers that guests of one address follow. */
  readonly addressStreamsAtOnce: number | undefined;
  readonly turns: TurnLimits;
};

/** Whoever sent a request, as far as limits go. */
export type Requester = {
  /** Undefined where nobody is told apart by it. */
  readonly address: string | undefined;
  /** Of a caller that is no guest. */
  readonly principal: string | undefined;
};

/** Where a requester stands, for the headers of the answer. */
export type Quota = { readonly rate: Rate; readonly state: Omit<RateState, "isOver"> };

/** Sessions of which the owner is remembered, who never changes. */
const mostOwners = 50_000;

const minute = 60;

type Owned = { readonly owner: string; readonly username: string };

export class Limits {
  readonly config: LimitsConfig;
  readonly #store: LimitStore;
  readonly #sessions: Pick<SessionStore, "read">;
  readonly #requests: RateCounter | undefined;
  readonly #addressRequests: RateCounter | undefined;
  readonly #notFound: RateCounter | undefined;
  readonly #failedCredentials: RateCounter | undefined;
  readonly #blocked = new BlockedKeys<Rate>();
  readonly #owners = new RecentlyUsed<Owned>(mostOwners);

  constructor(
    storage: { readonly limits: LimitStore; readonly sessions: Pick<SessionStore, "read"> },
    config: LimitsConfig,
  ) {
    const { limits } = storage;
    const counter = (name: string, most: number | undefined) =>
      most === undefined ? undefined : limits.counter({ name, most, seconds: minute });
    this.config = config;
    this.#store = limits;
    this.#sessions = storage.sessions;
    this.#requests = counter("requests", config.requestsPerMinute);
    this.#addressRequests = counter("requests", config.addressRequestsPerMinute);
    this.#notFound = counter("not-found", config.notFoundPerMinute);
    this.#failedCredentials = counter("failed-credentials", config.failedCredentialsPerMinute);
  }

  /** What somebody did too often lately, so that nothing of them is looked at; a look into memory. */
  blockOf({ address, principal }: Requester): Quota | undefined {
    return this.#blockOf(principal) ?? this.#blockOf(address);
  }

  /** Counts a request; undefined where nobody counts this requester. One look-up at most. */
  async countRequest({ address, principal }: Requester): Promise<(Quota & { readonly isOver: boolean }) | undefined> {
    const [counter, key] =
      principal !== undefined ? [this.#requests, principal] : [this.#addressRequests, address && addressKey(address)];
    if (counter === undefined || key === undefined) return undefined;
    const { isOver, ...state } = await counter.count(key);
    return { rate: counter.rate, state, isOver };
  }

  /** Something was asked for that is not there. */
  noteNotFound({ address, principal }: Requester): void {
    this.#note(this.#notFound, principal ?? address);
  }

  /** A credential was nobody's. */
  noteFailedCredential({ address }: Requester): void {
    this.#note(this.#failedCredentials, address);
  }

  /**
   * A place for one more answer to follow, to be left when it has ended.
   *
   * @throws Problem `too_many_streams`, `session_not_found`
   */
  async takeStream(access: Access, sessionId: string, { address }: Requester): Promise<Place> {
    const { streamsAtOnce, addressStreamsAtOnce } = this.config;
    const taken: Place[] = [];
    const leave = () => {
      for (const place of taken) place.leave();
    };
    const take = async (key: string, most: number | undefined) => {
      if (most === undefined) return;
      const place = await this.#store.takePlace(key, most);
      if (place === undefined) throw tooManyStreams(most);
      taken.push(place);
    };
    try {
      if (streamsAtOnce !== undefined) {
        const { owner, username } = await this.#ownerOf(access, sessionId);
        await take(`streams\0${owner}\0${username}`, streamsAtOnce);
      }
      if (address !== undefined) await take(`streams\0${address}`, addressStreamsAtOnce);
    } catch (error) {
      leave();
      throw error;
    }
    return { leave };
  }

  /** A session was opened, so that its first prompt need not look up whose it is. */
  noteOpened(sessionId: string, owned: Owned): void {
    this.#owners.set(sessionId, owned);
  }

  async #ownerOf(access: Access, sessionId: string): Promise<Owned> {
    const known = this.#owners.get(sessionId);
    if (known !== undefined && mayAccess(access, known.owner)) return known;
    const { owner, username } = await this.#sessions.read(access, sessionId);
    this.#owners.set(sessionId, { owner, username });
    return { owner, username };
  }

  #note(counter: RateCounter | undefined, key: string | undefined): void {
    if (counter === undefined || key === undefined) return;
    const { rate } = counter;
    void counter.count(key).then(({ remaining, resetSeconds }) => {
      if (remaining === 0) this.#blocked.add(key, rate, resetSeconds);
    });
  }

  #blockOf(key: string | undefined): Quota | undefined {
    const block = key === undefined ? undefined : this.#blocked.get(key);
    return block && { rate: block.reason, state: { remaining: 0, resetSeconds: block.resetSeconds } };
  }
}

/** A principal cannot look like it, so that both can be counted as one rate. */
function addressKey(address: string): string {
  return `address ${address}`;
}

/** Nobody knows when one of them ends. */
const retryAfterStream = 5;

function tooManyStreams(most: number): Problem {
  return new Problem(
    "too_many_streams",
    `${most} answers are being followed already, as many as may at once; close one.`,
    {
      retryAfterSeconds: retryAfterStream,
      most,
    },
  );
}
