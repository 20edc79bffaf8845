/** What the storage contract promises about titles that nobody gave. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access, Storage } from "../../src/storage/storage.ts";
import type { StoragePlace } from "./storage.ts";

const capability: Access = { by: "capability" };
const alice: Access = { by: "owner", principal: "guest:alice" };
const bob: Access = { by: "owner", principal: "guest:bob" };

export function titleContract(name: string, makePlace: () => Promise<StoragePlace>): void {
  describe(`${name} keeps the contract about titles`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let opened = 0;

    beforeEach(async () => {
      place = await makePlace();
      storage = await place.open(Date.now);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    async function openSession(title: string | null = null): Promise<string> {
      opened += 1;
      const sessionId = opened.toString(16).padStart(32, "c");
      const session = { sessionId, principal: "guest:alice", username: "TR", title, instructions: null };
      expect(await storage.sessions.open(session)).toMatchObject({ title, titled: title === null ? "no" : "final" });
      return sessionId;
    }

    function accept(sessionId: string, title?: string) {
      return storage.turns.accept(capability, {
        sessionId,
        ask: { kind: "prompt", prompt: "?" },
        title,
        ifBusy: "queue",
      });
    }

    async function titleOf(sessionId: string) {
      const { title, titled } = await storage.sessions.read(capability, sessionId);
      return [title, titled];
    }

    test("a session that nobody named takes the title that comes with its first prompt, and no later one", async () => {
      const sessionId = await openSession();
      await accept(sessionId, "First words");
      expect(await titleOf(sessionId)).toEqual(["First words", "words"]);
      await accept(sessionId, "Second words");
      expect(await titleOf(sessionId)).toEqual(["First words", "words"]);
    });

    test("a first prompt without a title leaves the session without one, whatever comes later", async () => {
      const sessionId = await openSession();
      await accept(sessionId);
      await accept(sessionId, "Second words");
      expect(await titleOf(sessionId)).toEqual([null, "no"]);
    });

    test("a title that the user gave, or took away, stays", async () => {
      const named = await openSession("Plans");
      await accept(named, "First words");
      expect(await titleOf(named)).toEqual(["Plans", "final"]);
      const renamed = await openSession();
      await storage.sessions.change(alice, renamed, { title: "Plans" });
      await accept(renamed, "First words");
      expect(await titleOf(renamed)).toEqual(["Plans", "final"]);
      const emptied = await openSession();
      await storage.sessions.change(alice, emptied, { title: null });
      await accept(emptied, "First words");
      expect(await titleOf(emptied)).toEqual([null, "final"]);
    });

    test("a change of something else leaves it open who names the session", async () => {
      const sessionId = await openSession();
      await storage.sessions.change(alice, sessionId, { pinned: true });
      await accept(sessionId, "First words");
      expect(await titleOf(sessionId)).toEqual(["First words", "words"]);
    });

    test("a prompt that is refused names nothing", async () => {
      const sessionId = await openSession();
      const refused = { sessionId, ask: { kind: "prompt", prompt: "?" }, ifTurn: 7, title: "Never" } as const;
      await expect(storage.turns.accept(capability, refused)).rejects.toMatchObject({ code: "stale_turn" });
      expect(await titleOf(sessionId)).toEqual([null, "no"]);
    });

    test("of all who would ask the model for a title, one may, and once", async () => {
      const sessionId = await openSession();
      expect(await storage.sessions.claimTitle(alice, sessionId)).toBe(false);
      await accept(sessionId, "First words");
      const claims = await Promise.all(Array.from({ length: 10 }, () => storage.sessions.claimTitle(alice, sessionId)));
      expect(claims.filter(Boolean)).toHaveLength(1);
      expect(await titleOf(sessionId)).toEqual(["First words", "asked"]);
      expect(await storage.sessions.giveTitle(alice, sessionId, "A better one")).toBe(true);
      expect(await titleOf(sessionId)).toEqual(["A better one", "final"]);
      expect(await storage.sessions.claimTitle(alice, sessionId)).toBe(false);
      expect(await storage.sessions.giveTitle(alice, sessionId, "Another one")).toBe(false);
      expect(await titleOf(sessionId)).toEqual(["A better one", "final"]);
    });

    test.each(["First words", "Mine", null])(
      "a title that the user sets to %j meanwhile is not overruled",
      async (title) => {
        const sessionId = await openSession();
        await accept(sessionId, "First words");
        expect(await storage.sessions.claimTitle(alice, sessionId)).toBe(true);
        await storage.sessions.change(alice, sessionId, { title });
        expect(await storage.sessions.giveTitle(alice, sessionId, "The model's")).toBe(false);
        expect(await titleOf(sessionId)).toEqual([title, "final"]);
      },
    );

    test("giving a title is no activity", async () => {
      const sessionId = await openSession();
      await accept(sessionId, "First words");
      const { updatedAt } = await storage.sessions.read(capability, sessionId);
      await storage.sessions.claimTitle(alice, sessionId);
      await storage.sessions.giveTitle(alice, sessionId, "A better one");
      expect((await storage.sessions.read(capability, sessionId)).updatedAt).toBe(updatedAt);
    });

    test("whoever does not own the session is told that it does not exist", async () => {
      const sessionId = await openSession();
      await accept(sessionId, "First words");
      for (const call of [
        storage.sessions.claimTitle(bob, sessionId),
        storage.sessions.giveTitle(bob, sessionId, "Bob's"),
        storage.sessions.claimTitle(alice, "0".repeat(32)),
      ]) {
        await expect(call).rejects.toMatchObject({ code: "session_not_found" });
      }
      expect(await titleOf(sessionId)).toEqual(["First words", "words"]);
    });
  });
}
