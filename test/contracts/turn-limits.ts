/** The part of the storage contract about how much may run at once and be spent, as promises. Every back end runs all of it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Acceptance, BegunTurn, NewTurn, Storage } from "../../src/storage/storage.ts";
import { dayMs } from "../../src/storage/usage-store.ts";
import { turnEvents } from "../helpers/storage.ts";
import type { StoragePlace } from "./storage.ts";

const alice = "guest:alice";
const bob = "guest:bob";
const service = "key:service";
const tomorrow = 20_001 * dayMs;

/** @param keepsWhenClosed false for a place in memory: what a restart finds cannot be asked of it */
export function turnLimitsContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps the contract of limits`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;

    beforeEach(async () => {
      now = tomorrow - 90_000;
      place = await makePlace();
      storage = await place.open(() => now);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    let sessions = 0;
    type Opened = { readonly sessionId: string; readonly principal: string };
    async function open(principal = alice, username = "TR"): Promise<Opened> {
      sessions += 1;
      const sessionId = sessions.toString(16).padStart(32, "d");
      await storage.sessions.open({ sessionId, principal, username, title: null, instructions: null });
      return { sessionId, principal };
    }

    type Wishes = Omit<NewTurn, "sessionId" | "ask">;
    function accept({ sessionId, principal }: Opened, wishes: Wishes = {}): Promise<Acceptance> {
      const ask = { kind: "prompt", prompt: "?" } as const;
      return storage.turns.accept({ by: "owner", principal }, { sessionId, ask, ...wishes });
    }

    async function begin(session: Opened, wishes: Wishes = {}): Promise<BegunTurn> {
      const accepted = await accept(session, wishes);
      if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
      return accepted.begun;
    }

    function settle({ lease }: BegunTurn, tokens = 0): Promise<BegunTurn | undefined> {
      const events = [turnEvents.started(lease), turnEvents.ended] as const;
      const spent = { model: "m", inputTokens: tokens, outputTokens: 0, estimated: false };
      return storage.turns.settle(lease, lease.head, events, { beginNext: true, spent });
    }

    describe("turns at once", () => {
      const limits = { atOnce: 2 };
      const refusal = { code: "too_many_turns", retryAfterSeconds: expect.any(Number) };

      test("B24: as many turns of one username run as may, and the next is refused until one of them has ended", async () => {
        const [first] = [await begin(await open(), { limits }), await begin(await open(), { limits })];
        const third = await open();
        await expect(accept(third, { limits })).rejects.toMatchObject(refusal);
        expect(await storage.sessions.read({ by: "owner", principal: alice }, third.sessionId)).toMatchObject({
          turns: 0,
          running: null,
        });
        await settle(first);
        await begin(third, { limits });
      });

      test("B24: of another username or another principal they are others", async () => {
        for (const [principal, username] of [
          [alice, "TR"],
          [alice, "Zoë"],
          [bob, "TR"],
          [service, "TR"],
        ]) {
          await begin(await open(principal, username), { limits });
          await begin(await open(principal, username), { limits });
          await expect(accept(await open(principal, username), { limits })).rejects.toMatchObject(refusal);
        }
      });

      test("B24: one that waits does not count, and counts once it runs", async () => {
        const session = await open();
        const running = await begin(session, { limits });
        const other = await begin(await open(), { limits });
        expect(await accept(session, { limits, ifBusy: "queue" })).toMatchObject({ kind: "queued" });
        await expect(accept(session, { limits })).rejects.toMatchObject({ code: "turn_in_progress" });
        const next = await settle(running);
        await expect(accept(await open(), { limits })).rejects.toMatchObject(refusal);
        await settle(next as BegunTurn);
        await settle(other);
        await begin(await open(), { limits });
        await begin(await open(), { limits });
      });

      test("B24: a request that came before finds its turn all the same", async () => {
        const session = await open();
        const once = { key: "k", fingerprint: "f" };
        const { lease } = await begin(session, { limits, once });
        await begin(await open(), { limits });
        expect(await accept(session, { limits, once })).toEqual({ kind: "known", turn: lease.turn });
      });

      test("B24: what is refused, deleted or given up holds no place", async () => {
        const session = await open();
        await begin(await open(), { limits });
        for (let round = 0; round < 3; round += 1) {
          await expect(accept(session, { limits, ifTurn: 9 })).rejects.toMatchObject({ code: "stale_turn" });
        }
        const deleted = await open();
        await begin(deleted, { limits });
        await storage.sessions.delete({ by: "owner", principal: alice }, deleted.sessionId);
        await begin(session, { limits });
      });

      test("B24: of requests that come together no more than may pass", async () => {
        const all = await Promise.all(Array.from({ length: 10 }, () => open()));
        const outcomes = await Promise.allSettled(all.map((session) => accept(session, { limits })));
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
      });

      test("without a limit any number runs", async () => {
        for (let count = 0; count < 5; count += 1) await begin(await open());
      });
    });

    describe("budgets", () => {
      const refusal = { code: "budget_exhausted", retryAfterSeconds: 90 };

      test("B25: who has spent the tokens of a day begins nothing more, waiting included, until the next one", async () => {
        const limits = { dailyTokens: 10 };
        const session = await open();
        await settle(await begin(session, { limits }), 9);
        const running = await begin(session, { limits });
        const other = await open();
        await settle(await begin(other, { limits }), 1);
        await expect(accept(session, { limits, ifBusy: "queue" })).rejects.toMatchObject(refusal);
        await settle(running);
        await expect(accept(other, { limits })).rejects.toMatchObject(refusal);
        await begin(await open(bob), { limits });
        now = tomorrow;
        await begin(other, { limits });
      });

      test("B25: guests share one budget, and nobody else is held to it", async () => {
        const limits = { guestDailyTokens: 10 };
        await settle(await begin(await open(alice), { limits }), 6);
        await settle(await begin(await open(service), { limits }), 100);
        await settle(await begin(await open(bob), { limits }), 6);
        await expect(accept(await open("guest:carol"), { limits })).rejects.toMatchObject({
          ...refusal,
          detail: expect.stringContaining("all guests together"),
        });
        await begin(await open(service), { limits });
      });

      test("B25: a request that came before finds its turn also when the budget is spent", async () => {
        const limits = { dailyTokens: 1 };
        const session = await open();
        const once = { key: "k", fingerprint: "f" };
        await settle(await begin(session, { limits, once }), 5);
        expect(await accept(session, { limits, once })).toEqual({ kind: "known", turn: 1 });
        await expect(accept(session, { limits })).rejects.toMatchObject(refusal);
      });

      if (keepsWhenClosed) {
        test("B25: a restart gives nothing back", async () => {
          const limits = { dailyTokens: 5 };
          const session = await open();
          await settle(await begin(session, { limits }), 5);
          await storage.close();
          storage = await place.open(() => now);
          await expect(accept(session, { limits })).rejects.toMatchObject(refusal);
        });
      }
    });
  });
}
