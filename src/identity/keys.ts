/**
 * Keys of programs: each is 256 random bits that are shown once. Only the SHA-256 is stored; a slow hash, as passwords
 * need, would protect nothing, because so many random bits cannot be guessed from a fast one either, and would cost every
 * request.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { Problem } from "../protocol/problems.ts";
import type { KeyStore, NewKey, StoredKey } from "../storage/storage.ts";
import type { Authenticator } from "./authenticator.ts";
import { type Caller, type Scope, scopes } from "./caller.ts";

/** Known by its beginning to whatever looks for secrets where there should be none. Base64url of 32 bytes. */
const keyPattern = /^chatkey_[A-Za-z0-9_-]{43}$/;

/** As many hex digits of the hash name a key: 64 bits, so that no two ever have the same name. */
const idLength = 16;

export const keyPrincipalPrefix = "key:";

export type KeyTerms = {
  /** Who will use it; all keys of one owner open and see the same sessions. */
  readonly owner: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since 1970, null for never. */
  readonly expiresAt: number | null;
};

/** A new key: what its owner is given, and what is stored. */
export function createKey(terms: KeyTerms): { readonly secret: string; readonly key: NewKey } {
  const secret = `chatkey_${randomBytes(32).toString("base64url")}`;
  const hash = hashOf(secret).toString("hex");
  return { secret, key: { id: hash.slice(0, idLength), hash, ...terms } };
}

/** @param clock milliseconds since 1970 */
export function keyAuthenticator(keys: KeyStore, clock: () => number): Authenticator {
  return {
    mode: "keys",
    needs: "a key",
    welcome: undefined,
    async authenticate(secret) {
      if (!keyPattern.test(secret)) throw refusal("it does not look like a key");
      const hash = hashOf(secret);
      const key = await keys.find(hash.toString("hex").slice(0, idLength));
      // Compared also where there is none, so that both take the same time.
      const isSame = timingSafeEqual(hash, key === undefined ? noHash : Buffer.from(key.hash, "hex"));
      if (key === undefined || !isSame) throw refusal("there is no such key");
      if (key.revokedAt !== null) throw refusal(`the key ${key.id} was revoked`);
      const now = clock();
      if (key.expiresAt !== null && key.expiresAt <= now) throw refusal(`the key ${key.id} has expired`);
      return callerOf(key, now);
    },
  };
}

const noHash = Buffer.alloc(32);

function callerOf({ owner, scopes: allowed, expiresAt }: StoredKey, now: number): Caller {
  return {
    kind: "key",
    principal: keyPrincipalPrefix + owner,
    scopes: scopes.filter((scope) => allowed.includes(scope)),
    username: undefined,
    validForMs: expiresAt === null ? undefined : expiresAt - now,
  };
}

function hashOf(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function refusal(reason: string): Problem {
  return new Problem("invalid_credential", "The key is not valid.", { cause: new Error(reason) });
}
