/** The part of the storage contract about who owns what. Every back end runs it in its own test file. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deleteAllOf } from "../../src/storage/owner-store.ts";
import type { SessionGroup, Storage, Whose } from "../../src/storage/storage.ts";
import type { StoragePlace } from "./storage.ts";

export function ownerContract(name: string, makePlace: () => Promise<StoragePlace>): void {
  describe(`${name} knows who owns what`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;
    let sessions = 0;

    beforeEach(async () => {
      now = 1_000_000;
      place = await makePlace();
      storage = await place.open(() => now);
    });
    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    async function openSession(principal: string, username: string): Promise<string> {
      sessions += 1;
      const sessionId = `d${sessions.toString(16).padStart(31, "0")}`;
      await storage.sessions.open({ sessionId, principal, username, title: null, instructions: null });
      return sessionId;
    }

    const idsOf = async (whose: Whose) =>
      (await Array.fromAsync(storage.owners.sessions(whose)))
        .flat()
        .map(({ sessionId }) => sessionId)
        .toSorted();

    async function groups(): Promise<SessionGroup[]> {
      const all = (await Array.fromAsync(storage.owners.groups())).flat();
      return all.toSorted((one, other) => (one.principal + one.username < other.principal + other.username ? -1 : 1));
    }

    test("principals are listed with their usernames, how many sessions they have and when they were last active", async () => {
      expect(await groups()).toEqual([]);
      await openSession("guest:alice", "TR");
      now += 5;
      await openSession("guest:alice", "TR");
      await openSession("guest:alice", "a*[b]?\\ }:sessions: é");
      await openSession("key:service", "TR");
      const gone = await openSession("guest:gone", "TR");
      await storage.sessions.delete({ by: "owner", principal: "guest:gone" }, gone);
      await expect.poll(groups).toEqual([
        { principal: "guest:alice", username: "TR", sessions: 2, updatedAt: 1_000_005 },
        { principal: "guest:alice", username: "a*[b]?\\ }:sessions: é", sessions: 1, updatedAt: 1_000_005 },
        { principal: "key:service", username: "TR", sessions: 1, updatedAt: 1_000_005 },
      ]);
    });

    test("the sessions of a principal, of a username and of both are told apart, whatever is in the names", async () => {
      const one = await openSession("key:a*", "TR");
      const two = await openSession("key:a*", "b*");
      const three = await openSession("key:ab", "TR");
      const four = await openSession("key:ab", "bc");
      expect(await idsOf({ principal: "key:a*" })).toEqual([one, two]);
      expect(await idsOf({ username: "b*" })).toEqual([two]);
      expect(await idsOf({ username: "TR" })).toEqual([one, three]);
      expect(await idsOf({ principal: "key:ab", username: "bc" })).toEqual([four]);
      expect(await idsOf({ principal: "key:ab", username: "b*" })).toEqual([]);
      expect(await idsOf({ principal: "key:" })).toEqual([]);
    });

    test("only who owns nothing is forgotten", async () => {
      const sessionId = await openSession("guest:alice", "TR");
      expect(await storage.owners.forget("guest:alice")).toBe(false);
      expect(await storage.sessions.isKnown("guest:alice")).toBe(true);
      await storage.sessions.delete({ by: "owner", principal: "guest:alice" }, sessionId);
      await expect.poll(() => storage.owners.forget("guest:alice")).toBe(true);
      expect(await storage.sessions.isKnown("guest:alice")).toBe(false);
    });

    test("all of somebody's is deleted, however much it is, with what is opened meanwhile, and nothing of others", async () => {
      for (let index = 0; index < 450; index += 1) await openSession("guest:alice", `name ${index % 3}`);
      const others = [await openSession("guest:bob", "name 1"), await openSession("guest:alicf", "name 1")];
      const opening = openSession("guest:alice", "one more");
      const deleted = await deleteAllOf(storage, { principal: "guest:alice" });
      await opening;
      expect(deleted + (await deleteAllOf(storage, { principal: "guest:alice" }))).toBe(451);
      expect(await idsOf({ principal: "guest:alice" })).toEqual([]);
      expect(await storage.sessions.isKnown("guest:alice")).toBe(false);
      expect(await idsOf({ username: "name 1" })).toEqual(others.toSorted());
    });

    test("of one username all is deleted and the rest is kept, and nobody is never everybody", async () => {
      await openSession("guest:alice", "work");
      const kept = await openSession("guest:alice", "home");
      expect(await deleteAllOf(storage, { principal: "guest:alice", username: "work" })).toBe(1);
      expect(await idsOf({ principal: "guest:alice" })).toEqual([kept]);
      expect(await storage.sessions.isKnown("guest:alice")).toBe(true);
      await expect(deleteAllOf(storage, {})).rejects.toThrow();
      expect(await idsOf({ principal: "guest:alice" })).toEqual([kept]);
    });
  });
}
