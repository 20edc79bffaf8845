/**
 * The storage contract as promises. Every back end runs all of it, in a few lines of its own.
 *
 * A place is where a storage keeps its data; opening it again after a close is what a restarted process does.
 */
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LoggedEvent, TurnEnded, TurnEvent } from "../../src/protocol/events.ts";
import { mergeText } from "../../src/storage/event-log.ts";
import {
  type Access,
  type Lease,
  LeaseLost,
  PositionRefused,
  type Retention,
  type SessionPlace,
  type Storage,
  TurnStopRequested,
} from "../../src/storage/storage.ts";
import { beginTurn, turnEvents, unbegunStop } from "../helpers/storage.ts";

export type StoragePlace = {
  open(clock: () => number, retention?: Retention): Promise<Storage>;
  clean(): Promise<void>;
};

const alice = "guest:alice";
const bob = "guest:bob";
const service = "key:service";
const capability: Access = { by: "capability" };
const owner = (principal: string): Access => ({ by: "owner", principal });
/** How the turn of a session in which none waits is settled. */
const alone = { beginNext: true };
const neverStored = "0".repeat(32);

/** @param keepsWhenClosed false for a place in memory: what a restart finds cannot be asked of it */
export function storageContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps the storage contract`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;

    beforeEach(async () => {
      now = 1_000_000;
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
      const sessionId = sessions.toString(16).padStart(32, "a");
      await storage.sessions.open({ sessionId, principal, username, title: null, instructions: null });
      return sessionId;
    }

    const accept = async (sessionId: string, prompt = "Hello!") => (await beginTurn(storage, sessionId, prompt)).lease;

    /** An accepted turn with its `turn` event logged. */
    async function begin(sessionId: string): Promise<{ lease: Lease; head: number }> {
      const lease = await accept(sessionId);
      return { lease, head: await storage.turns.append(lease, lease.head, [started(lease)]) };
    }

    async function write(lease: Lease, head: number, ...texts: string[]): Promise<number> {
      let position = head;
      for (const text of texts) position = await storage.turns.append(lease, position, [{ type: "text", text }]);
      return position;
    }

    async function complete(sessionId: string, ...texts: string[]): Promise<number> {
      const { lease, head } = await begin(sessionId);
      await storage.turns.settle(lease, await write(lease, head, ...texts), [ended("completed")], alone);
      return lease.turn;
    }

    async function readAll(sessionId: string, turn: number, after = -1, access = capability): Promise<LoggedEvent[]> {
      const following = await storage.turns.follow(access, sessionId, turn, after, AbortSignal.timeout(10_000));
      const events: LoggedEvent[] = [];
      for await (const step of following.events) events.push(...step);
      return events;
    }

    async function allTurns(sessionId: string, window: { limit?: number; before?: number } = {}) {
      const history = await storage.turns.history(capability, sessionId, window);
      return { ...history, turns: (await Array.fromAsync(history.pages)).flat() };
    }

    describe("sessions", () => {
      test("an opened session is read back as it was given", async () => {
        const sessionId = "b".repeat(32);
        const given = { username: "Zoë 🦊\u0001", title: "Ein\nTitel", instructions: "\ufeffBe kind. \u2028" };
        const opened = await storage.sessions.open({ sessionId, principal: alice, ...given });
        expect(opened).toEqual({
          sessionId,
          owner: alice,
          ...given,
          titled: "final",
          pinned: false,
          createdAt: now,
          updatedAt: now,
          turns: 0,
          queued: 0,
          running: null,
        });
        expect(await storage.sessions.read(capability, sessionId)).toEqual(opened);
      });

      test("a principal is known from its first session on, also after that was deleted", async () => {
        expect(await storage.sessions.isKnown(alice)).toBe(false);
        const sessionId = await openSession(alice);
        expect(await storage.sessions.isKnown(alice)).toBe(true);
        await storage.sessions.delete(owner(alice), sessionId);
        expect(await storage.sessions.isKnown(alice)).toBe(true);
        expect(await storage.sessions.isKnown(bob)).toBe(false);
      });

      test("whoever neither owns a session nor holds a guest's id is told that it does not exist, by every method", async () => {
        const guests = await openSession(alice);
        const services = await openSession(service);
        await complete(guests, "Hi");
        const signal = AbortSignal.timeout(10_000);
        const refused: [Access, string][] = [
          [owner(bob), guests],
          [owner("guest:ali"), guests],
          [owner("guest:"), guests],
          [capability, services],
          [owner(alice), services],
          [capability, neverStored],
          [owner(alice), neverStored],
        ];
        for (const [access, id] of refused) {
          const calls = [
            () => storage.sessions.read(access, id),
            () => storage.sessions.delete(access, id),
            () => storage.turns.accept(access, { sessionId: id, ask: { kind: "prompt", prompt: "?" } }),
            () => storage.turns.requestStop(access, id, 1, unbegunStop(id, 1)),
            () => storage.turns.read(access, id, 1),
            () => storage.turns.follow(access, id, 1, -1, signal),
            () => storage.turns.history(access, id, {}),
          ];
          for (const call of calls) {
            await expect(call()).rejects.toMatchObject({
              code: "session_not_found",
              detail: `Invalid session id: ${id}`,
            });
          }
        }
        expect((await storage.sessions.read(owner(alice), guests)).turns).toBe(1);
        expect((await storage.sessions.read(owner(service), services)).turns).toBe(0);
      });

      test("the owner and the holder of a guest's id both read the live turn, and nobody else", async () => {
        const sessionId = await openSession(alice);
        const { lease, head } = await begin(sessionId);
        await write(lease, head, "secret");
        const signal = AbortSignal.timeout(10_000);
        await expect(storage.turns.follow(owner(bob), sessionId, 1, -1, signal)).rejects.toMatchObject({
          code: "session_not_found",
        });
        for (const access of [owner(alice), capability]) {
          const { events } = await storage.turns.follow(access, sessionId, 1, 0, signal);
          for await (const step of events) {
            expect(step.map(({ event }) => event)).toEqual([{ type: "text", text: "secret" }]);
            break;
          }
        }
      });

      test("a deleted session is gone with its turns, its running turn loses its lease and its followers are told", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        await write(lease, head, "to be forgotten");
        const reading = readAll(sessionId, 1);
        reading.catch(() => undefined);
        await delay(20);
        await storage.sessions.delete(owner(alice), sessionId);
        await expect(reading).rejects.toMatchObject({ code: "session_deleted" });
        expect(lease.signal.reason).toBeInstanceOf(LeaseLost);
        await expect(write(lease, head, "more")).rejects.toBeInstanceOf(LeaseLost);
        await expect(storage.turns.settle(lease, head, [ended("completed")], alone)).rejects.toBeInstanceOf(LeaseLost);
        await expect(storage.sessions.read(capability, sessionId)).rejects.toMatchObject({ code: "session_not_found" });
        await expect(storage.turns.read(capability, sessionId, 1)).rejects.toMatchObject({ code: "session_not_found" });
      });

      test("followers of a deleted session are told also while an append is under way", async () => {
        for (let round = 0; round < 20; round += 1) {
          const sessionId = await openSession();
          const { lease, head } = await begin(sessionId);
          const readings = [readAll(sessionId, 1), readAll(sessionId, 1, 0)].map((reading) =>
            reading.then(
              () => "ended",
              (error: unknown) => (error as { code?: string }).code,
            ),
          );
          await delay(1);
          const append = write(lease, head, "under way").catch(() => undefined);
          const deletion = storage.sessions.delete(owner(alice), sessionId);
          const late = write(lease, head + 9, "after it").catch(() => undefined);
          await Promise.all([append, deletion, late]);
          expect(await Promise.all(readings)).toEqual(["session_deleted", "session_deleted"]);
        }
      });

      test("a write that fails leaves its neighbours in the same moment unharmed", async () => {
        const taken = await openSession();
        const again = { sessionId: taken, principal: bob, username: "TR", title: null, instructions: null };
        const fresh = Array.from({ length: 5 }, () => openSession());
        const outcomes = await Promise.allSettled([
          ...fresh,
          storage.sessions.open(again),
          openSession(),
          accept(taken),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          ...fresh.map(() => "fulfilled"),
          "rejected",
          "fulfilled",
          "fulfilled",
        ]);
        expect(await storage.sessions.isKnown(bob)).toBe(false);
        expect(await storage.sessions.read(owner(alice), taken)).toMatchObject({ turns: 1 });
      });

      test("a session opened after another was deleted has nothing of it", async () => {
        const first = await openSession();
        const { lease, head } = await begin(first);
        await storage.sessions.delete(owner(alice), first);
        const second = await openSession();
        await begin(second);
        await expect(write(lease, head, "stray")).rejects.toBeInstanceOf(LeaseLost);
        expect((await storage.turns.read(capability, second, 1)).answer).toBe("");
      });
    });

    describe("a username's sessions", () => {
      const idsOf = async (principal: string, username: string, limit = 200) => {
        const ids: string[][] = [];
        for (let after: SessionPlace | undefined; ; ) {
          const { sessions, next } = await storage.sessions.list(principal, { username, limit, after });
          ids.push(sessions.map(({ sessionId }) => sessionId));
          if (next === undefined) return ids;
          after = next;
        }
      };

      test("are those of that principal under that name, newest activity first", async () => {
        const first = await openSession(alice);
        now += 1_000;
        const second = await openSession(alice);
        await openSession(bob);
        await openSession(alice, "somebody else");
        expect(await idsOf(alice, "TR")).toEqual([[second, first]]);
        now += 1_000;
        const lease = await accept(first);
        await expect.poll(() => idsOf(alice, "TR")).toEqual([[first, second]]);
        now += 1_000;
        const other = await accept(second);
        now += 1_000;
        await storage.turns.settle(lease, lease.head, [ended("completed")], alone);
        await expect.poll(() => idsOf(alice, "TR")).toEqual([[first, second]]);
        now += 1_000;
        await storage.turns.settle(other, other.head, [ended("completed")], alone);
        await expect.poll(() => idsOf(alice, "TR")).toEqual([[second, first]]);
        expect(await idsOf(alice, "nobody")).toEqual([[]]);
        expect(await idsOf("guest:nobody", "TR")).toEqual([[]]);
        const { sessions } = await storage.sessions.list(alice, { username: "TR", limit: 1 });
        expect(sessions).toEqual([await storage.sessions.read(capability, second)]);
      });

      test("come in pages without gap or repeat, also those of the same moment", async () => {
        const all: string[] = [];
        for (let index = 0; index < 23; index += 1) {
          if (index % 4 === 0) now += 1;
          all.push(await openSession(alice));
        }
        const pages = await idsOf(alice, "TR", 5);
        expect(pages.map(({ length }) => length)).toEqual([5, 5, 5, 5, 3]);
        expect(new Set(pages.flat())).toEqual(new Set(all));
        expect(pages.flat()).toEqual((await idsOf(alice, "TR")).flat());
      });

      test("that are deleted are in no list, and those around them still are", async () => {
        const [first, second, third] = [await openSession(alice), await openSession(alice), await openSession(alice)];
        await storage.sessions.delete(owner(alice), second);
        const listed = (await idsOf(alice, "TR", 1)).flat();
        expect(listed.toSorted()).toEqual([first, third].toSorted());
      });

      test("a change changes what it names, is no activity, and others may make none", async () => {
        const sessionId = await openSession(alice);
        const before = await storage.sessions.read(capability, sessionId);
        now += 1_000;
        const titled = await storage.sessions.change(owner(alice), sessionId, { title: 'Pläne "A"' });
        expect(titled).toEqual({ ...before, title: 'Pläne "A"', titled: "final" });
        const pinned = await storage.sessions.change(owner(alice), sessionId, {
          pinned: true,
          instructions: "Be brief.",
        });
        expect(pinned).toEqual({ ...titled, pinned: true, instructions: "Be brief." });
        const emptied = await storage.sessions.change(owner(alice), sessionId, { title: null, pinned: false });
        expect(emptied).toEqual({ ...before, titled: "final", instructions: "Be brief." });
        expect(await storage.sessions.read(capability, sessionId)).toEqual(emptied);
        await expect(storage.sessions.change(owner(bob), sessionId, { title: "Mine" })).rejects.toMatchObject({
          code: "session_not_found",
        });
        await expect(storage.sessions.change(owner(alice), neverStored, { title: "None" })).rejects.toMatchObject({
          code: "session_not_found",
        });
        expect(await storage.sessions.read(capability, sessionId)).toEqual(emptied);
      });
    });

    describe("acceptance", () => {
      test("turns are numbered 1, 2, 3 and the session tells the newest and whether it is answering", async () => {
        const sessionId = await openSession();
        now += 1_000;
        expect(await complete(sessionId, "one")).toBe(1);
        expect(await complete(sessionId, "two")).toBe(2);
        expect(await storage.sessions.read(capability, sessionId)).toMatchObject({
          turns: 2,
          running: null,
          updatedAt: now,
        });
        expect((await accept(sessionId)).turn).toBe(3);
        expect(await storage.sessions.read(capability, sessionId)).toMatchObject({ turns: 3, running: 3 });
      });

      test("a second turn is refused while one runs, naming it, and stores nothing", async () => {
        const sessionId = await openSession();
        await complete(sessionId, "first");
        const lease = await accept(sessionId);
        await expect(accept(sessionId, "me too")).rejects.toMatchObject({ code: "turn_in_progress", turn: 2 });
        expect((await allTurns(sessionId)).turns.map(({ prompt }) => prompt)).toEqual(["Hello!", "Hello!"]);
        await storage.turns.settle(lease, lease.head, [ended("stopped")], alone);
        expect((await accept(sessionId)).turn).toBe(3);
      });

      test("of many sends at once to one session exactly one is accepted", async () => {
        const sessionId = await openSession();
        const outcomes = await Promise.allSettled(
          Array.from({ length: 50 }, (_, index) => accept(sessionId, `${index}`)),
        );
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        expect((await allTurns(sessionId)).turns).toHaveLength(1);
      });

      test("refusals in the same moment leave the neighbours' writes unharmed", async () => {
        const ids = await Promise.all(Array.from({ length: 20 }, () => openSession()));
        const outcomes = await Promise.allSettled(ids.flatMap((id) => [accept(id), accept(id), accept(neverStored)]));
        expect(outcomes.map(({ status }) => status)).toEqual(ids.flatMap(() => ["fulfilled", "rejected", "rejected"]));
      });

      test("a prompt comes back to the byte, whatever is in it", async () => {
        const sessionId = await openSession();
        const prompt = "\ufeff NUL\0 \r\n \u2028 🦊 \u0001 'quotes\" \\ event: end\n\n";
        const lease = await accept(sessionId, prompt);
        expect((await storage.turns.read(capability, sessionId, lease.turn)).prompt).toBe(prompt);
      });
    });

    describe("the log", () => {
      test("positions: the turn event stands at 0, text counts UTF-16 units, everything else 1", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        expect(head).toBe(0);
        const afterText = await write(lease, head, "Hello,", " 🦊");
        expect(afterText).toBe(9);
        await storage.turns.settle(lease, afterText, [errored, ended("incomplete")], alone);
        const log = await readAll(sessionId, 1);
        expect(log.map(({ position, event }) => [position, event.type])).toEqual([
          [0, "turn"],
          [9, "text"],
          [10, "error"],
          [11, "end"],
        ]);
        expect((await storage.turns.read(capability, sessionId, 1)).head).toBe(11);
      });

      test("an event is refused at any place but the head, and the head is told", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const position = await write(lease, head, "abc");
        for (const wrong of [head, position + 1, -1]) {
          const refused = await write(lease, wrong, "x").catch((error: unknown) => error);
          expect(refused).toBeInstanceOf(PositionRefused);
          expect(refused).toMatchObject({ head: position });
          await expect(storage.turns.settle(lease, wrong, [ended("completed")], alone)).rejects.toBeInstanceOf(
            PositionRefused,
          );
        }
        expect((await storage.turns.read(capability, sessionId, 1)).answer).toBe("abc");
      });

      test("a turn is settled once; afterwards its log never changes", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const position = await write(lease, head, "abc");
        const outcomes = await Promise.allSettled([
          storage.turns.settle(lease, position, [ended("completed")], alone),
          storage.turns.settle(lease, position, [ended("stopped")], alone),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
        const log = await readAll(sessionId, 1);
        await expect(write(lease, position + 1, "late")).rejects.toBeInstanceOf(LeaseLost);
        await expect(storage.turns.settle(lease, position + 1, [ended("failed")], alone)).rejects.toBeInstanceOf(
          LeaseLost,
        );
        expect(await readAll(sessionId, 1)).toEqual(log);
        expect(await storage.turns.read(capability, sessionId, 1)).toMatchObject({
          status: "completed",
          answer: "abc",
          end: ended("completed"),
          endedAt: now,
        });
      });

      test("a reset takes the place of the text before it", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const position = await write(lease, head, "wrong");
        const afterReset = await storage.turns.append(lease, position, [
          { type: "reset", text: "right", reason: "test" },
        ]);
        await storage.turns.settle(lease, await write(lease, afterReset, "!"), [ended("completed")], alone);
        expect((await storage.turns.read(capability, sessionId, 1)).answer).toBe("right!");
      });

      test("a failed turn keeps its error", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        await storage.turns.settle(lease, head, [errored, ended("failed")], alone);
        const turn = await storage.turns.read(capability, sessionId, 1);
        expect(turn).toMatchObject({ status: "failed", answer: "", error: errored, model: "some-model" });
      });

      test("a turn tells how many older ones the model did not see: as its end says, or else its beginning", async () => {
        const sessionId = await openSession();
        const told = async (begun: number | undefined, ended: number | undefined) => {
          const { lease } = await beginTurn(storage, sessionId);
          const first = { ...turnEvents.started(lease), ...(begun !== undefined && { trimmed_turns: begun }) };
          const last = { ...turnEvents.ended, ...(ended !== undefined && { trimmed_turns: ended }) };
          const head = await storage.turns.append(lease, lease.head, [first]);
          const running = await storage.turns.read(capability, sessionId, lease.turn);
          await storage.turns.settle(lease, head, [last], { beginNext: true });
          const settled = await storage.turns.read(capability, sessionId, lease.turn);
          return [running?.trimmedTurns, settled?.trimmedTurns];
        };
        expect(await told(undefined, undefined)).toEqual([null, null]);
        expect(await told(2, undefined)).toEqual([2, 2]);
        expect(await told(2, 5)).toEqual([2, 5]);
        const { pages } = await storage.turns.history(capability, sessionId, {});
        const turns = (await Array.fromAsync(pages)).flat();
        expect(turns.map(({ trimmedTurns }) => trimmedTurns)).toEqual([null, 2, 5]);
      });
    });

    describe("following", () => {
      test("a reader who comes before, during or after sees the same text and exactly one end", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const before = readAll(sessionId, 1);
        let position = head;
        for (let index = 0; index < 100; index += 1) position = await write(lease, position, `${index} `);
        const during = readAll(sessionId, 1);
        for (let index = 100; index < 500; index += 1) position = await write(lease, position, `${index} `);
        await storage.turns.settle(lease, position, [ended("completed")], alone);
        const whole = Array.from({ length: 500 }, (_, index) => `${index} `).join("");
        for (const log of [await before, await during, await readAll(sessionId, 1)]) {
          expect(textOf(log)).toBe(whole);
          expect(log.filter(({ event }) => event.type === "end")).toHaveLength(1);
          expect(log.at(-1)?.event.type).toBe("end");
          expect(log.map(({ position }) => position)).toEqual(
            [...log.map(({ position }) => position)].sort((a, b) => a - b),
          );
        }
      });

      test("events handed over are those of an iteration, live or finished, and slow takers hold up nobody", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const delivered = (after: number, pause: () => Promise<void> | undefined, most = Number.POSITIVE_INFINITY) => {
          const events: LoggedEvent[] = [];
          const reading = storage.turns
            .follow(capability, sessionId, 1, after, AbortSignal.timeout(10_000))
            .then((following) =>
              following.events.deliver((step) => {
                events.push(...step);
                const wanted = events.length < most;
                return pause()?.then(() => wanted) ?? wanted;
              }),
            );
          return reading.then(() => events);
        };
        const swift = delivered(-1, () => undefined);
        const slow = delivered(-1, () => delay(3));
        const early = delivered(-1, () => undefined, 3);
        const resumed = delivered(0, () => undefined);
        const pieces = Array.from({ length: 40 }, (_, index) => `piece ${index} 😀 `);
        const end = await write(lease, head, ...pieces);
        await storage.turns.settle(lease, end, [ended("completed")], alone);
        const late = delivered(-1, () => undefined);

        const whole = await readAll(sessionId, 1);
        const expected = mergeText(whole);
        expect(mergeText(await swift)).toEqual(expected);
        expect(mergeText(await slow)).toEqual(expected);
        expect(mergeText(await late)).toEqual(expected);
        expect(textOf(await resumed)).toBe(pieces.join(""));
        expect(textOf(await delivered(2, () => undefined))).toBe(pieces.join("").slice(2));
        expect((await early).length).toBeGreaterThanOrEqual(3);
        expect((await early).at(-1)?.event.type).toBe("text");
      });

      test("a taker that throws ends its own reading and nobody else's", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const following = await storage.turns.follow(capability, sessionId, 1, head, AbortSignal.timeout(10_000));
        const failing = following.events.deliver(() => {
          throw new Error("Taken badly");
        });
        const other = readAll(sessionId, 1);
        const writing = write(lease, head, "a", "b");
        await expect(failing).rejects.toThrow("Taken badly");
        await storage.turns.settle(lease, await writing, [ended("completed")], alone);
        expect(textOf(await other)).toBe("ab");
      });

      test("P5: reading with any cuts, live or finished, gives the stored text without gap or repeat", async () => {
        const pieces = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { maxLength: 30 });
        await fc.assert(
          fc.asyncProperty(
            pieces,
            fc.array(fc.nat({ max: 7 }), { maxLength: 20 }),
            fc.boolean(),
            async (texts, cuts, live) => {
              const sessionId = await openSession();
              const { lease, head } = await begin(sessionId);
              const writing = (async () => {
                await storage.turns.settle(lease, await write(lease, head, ...texts), [ended("completed")], alone);
              })();
              if (!live) await writing;
              const seen: LoggedEvent[] = [];
              let after = -1;
              for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
                const following = await storage.turns.follow(
                  capability,
                  sessionId,
                  1,
                  after,
                  AbortSignal.timeout(10_000),
                );
                let steps = 0;
                for await (const step of following.events) {
                  // A client may vanish in the middle of what was sent to it.
                  const taken = cut === Number.POSITIVE_INFINITY ? step : step.slice(0, cut);
                  seen.push(...taken);
                  after = taken.at(-1)?.position ?? after;
                  steps += 1;
                  if (taken.length < step.length || steps > cut) break;
                }
              }
              await writing;
              expect(textOf(seen)).toBe(texts.join(""));
              expect(seen.filter(({ event }) => event.type === "end")).toHaveLength(1);
              expect(seen.filter(({ event }) => event.type === "reset")).toHaveLength(0);
            },
          ),
          { numRuns: 60 },
        );
      });

      test("C5, G12: a finished answer can be resumed at every position, and between the halves of a character begins anew", async () => {
        const sessionId = await openSession();
        const text = "ab🦊c\r\nd🦊";
        await complete(sessionId, ...text);
        for (let position = 0; position <= text.length; position += 1) {
          const log = await readAll(sessionId, 1, position);
          const rest = text.slice(position);
          if (rest.isWellFormed()) {
            expect(textOf(log)).toBe(rest);
            expect(log.some(({ event }) => event.type === "reset")).toBe(false);
          } else {
            expect(log.map(({ event }) => event)).toEqual([
              { type: "reset", text, reason: "position_not_in_log" },
              ended("completed"),
            ]);
          }
        }
      });

      test("C4: a position beyond a running log begins anew with the whole text, then the tail", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const position = await write(lease, head, "so far");
        const reading = readAll(sessionId, 1, 1_000);
        await delay(20);
        await storage.turns.settle(lease, await write(lease, position, ", so good"), [ended("completed")], alone);
        const log = await reading;
        expect(log[0]).toEqual({ position, event: { type: "reset", text: "so far", reason: "position_not_in_log" } });
        expect(textOf(log)).toBe("so far, so good");
        expect(log.at(-1)?.event.type).toBe("end");
      });

      test("C6: at or after the end of a settled turn there is nothing to follow", async () => {
        const sessionId = await openSession();
        await complete(sessionId, "abc");
        const signal = AbortSignal.timeout(10_000);
        for (const after of [4, 5, 1_000]) {
          const following = await storage.turns.follow(capability, sessionId, 1, after, signal);
          expect(following.finished).toBe(true);
          expect(await Array.fromAsync(following.events)).toEqual([]);
        }
        expect((await storage.turns.follow(capability, sessionId, 1, 3, signal)).finished).toBe(false);
      });

      test("C7: a reader that does not read holds up neither the writer nor another reader", async () => {
        const sessionId = await openSession();
        const { lease, head } = await begin(sessionId);
        const stuck = await storage.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(10_000));
        const iterator = stuck.events[Symbol.asyncIterator]();
        await iterator.next();
        const reading = readAll(sessionId, 1);
        let position = head;
        for (let index = 0; index < 300; index += 1) position = await write(lease, position, "word ");
        await storage.turns.settle(lease, position, [ended("completed")], alone);
        expect(textOf(await reading)).toBe("word ".repeat(300));
        const rest: LoggedEvent[] = [];
        for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
          rest.push(...step.value);
        expect(textOf(rest)).toBe("word ".repeat(300));
      });

      test("a long answer comes in pieces of at most 32 Ki units that add up exactly", async () => {
        const sessionId = await openSession();
        const text = `x${"🦊".repeat(100_000)}`;
        await complete(sessionId, text);
        const log = await readAll(sessionId, 1);
        expect(textOf(log)).toBe(text);
        for (const { event } of log) {
          if (event.type !== "text") continue;
          expect(event.text.length).toBeLessThanOrEqual(32 * 1024);
          expect(event.text.isWellFormed()).toBe(true);
        }
      });

      test("a reader whose signal fires ends at once, and an unknown turn is refused", async () => {
        const sessionId = await openSession();
        await begin(sessionId);
        const leaving = new AbortController();
        const following = await storage.turns.follow(capability, sessionId, 1, 0, leaving.signal);
        const reading = Array.fromAsync(following.events);
        leaving.abort();
        expect(await reading).toEqual([]);
        await expect(
          storage.turns.follow(capability, sessionId, 2, -1, AbortSignal.timeout(10_000)),
        ).rejects.toMatchObject({ code: "turn_not_found" });
      });
    });

    describe("stopping", () => {
      test("a stop reaches the worker through the lease's signal, also between acceptance and the first event", async () => {
        const sessionId = await openSession();
        const lease = await accept(sessionId);
        await storage.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
        expect(lease.signal.reason).toBeInstanceOf(TurnStopRequested);
      });

      test("E11: stopping a settled turn changes nothing; an unknown one is refused", async () => {
        const sessionId = await openSession();
        await complete(sessionId, "done");
        await storage.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
        expect(await storage.turns.read(capability, sessionId, 1)).toMatchObject({
          status: "completed",
          answer: "done",
        });
        await expect(
          storage.turns.requestStop(capability, sessionId, 2, unbegunStop(sessionId, 2)),
        ).rejects.toMatchObject({
          code: "turn_not_found",
        });
      });

      test("E13: a stop of an old turn leaves the running one alone", async () => {
        const sessionId = await openSession();
        await complete(sessionId, "old");
        const { lease } = await begin(sessionId);
        await storage.turns.requestStop(capability, sessionId, 1, unbegunStop(sessionId, 1));
        expect(lease.signal.aborted).toBe(false);
      });
    });

    describe("history", () => {
      test("gives every turn with its text so far, oldest or newest first", async () => {
        const sessionId = await openSession();
        await complete(sessionId, "first ", "answer");
        const stopped = await begin(sessionId);
        await storage.turns.settle(stopped.lease, await write(stopped.lease, 0, "half"), [ended("stopped")], alone);
        const failed = await begin(sessionId);
        await storage.turns.settle(failed.lease, failed.head, [errored, ended("failed")], alone);
        const running = await begin(sessionId);
        await write(running.lease, 0, "so ", "far");
        const { turns, session, hasMore } = await allTurns(sessionId);
        expect(turns.map(({ status, answer }) => [status, answer])).toEqual([
          ["completed", "first answer"],
          ["stopped", "half"],
          ["failed", ""],
          ["running", "so far"],
        ]);
        expect(session.username).toBe("TR");
        expect(hasMore).toBe(false);
      });

      test("pages back through a long session without gap or repeat", async () => {
        const sessionId = await openSession();
        for (let index = 0; index < 23; index += 1) await complete(sessionId, `${index}`);
        const seen: number[] = [];
        for (let before: number | undefined; ; ) {
          const { turns, hasMore } = await allTurns(sessionId, { limit: 5, ...(before !== undefined && { before }) });
          seen.unshift(...turns.map(({ turn }) => turn));
          before = turns[0]?.turn;
          if (!hasMore) break;
        }
        expect(seen).toEqual(Array.from({ length: 23 }, (_, index) => index + 1));
      });

      test("reads in pages of at most 100 turns, ended early by long texts", async () => {
        const many = await openSession();
        for (let index = 0; index < 150; index += 1) await complete(many, "x");
        const short = await storage.turns.history(capability, many, {});
        expect((await Array.fromAsync(short.pages)).map((page) => page.length)).toEqual([100, 50]);
        const sessionId = await openSession();
        for (let index = 0; index < 5; index += 1) await complete(sessionId, "x".repeat(600_000));
        const long = await storage.turns.history(capability, sessionId, {});
        expect((await Array.fromAsync(long.pages)).map((page) => page.length)).toEqual([2, 2, 1]);
      });
    });

    describe("history while things change", () => {
      test("turns that begin after it was asked for are not among it", async () => {
        const sessionId = await openSession();
        for (let index = 0; index < 3; index += 1) await complete(sessionId, `${index}`);
        const history = await storage.turns.history(capability, sessionId, { limit: 2 });
        await complete(sessionId, "later");
        expect((await Array.fromAsync(history.pages)).flat().map(({ turn }) => turn)).toEqual([2, 3]);
      });

      test("a session that is deleted in mid-reading never looks whole", async () => {
        const sessionId = await openSession();
        for (let index = 0; index < 101; index += 1) await complete(sessionId, "x");
        const { pages } = await storage.turns.history(capability, sessionId, {});
        const iterator = pages[Symbol.asyncIterator]();
        expect((await iterator.next()).value).toHaveLength(100);
        await storage.sessions.delete(owner(alice), sessionId);
        await expect(iterator.next()).rejects.toMatchObject({ code: "session_deleted" });
      });
    });

    describe("memory", () => {
      const remember = (sessionId: string, maxLength: number) =>
        storage.turns.remember(capability, sessionId, { maxLength });

      test("holds the newest answered turns, newest first, and counts the older ones", async () => {
        const sessionId = await openSession();
        for (let index = 1; index <= 6; index += 1) {
          await complete(sessionId, `${index}`.repeat(14));
          const { lease, head } = await begin(sessionId);
          await storage.turns.settle(lease, head, [errored, ended("failed")], alone);
        }
        // A prompt is 6 units long, so a turn is 20.
        const memory = await remember(sessionId, 50);
        expect(memory.turns.map(({ turn }) => turn)).toEqual([11, 9, 7]);
        expect(memory.older).toBe(3);
        expect(memory.session.username).toBe("TR");
        expect(await remember(await openSession(), 1_000)).toMatchObject({ turns: [], older: 0 });
      });

      test("holds what a stopped answer said, and nothing of a running one", async () => {
        const sessionId = await openSession();
        const stopped = await begin(sessionId);
        await storage.turns.settle(stopped.lease, await write(stopped.lease, 0, "half"), [ended("stopped")], alone);
        const running = await begin(sessionId);
        await write(running.lease, 0, "so far");
        expect((await remember(sessionId, 1_000)).turns.map(({ answer }) => answer)).toEqual(["half"]);
      });
    });

    describe("a worker that is gone", () => {
      test("a turn that is running here is not taken over", async () => {
        const sessionId = await openSession();
        await begin(sessionId);
        expect(await storage.turns.claim()).toEqual({ lapsed: [], begun: [] });
      });

      if (!keepsWhenClosed) return;
      test("what was stored is there after a restart, and a turn left running is claimed once with a higher epoch", async () => {
        const sessionId = await openSession();
        await complete(sessionId, "kept ", "whole");
        const { lease, head } = await begin(sessionId);
        await write(lease, head, "half");
        const beforeEvents = await openSession();
        await accept(beforeEvents);
        await storage.turns.requestStop(capability, beforeEvents, 1, unbegunStop(beforeEvents, 1));

        await storage.close();
        storage = await place.open(() => now);
        const { lapsed } = await storage.turns.claim();
        expect(lapsed).toHaveLength(2);
        const found = lapsed.find((each) => each.lease.sessionId === sessionId);
        expect(found).toMatchObject({
          model: "some-model",
          text: "half",
          stopRequested: false,
          tailMayBeLost: false,
          lease: { turn: 2, head: 4 },
        });
        expect(found?.lease.epoch).toBeGreaterThan(lease.epoch);
        expect(lapsed.find((each) => each.lease.sessionId === beforeEvents)).toMatchObject({
          stopRequested: true,
          model: null,
          lease: { head: -1 },
        });
        expect(await storage.turns.claim()).toEqual({ lapsed: [], begun: [] });

        await expect(write(lease, 4, "zombie")).rejects.toBeInstanceOf(LeaseLost);
        if (found !== undefined) await storage.turns.settle(found.lease, 4, [errored, ended("interrupted")], alone);
        expect((await allTurns(sessionId)).turns.map(({ status, answer }) => [status, answer])).toEqual([
          ["completed", "kept whole"],
          ["interrupted", "half"],
        ]);
        expect(textOf(await readAll(sessionId, 2, 2))).toBe("lf");
      });
    });

    test("closing the storage ends every reading with an error, not with silence", async () => {
      const sessionId = await openSession();
      await begin(sessionId);
      const reading = readAll(sessionId, 1);
      reading.catch(() => undefined);
      await delay(20);
      await storage.close();
      await expect(reading).rejects.toMatchObject({ code: "storage_unavailable" });
    });

    test("closing commits what was written before it and ends also while writers go on", async () => {
      const sessionId = await openSession();
      const { lease, head } = await begin(sessionId);
      const writing = (async () => {
        for (let position = head; ; ) position = await write(lease, position, "more ");
      })();
      writing.catch(() => undefined);
      const last = storage.sessions.delete(owner(alice), await openSession());
      await storage.close();
      await last;
      await expect(writing).rejects.toBeDefined();
    });

    test("check resolves while the storage works and rejects when it is closed; closing twice is harmless", async () => {
      await storage.check();
      await storage.close();
      await storage.close();
      await expect(storage.check()).rejects.toMatchObject({ code: "storage_unavailable" });
      await expect(openSession()).rejects.toMatchObject({ code: "storage_unavailable" });
    });
  });
}

function started(lease: Lease): TurnEvent {
  return { type: "turn", session_id: lease.sessionId, turn: lease.turn, model: "some-model" };
}

function ended(status: TurnEnded["status"]): TurnEnded {
  return {
    type: "end",
    status,
    finish_reason: null,
    usage: { input_tokens: 1, output_tokens: 2 },
    model: "some-model",
  };
}

const errored = { type: "error", code: "upstream_error", message: "It failed.", retryable: true } as const;

function textOf(log: readonly LoggedEvent[]): string {
  return log.map(({ event }) => (event.type === "text" || event.type === "reset" ? event.text : "")).join("");
}
