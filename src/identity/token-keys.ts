/** The public keys that access tokens are checked with: one that the operator gave, or those of a key set (RFC 7517). */
import { createPublicKey, type KeyObject } from "node:crypto";
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from "jose";
import type { Log } from "../log.ts";
import { Problem } from "../protocol/problems.ts";

type VerificationKey = CryptoKey | KeyObject;

export interface TokenKeys {
  /**
   * The key for a token with this header.
   *
   * @throws JOSEError where there is none; Problem `authentication_unavailable` where none could be had yet
   */
  find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<VerificationKey>;
}

/** @param pem SPKI or a certificate */
export function fixedKey(pem: string): TokenKeys {
  const set = createLocalJWKSet({ keys: [createPublicKey(pem).export({ format: "jwk" })] });
  // There is one, whatever name a token has for it; but it has to be of a kind that fits the algorithm.
  return { find: ({ alg }) => set({ alg: String(alg) }) };
}

export type KeySetTimes = {
  /** Milliseconds between two fetches for keys that are not in the set. */
  readonly cooldown: number;
  /** The age from which on the set is fetched again, while the old one is still used. */
  readonly fresh: number;
  /** The age from which on a set that could not be fetched again is of no use any more. */
  readonly usable: number;
  /** How long a fetch may take. */
  readonly fetch: number;
};

const defaultTimes: KeySetTimes = {
  cooldown: 30_000,
  fresh: 10 * 60_000,
  usable: 24 * 60 * 60_000,
  fetch: 5_000,
};

/** Hundreds of keys; nobody has as many. */
const maxBytes = 1024 * 1024;

type KeySet = ReturnType<typeof createLocalJWKSet>;

/**
 * A key set at a URL. What was fetched is used while its server is away, for a day, so that logins that break do not
 * break this service with them; a key that was withdrawn is gone after ten minutes where the server answers. Not jose's
 * own remote set: that one refuses everybody as soon as a fetch fails at the age of ten minutes, and has no pause
 * between fetches that fail.
 */
export class KeySetAtUrl implements TokenKeys {
  readonly #url: string;
  readonly #log: Log;
  readonly #times: KeySetTimes;
  #set: KeySet | undefined;
  /** On the clock of `performance.now()`. */
  #fetchedAt = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;

  constructor(url: string, log: Log, times: KeySetTimes = defaultTimes) {
    this.#url = url;
    this.#log = log;
    this.#times = times;
  }

  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<VerificationKey> {
    const age = performance.now() - this.#fetchedAt;
    if (this.#set === undefined || age > this.#times.usable) await this.#fetchNowAndThen();
    else if (age > this.#times.fresh) void this.#fetchNowAndThen();
    try {
      return await this.#usable(header, token);
    } catch (error) {
      // A new key, or one that somebody made up; only that one waits for the fetch.
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#fetchNowAndThen())) throw error;
      return this.#usable(header, token);
    }
  }

  async #usable(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<VerificationKey> {
    const set = this.#set;
    if (set === undefined || performance.now() - this.#fetchedAt > this.#times.usable) {
      throw new Problem(
        "authentication_unavailable",
        "The keys that tokens are checked with cannot be had right now.",
        {
          retryAfterSeconds: this.#times.cooldown / 1_000,
        },
      );
    }
    return set(header, token);
  }

  /** Once for all who want it, and not again before the pause is over. False where nothing was fetched. Never rejects. */
  async #fetchNowAndThen(): Promise<boolean> {
    const now = performance.now();
    if (this.#fetching === undefined) {
      if (now - this.#triedAt < this.#times.cooldown) return false;
      this.#triedAt = now;
      this.#fetching = this.#fetch().finally(() => {
        this.#fetching = undefined;
      });
    }
    await this.#fetching;
    return true;
  }

  async #fetch(): Promise<void> {
    try {
      const response = await fetch(this.#url, {
        headers: { accept: "application/jwk-set+json, application/json" },
        // Whoever may answer for that URL is the operator's choice, not its server's.
        redirect: "error",
        signal: AbortSignal.timeout(this.#times.fetch),
      });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new Error(`The server of AUTH_JWKS_URL answers ${response.status}`);
      }
      this.#set = createLocalJWKSet(JSON.parse(await readText(response)));
      this.#fetchedAt = performance.now();
    } catch (error) {
      this.#log.error(
        { err: error },
        "The keys of AUTH_JWKS_URL cannot be fetched; those fetched before are used for a day",
      );
    }
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error("The key set of AUTH_JWKS_URL is larger than 1 MiB");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
