/** The part of the storage contract about what turns cost, as promises. Every back end runs all of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deleteAllOf } from "../../src/storage/owner-store.ts";
import { type Access, LeaseLost, type Spent, type Storage } from "../../src/storage/storage.ts";
import { dayMs } from "../../src/storage/usage-store.ts";
import { beginTurn, turnEvents } from "../helpers/storage.ts";
import type { StoragePlace } from "./storage.ts";

const alice = "guest:alice";
const bob = "guest:bob";
const service = "key:service";
const owner = (principal: string): Access => ({ by: "owner", principal });
const today = 20_000;
const anyDay = { from: 0, to: 40_000, limit: 1_000 };
const cost = (inputTokens: number, outputTokens: number, facts: Partial<Spent> = {}): Spent => ({
  model: "m",
  inputTokens,
  outputTokens,
  estimated: false,
  ...facts,
});

/** @param keepsWhenClosed false for a place in memory: what a restart finds cannot be asked of it */
export function usageContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps the contract of usage`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;

    beforeEach(async () => {
      now = today * dayMs + 1;
      place = await makePlace();
      storage = await place.open(() => now);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    let sessions = 0;
    async function openSession(principal = alice, username = "TR"): Promise<string> {
      sessions += 1;
      const sessionId = sessions.toString(16).padStart(32, "c");
      await storage.sessions.open({ sessionId, principal, username, title: null, instructions: null });
      return sessionId;
    }

    async function begin(sessionId: string, access: Access = owner(alice)) {
      const ask = { kind: "prompt", prompt: "?" } as const;
      const accepted = await storage.turns.accept(access, { sessionId, ask });
      if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
      return accepted.begun;
    }

    async function spend(sessionId: string, spent: Spent | undefined, access: Access = owner(alice)): Promise<void> {
      const { lease } = await begin(sessionId, access);
      const events = [turnEvents.started(lease), turnEvents.ended] as const;
      await storage.turns.settle(lease, lease.head, events, { beginNext: true, spent });
    }

    test("what a turn cost is counted with its end, by day, username and model", async () => {
      const sessionId = await openSession();
      await spend(sessionId, cost(10, 3));
      await spend(sessionId, cost(5, 1, { estimated: true }));
      await spend(sessionId, cost(7, 2, { model: "a model" }));
      await spend(await openSession(alice, "Zoë\n🦊"), cost(1, 1));
      now += dayMs;
      await spend(sessionId, cost(100, 20));
      const row = { username: "TR", model: "m", turns: 1, estimated: false };
      expect(await storage.usage.read(alice, anyDay)).toEqual([
        { ...row, day: today + 1, inputTokens: 100, outputTokens: 20 },
        { ...row, day: today, model: "a model", inputTokens: 7, outputTokens: 2 },
        { ...row, day: today, turns: 2, inputTokens: 15, outputTokens: 4, estimated: true },
        { ...row, day: today, username: "Zoë\n🦊", inputTokens: 1, outputTokens: 1 },
      ]);
      expect(storage.usage.today).toBe(today + 1);
    });

    test("it is read for a span of days, both ends included, and for one username", async () => {
      const sessionId = await openSession();
      for (let day = 0; day < 4; day += 1) {
        await spend(sessionId, cost(day, 0));
        now += dayMs;
      }
      await spend(await openSession(alice, "other"), cost(9, 0));
      const days = async (query: object) =>
        (await storage.usage.read(alice, { ...anyDay, ...query })).map(({ day, inputTokens }) => [day, inputTokens]);
      expect(await days({ from: today + 1, to: today + 2 })).toEqual([
        [today + 2, 2],
        [today + 1, 1],
      ]);
      expect(await days({ username: "other" })).toEqual([[today + 4, 9]]);
      expect(await days({ username: "nobody" })).toEqual([]);
      expect(await days({ limit: 2 })).toEqual([
        [today + 4, 9],
        [today + 3, 3],
      ]);
    });

    test("nobody sees what somebody else spent, and guests are also counted together", async () => {
      await spend(await openSession(alice), cost(10, 1));
      await spend(await openSession(bob), cost(20, 2), owner(bob));
      await spend(await openSession(service), cost(40, 4), owner(service));
      expect(await storage.usage.read(bob, anyDay)).toMatchObject([{ inputTokens: 20 }]);
      expect(await storage.usage.read("guest:", anyDay)).toEqual([]);
      const tokens = (principal: string, day = today) => storage.usage.tokens(principal, day);
      expect(await Promise.all([alice, bob, service, "guest:"].map((principal) => tokens(principal)))).toEqual([
        11, 22, 44, 33,
      ]);
      expect(await tokens(alice, today + 1)).toBe(0);
    });

    test("what a title costs is added for whom it is, once a session", async () => {
      const [first, second] = [await openSession(), await openSession()];
      await storage.usage.countTitle({ sessionId: first, owner: alice, username: "TR" }, cost(5, 1));
      await storage.usage.countTitle({ sessionId: second, owner: alice, username: "TR" }, cost(5, 1));
      expect(await storage.usage.read(alice, anyDay)).toMatchObject([{ turns: 2, inputTokens: 10, outputTokens: 2 }]);
      expect(await storage.usage.tokens("guest:", today)).toBe(12);
    });

    test("a turn that asked no model costs nothing and counts as none", async () => {
      await spend(await openSession(), undefined);
      expect(await storage.usage.read(alice, anyDay)).toEqual([]);
    });

    test("a deleted session takes nothing of it along, and what its running turn cost is added", async () => {
      const sessionId = await openSession();
      await spend(sessionId, cost(10, 3));
      const begun = await begin(sessionId);
      await storage.sessions.delete(owner(alice), sessionId);
      await storage.turns.chargeDeleted(begun, cost(2, 1));
      expect(await storage.usage.read(alice, anyDay)).toMatchObject([{ turns: 2, inputTokens: 12, outputTokens: 4 }]);
      expect(await storage.usage.tokens("guest:", today)).toBe(16);
    });

    test("a worker that lost its turn counts nothing, and a turn is counted once", async () => {
      const sessionId = await openSession();
      const { lease } = await begin(sessionId);
      const events = [turnEvents.started(lease), turnEvents.ended] as const;
      const settle = () => storage.turns.settle(lease, lease.head, events, { beginNext: true, spent: cost(3, 1) });
      await settle();
      await expect(settle()).rejects.toBeInstanceOf(LeaseLost);
      expect(await storage.usage.read(alice, anyDay)).toMatchObject([{ turns: 1, inputTokens: 3 }]);
    });

    test("turns that end in the same moment are all counted", async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => openSession()));
      await Promise.all(all.map((sessionId) => spend(sessionId, cost(2, 1))));
      expect(await storage.usage.read(alice, anyDay)).toMatchObject([{ turns: 20, inputTokens: 40, outputTokens: 20 }]);
    });

    test("a turn that begins says whose it is", async () => {
      const sessionId = await openSession(alice, "Zoë");
      expect(await beginTurn(storage, sessionId)).toMatchObject({ owner: alice, username: "Zoë" });
    });

    /** What titles cost of so many sessions; the sessions need not be there. */
    async function spendOnTitles(count: number, username = "TR"): Promise<void> {
      const titles = Array.from({ length: count }, (_, index) => {
        const session = { sessionId: `${username} ${now} ${index}`, owner: alice, username };
        return storage.usage.countTitle(session, cost(1, 1, { model: `m ${index}` }));
      });
      await Promise.all(titles);
    }

    const spentDays = async (principal: string, query: object = {}) => [
      ...new Set((await storage.usage.read(principal, { ...anyDay, limit: 10_000, ...query })).map(({ day }) => day)),
    ];
    const prune = () => storage.usage.prune(new AbortController().signal);

    test("what was spent on days further back than is kept goes, however much it is, and the rest stays", async () => {
      await storage.close();
      storage = await place.open(() => now, { usageDays: 3 });
      const [first, others] = [await openSession(), await openSession(bob, "Bob")];
      await spendOnTitles(1_100);
      for (let day = 1; day <= 5; day += 1) {
        now += dayMs;
        await spend(first, cost(day, 0));
        if (day < 3) await spend(others, cost(day, 0), owner(bob));
      }
      await prune();
      expect(await spentDays(alice)).toEqual([today + 5, today + 4, today + 3, today + 2]);
      expect(await spentDays(bob)).toEqual([today + 2]);
      expect(await storage.usage.tokens(alice, today + 5)).toBe(5);
    });

    test("it is kept for ever where nobody says for how long", async () => {
      await spend(await openSession(), cost(10, 3));
      now += 10_000 * dayMs;
      await prune();
      expect(await spentDays(alice)).toEqual([today]);
    });

    test("what one username spent is deleted with its sessions, on all days, and the rest stays", async () => {
      const kept = await openSession(alice, "T");
      const sessionId = await openSession(alice, "TR");
      await spend(await openSession(bob, "TR"), cost(1, 1), owner(bob));
      await spendOnTitles(1_100);
      for (let day = 0; day < 3; day += 1) {
        await spend(sessionId, cost(10, 3));
        if (day < 2) await spend(kept, cost(5, 1));
        now += dayMs;
      }
      expect(await spentDays(alice)).toEqual([today + 2, today + 1, today]);
      await deleteAllOf(storage, { principal: alice, username: "TR" });
      expect(await spentDays(alice, { username: "TR" })).toEqual([]);
      expect(await spentDays(alice)).toEqual([today + 1, today]);
      expect(await storage.usage.read(alice, anyDay)).toMatchObject([{ username: "T", inputTokens: 5 }, { turns: 1 }]);
      expect(await spentDays(bob)).toEqual([today]);
    });

    test("what a principal spent is deleted with everything else of it, and gives no budget back", async () => {
      const sessionId = await openSession();
      await spend(sessionId, cost(10, 3));
      await spend(await openSession(alice, "other"), cost(10, 3));
      await spend(await openSession(bob), cost(1, 1), owner(bob));
      const begun = await begin(sessionId);
      await deleteAllOf(storage, { principal: alice });
      // Its worker tells what it cost once it has noticed.
      await storage.turns.chargeDeleted(begun, cost(2, 1));
      expect(await spentDays(alice)).toEqual([]);
      expect(await spentDays(bob)).toEqual([today]);
      expect(await storage.usage.tokens(alice, today)).toBe(29);
      expect(await storage.usage.tokens("guest:", today)).toBe(31);
    });

    if (keepsWhenClosed) {
      test("it is there after a restart", async () => {
        await spend(await openSession(), cost(10, 3));
        await storage.close();
        storage = await place.open(() => now);
        expect(await storage.usage.read(alice, anyDay)).toMatchObject([{ inputTokens: 10, outputTokens: 3 }]);
        expect(await storage.usage.tokens(alice, today)).toBe(13);
      });

      test("another number of days holds for what is there already", async () => {
        await spend(await openSession(), cost(10, 3));
        now += 5 * dayMs;
        const left: number[][] = [];
        for (const usageDays of [5, 4]) {
          await storage.close();
          storage = await place.open(() => now, { usageDays });
          await prune();
          left.push(await spentDays(alice));
        }
        expect(left).toEqual([[today], []]);
      });
    }
  });
}
