/** The part of the storage contract about what ends by itself. Every back end runs it in its own test file. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access, BegunTurn, Retention, Storage } from "../../src/storage/storage.ts";
import { turnEvents, unbegunStop } from "../helpers/storage.ts";
import type { StoragePlace } from "./storage.ts";

const day = 24 * 60 * 60_000;
const retention: Retention = { guestMs: 30 * day, otherMs: 90 * day };
const guest = "guest:alice";
const service = "key:service";
const owner = (principal: string): Access => ({ by: "owner", principal });
const { started, text, ended } = turnEvents;
const alone = { beginNext: true };

export function retentionContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps sessions for as long as it is told`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;
    let sessions = 0;

    /** The real time: a server that lets keys expire goes by its own clock. */
    const today = Date.now();

    beforeEach(async () => {
      now = today;
      place = await makePlace();
      storage = await place.open(() => now, retention);
    });
    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    async function reopen(other: Retention): Promise<void> {
      await storage.close();
      storage = await place.open(() => now, other);
    }

    /** Opens a session so many days ago. */
    async function openSession(daysAgo: number, principal = guest, username = "TR"): Promise<string> {
      now = today - daysAgo * day;
      sessions += 1;
      const sessionId = `c${sessions.toString(16).padStart(31, "0")}`;
      await storage.sessions.open({ sessionId, principal, username, title: null, instructions: null });
      now = today;
      return sessionId;
    }

    async function send(sessionId: string, principal: string, ifBusy: "reject" | "queue" = "reject") {
      const ask = { kind: "prompt", prompt: "Hello!" } as const;
      return storage.turns.accept(owner(principal), { sessionId, ask, ifBusy, once: { key: "k", fingerprint: "f" } });
    }

    async function begin(sessionId: string, principal: string): Promise<BegunTurn> {
      const accepted = await send(sessionId, principal);
      if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
      return accepted.begun;
    }

    async function settle({ lease }: BegunTurn): Promise<void> {
      await storage.turns.settle(lease, lease.head, [started(lease), text("said"), ended], alone);
    }

    const expire = () => storage.sessions.expire(new AbortController().signal);

    /** Which of these can be read, once the storage has had the time to see to it. */
    async function left(principal: string, ids: readonly string[]): Promise<boolean[]> {
      const reads = await Promise.allSettled(ids.map((id) => storage.sessions.read(owner(principal), id)));
      return reads.map(({ status }) => status === "fulfilled");
    }

    const listed = async (principal: string, username = "TR") =>
      (await storage.sessions.list(principal, { username, limit: 200 })).sessions.map(({ sessionId }) => sessionId);

    test("what was idle for longer goes, with its turns and its place in the list, and what was not stays", async () => {
      const old = await openSession(31);
      const recent = await openSession(29);
      await expire();
      expect(await left(guest, [old, recent])).toEqual([false, true]);
      expect(await listed(guest)).toEqual([recent]);
      await expect(storage.turns.read(owner(guest), old, 1)).rejects.toMatchObject({ code: "session_not_found" });
      await expect(send(old, guest)).rejects.toMatchObject({ code: "session_not_found" });
    });

    test("guests' sessions and those of others each have their own time", async () => {
      const guests = await openSession(31, guest);
      const services = [await openSession(89, service), await openSession(91, service)];
      await expire();
      expect(await left(guest, [guests])).toEqual([false]);
      expect(await left(service, services)).toEqual([true, false]);
    });

    test("what is said of neither class is kept for ever", async () => {
      await reopen({ guestMs: 30 * day });
      const services = [await openSession(3_000, service)];
      const guests = [await openSession(31, guest)];
      await expire();
      expect(await left(service, services)).toEqual([true]);
      expect(await left(guest, guests)).toEqual([false]);
    });

    if (keepsWhenClosed) {
      test("the end of an answer is activity, a change of the title is none", async () => {
        const asked = await openSession(20);
        const renamed = await openSession(20);
        await storage.sessions.change(owner(guest), renamed, { title: "Plans" });
        await settle(await begin(asked, guest));
        await reopen({ guestMs: 10 * day });
        await expire();
        expect(await left(guest, [asked, renamed])).toEqual([true, false]);
      });

      test("a pinned session is kept, until it is pinned no more", async () => {
        const pinned = await openSession(29);
        await storage.sessions.change(owner(guest), pinned, { pinned: true });
        await reopen({ guestMs: day });
        await expire();
        expect(await left(guest, [pinned])).toEqual([true]);
        expect(await listed(guest)).toEqual([pinned]);
        await storage.sessions.change(owner(guest), pinned, { pinned: false });
        await expire();
        await expect.poll(() => left(guest, [pinned])).toEqual([false]);
      });

      test("a session in which a turn runs or waits is kept whatever its age, and goes some time after the end of the last", async () => {
        const sessionId = await openSession(0);
        await begin(sessionId, guest);
        const ask = { kind: "prompt", prompt: "And then?" } as const;
        await storage.turns.accept(owner(guest), { sessionId, ask, ifBusy: "queue" });
        await reopen({ guestMs: day });
        now = today + 2 * day;
        await expire();
        expect(await left(guest, [sessionId])).toEqual([true]);
        // What ends now ended long ago: a server that goes by its own clock is not to wait for it.
        now = today - 2 * day;
        await storage.turns.requestStop(owner(guest), sessionId, 2, unbegunStop(sessionId, 2));
        expect(await left(guest, [sessionId])).toEqual([true]);
        const [running] = (await storage.turns.claim()).lapsed;
        if (running === undefined) throw new Error("The turn was not claimed");
        await settle(running);
        now = today;
        await expire();
        await expect.poll(() => left(guest, [sessionId])).toEqual([false]);
      });

      test("another setting holds for what is there already, also where it is none any more", async () => {
        await reopen({});
        const [old, recent] = [await openSession(40), await openSession(20)];
        expect(await expire()).toBe(0);
        expect(await left(guest, [old, recent])).toEqual([true, true]);
        await reopen({ guestMs: 30 * day });
        await expire();
        expect(await left(guest, [old, recent])).toEqual([false, true]);
        await reopen({});
        await expire();
        now = today + 1_000 * day;
        await expire();
        expect(await left(guest, [recent])).toEqual([true]);
      });
    }

    test("a guest of whom nothing is left is forgotten after the same time, and not while anything is left", async () => {
      await openSession(62, guest);
      await openSession(10, "guest:bob");
      await openSession(200, service);
      const known = () =>
        Promise.all([guest, "guest:bob", "guest:carol", service].map((each) => storage.sessions.isKnown(each)));
      // Its last session goes, and then nothing is left of it.
      now = today - 31 * day;
      await expire();
      now = today;
      await storage.sessions.delete(owner("guest:carol"), await openSession(10, "guest:carol"));
      await expire();
      expect(await known()).toEqual([false, true, true, true]);
      await openSession(0, guest);
      await expire();
      expect(await known()).toEqual([true, true, true, true]);
    });

    test("many are deleted in many steps, and which is told to nobody who has others", async () => {
      const old: string[] = [];
      for (let index = 0; index < 65; index += 1) old.push(await openSession(31 + index));
      const others = [await openSession(1, "guest:bob"), await openSession(1)];
      await expire();
      expect(await left(guest, old)).toEqual(old.map(() => false));
      expect(await left("guest:bob", others.slice(0, 1))).toEqual([true]);
      expect(await listed(guest)).toEqual(others.slice(1));
    });
  });
}
