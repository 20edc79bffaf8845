import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStorage } from "../../test/helpers/storage.ts";
import type { Storage } from "../storage/storage.ts";
import type { Authenticator } from "./authenticator.ts";
import { createKey, type KeyTerms, keyAuthenticator } from "./keys.ts";

let storage: Storage;
let authenticator: Authenticator;
let now: number;

beforeEach(async () => {
  now = 1_000_000;
  storage = await openTestStorage(() => now);
  authenticator = keyAuthenticator(storage.keys, () => now);
});

afterEach(() => storage.close());

async function addKey(terms: Partial<KeyTerms> = {}): Promise<{ secret: string; id: string }> {
  const { secret, key } = createKey({ owner: "web", scopes: ["read", "write"], expiresAt: null, ...terms });
  await storage.keys.add(key);
  return { secret, id: key.id };
}

/** What the log is told; the client is told the same of each. */
async function reasonFor(secret: string): Promise<string> {
  const error: unknown = await authenticator.authenticate(secret).catch((refusal: unknown) => refusal);
  expect(error).toMatchObject({ code: "invalid_credential", detail: "The key is not valid." });
  return ((error as Error).cause as Error).message;
}

test("a key's owner is the principal, so that several keys of one owner see the same sessions", async () => {
  const [old, next] = [await addKey(), await addKey()];
  expect(await authenticator.authenticate(old.secret)).toEqual({
    kind: "key",
    principal: "key:web",
    scopes: ["read", "write"],
    username: undefined,
    validForMs: undefined,
  });
  expect((await authenticator.authenticate(next.secret)).principal).toBe("key:web");
  await storage.keys.revoke(old.id);
  expect((await authenticator.authenticate(next.secret)).principal).toBe("key:web");
});

test("B27: a key holds 256 random bits, and neither it nor any part of it is stored", async () => {
  const { secret, key } = createKey({ owner: "web", scopes: ["read"], expiresAt: null });
  const bits = secret.replace("chatkey_", "");
  expect(Buffer.from(bits, "base64url")).toHaveLength(32);
  expect(createKey({ owner: "web", scopes: ["read"], expiresAt: null }).secret).not.toBe(secret);
  await storage.keys.add(key);
  const stored = JSON.stringify(await storage.keys.list());
  for (let start = 0; start + 8 <= bits.length; start += 1) expect(stored).not.toContain(bits.slice(start, start + 8));
});

test("B2: an unknown, altered, revoked or expired key is refused with the same words, and only the log hears why", async () => {
  const good = await addKey();
  const revoked = await addKey();
  await storage.keys.revoke(revoked.id);
  const expiring = await addKey({ expiresAt: now + 1_000 });
  expect((await authenticator.authenticate(expiring.secret)).validForMs).toBe(1_000);
  now += 1_000;
  const altered = good.secret.slice(0, -1) + (good.secret.endsWith("A") ? "B" : "A");
  expect(await reasonFor(createKey({ owner: "web", scopes: ["read"], expiresAt: null }).secret)).toBe(
    "there is no such key",
  );
  expect(await reasonFor(altered)).toBe("there is no such key");
  expect(await reasonFor(revoked.secret)).toBe(`the key ${revoked.id} was revoked`);
  expect(await reasonFor(expiring.secret)).toBe(`the key ${expiring.id} has expired`);
  for (const nonsense of ["", "chatkey_", `guest_${"A".repeat(43)}`, `${good.secret} `, `${good.secret}=`, good.id]) {
    expect(await reasonFor(nonsense)).toBe("it does not look like a key");
  }
  expect((await authenticator.authenticate(good.secret)).principal).toBe("key:web");
});

test("B2: whoever knows the name of a key, which is the beginning of its hash, is not let in by another key of that name", async () => {
  const { secret, key } = createKey({ owner: "web", scopes: ["read"], expiresAt: null });
  await storage.keys.add({ ...key, hash: key.hash.slice(0, 16) + "0".repeat(48) });
  expect(await reasonFor(secret)).toBe("there is no such key");
});

test("B15: a key has the scopes that it was given, and no scope that the service does not know", async () => {
  const { secret } = await addKey({ scopes: ["read"] });
  expect((await authenticator.authenticate(secret)).scopes).toEqual(["read"]);
  const strange = createKey({ owner: "web", scopes: [], expiresAt: null });
  await storage.keys.add({ ...strange.key, scopes: ["admin", "writes"] });
  expect((await authenticator.authenticate(strange.secret)).scopes).toEqual([]);
});

test("a storage that cannot be asked lets nobody in, and says so", async () => {
  const { secret } = await addKey();
  await storage.close();
  await expect(authenticator.authenticate(secret)).rejects.toMatchObject({ code: "storage_unavailable" });
});
