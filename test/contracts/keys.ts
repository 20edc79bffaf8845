/** The part of the storage contract about the keys of programs. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NewKey, Storage } from "../../src/storage/storage.ts";
import type { StoragePlace } from "./storage.ts";

function keyOf(id: string, facts: Partial<NewKey> = {}): NewKey {
  return { id, hash: id.repeat(4), owner: "web", scopes: ["read", "write"], expiresAt: null, ...facts };
}

export function keyContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps the contract about keys`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;

    beforeEach(async () => {
      now = 1_795_837_200_000;
      place = await makePlace();
      storage = await place.open(() => now);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    test("a key is found by its id, as it was added", async () => {
      const given = keyOf("a1", { owner: 'Zoë "web" revoked:a1', scopes: ["read"], expiresAt: now + 1 });
      const added = await storage.keys.add(given);
      expect(added).toEqual({ ...given, createdAt: now, revokedAt: null });
      expect(await storage.keys.find("a1")).toEqual(added);
      for (const id of ["a", "a11", "", "revoked:a1", "key:a1"]) expect(await storage.keys.find(id)).toBeUndefined();
    });

    test("there is one key of an id: the second is refused and changes nothing", async () => {
      const added = await storage.keys.add(keyOf("a1"));
      await expect(storage.keys.add(keyOf("a1", { owner: "mallory" }))).rejects.toThrow();
      expect(await storage.keys.list()).toEqual([added]);
    });

    test("all keys are listed, oldest first, also those that were revoked", async () => {
      expect(await storage.keys.list()).toEqual([]);
      const ids = ["c3", "a1", "b2"];
      for (const id of ids) {
        now += 1;
        await storage.keys.add(keyOf(id));
      }
      await storage.keys.revoke("a1");
      expect((await storage.keys.list()).map(({ id }) => id)).toEqual(ids);
      expect((await storage.keys.list()).map(({ revokedAt }) => revokedAt)).toEqual([null, now, null]);
    });

    test("a key that was revoked stays so, since the first time, and no other does", async () => {
      const added = await storage.keys.add(keyOf("a1"));
      const other = await storage.keys.add(keyOf("b2"));
      now += 1_000;
      expect(await storage.keys.revoke("a1")).toEqual({ ...added, revokedAt: now });
      const revokedAt = now;
      now += 1_000;
      expect(await storage.keys.revoke("a1")).toEqual({ ...added, revokedAt });
      expect(await storage.keys.find("a1")).toEqual({ ...added, revokedAt });
      expect(await storage.keys.find("b2")).toEqual(other);
      for (const id of ["c3", "revoked:a1", "key:a1"]) expect(await storage.keys.revoke(id)).toBeUndefined();
      expect(await storage.keys.list()).toHaveLength(2);
    });

    if (keepsWhenClosed) {
      test("keys outlive the process", async () => {
        await storage.keys.add(keyOf("a1"));
        const revoked = await storage.keys.revoke("a1");
        await storage.close();
        storage = await place.open(() => now);
        expect(await storage.keys.list()).toEqual([revoked]);
      });
    }
  });
}
