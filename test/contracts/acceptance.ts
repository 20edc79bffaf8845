/**
 * The storage contract as promises, second part: requests that come twice, turns that wait for each other, take each
 * other's place or go on with each other, and turns that are given back.
 */
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LoggedEvent, TurnEnded } from "../../src/protocol/events.ts";
import {
  type Acceptance,
  type BegunTurn,
  type IfBusy,
  LeaseLost,
  mostQueued,
  type NewTurn,
  type Storage,
  sendOnceMs,
  TurnStopRequested,
} from "../../src/storage/storage.ts";
import { beginTurn, capability, openTestSession, unbegunStop } from "../helpers/storage.ts";
import type { StoragePlace } from "./storage.ts";

/** @param keepsWhenClosed false for a place in memory: what a restart finds cannot be asked of it */
export function acceptanceContract(
  name: string,
  makePlace: () => Promise<StoragePlace>,
  { keepsWhenClosed }: { readonly keepsWhenClosed: boolean },
): void {
  describe(`${name} keeps the contract of acceptance`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let sessionId: string;
    let now: number;

    beforeEach(async () => {
      now = 1_000_000;
      place = await makePlace();
      storage = await place.open(() => now);
      sessionId = await openTestSession(storage);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    type Wishes = Omit<NewTurn, "sessionId" | "ask">;

    const ask = (
      prompt = "?",
      wishes: Wishes & { replaces?: number; sessionId?: string } = {},
    ): Promise<Acceptance> => {
      const { replaces, ...others } = wishes;
      return storage.turns.accept(capability, { sessionId, ask: { kind: "prompt", prompt, replaces }, ...others });
    };
    const again = (kind: "regenerate" | "continue", wishes: Wishes = {}) =>
      storage.turns.accept(capability, { sessionId, ask: { kind }, ...wishes });

    async function settle(
      { lease }: BegunTurn,
      { text = "answer", status = "completed" as TurnEnded["status"], beginNext = true } = {},
    ): Promise<BegunTurn | undefined> {
      const started = { type: "turn", session_id: lease.sessionId, turn: lease.turn, model: "m" } as const;
      const end: TurnEnded = { type: "end", status, finish_reason: null, usage: null, model: "m" };
      const said = text === "" ? [] : [{ type: "text", text } as const];
      return storage.turns.settle(lease, lease.head, [started, ...said, end], { beginNext });
    }

    const complete = async (prompt: string, ending = {}) => settle(await beginTurn(storage, sessionId, prompt), ending);

    function begunOf(accepted: Acceptance): BegunTurn {
      if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
      return accepted.begun;
    }

    async function history(window = {}) {
      const { pages } = await storage.turns.history(capability, sessionId, window);
      return (await Array.fromAsync(pages)).flat();
    }

    const statusOf = async (turn: number) => (await storage.turns.read(capability, sessionId, turn)).status;

    describe("sending once", () => {
      const once = { key: "k", fingerprint: "f" };

      test("E1, E2: the same request finds its turn while that runs and when it has ended, and stores nothing", async () => {
        const begun = begunOf(await ask("?", { once }));
        expect(await ask("?", { once })).toEqual({ kind: "known", turn: 1 });
        await settle(begun);
        expect(await ask("?", { once })).toEqual({ kind: "known", turn: 1 });
        expect(await history()).toHaveLength(1);
      });

      test("E1: also when another turn runs, or the dialogue has moved on", async () => {
        await settle(begunOf(await ask("?", { once, ifTurn: 0 })));
        await ask("another");
        expect(await ask("?", { once, ifTurn: 0 })).toEqual({ kind: "known", turn: 1 });
      });

      test("E1: also while the turn waits", async () => {
        await ask("first");
        expect(await ask("?", { once, ifBusy: "queue" })).toEqual({ kind: "queued", turn: 2 });
        for (const ifBusy of ["reject", "queue", "interrupt"] as const) {
          expect(await ask("?", { once, ifBusy })).toEqual({ kind: "known", turn: 2 });
        }
      });

      test("E3: with another body it is refused, whatever else it says", async () => {
        await ask("?", { once });
        const other = ask("!", { once: { key: "k", fingerprint: "g" }, ifBusy: "queue" });
        await expect(other).rejects.toMatchObject({ code: "idempotency_key_reused" });
        expect(await history()).toHaveLength(1);
      });

      test("E8: a refused request is not remembered", async () => {
        const running = begunOf(await ask());
        await expect(ask("?", { once })).rejects.toMatchObject({ code: "turn_in_progress" });
        await settle(running);
        expect(await ask("?", { once })).toMatchObject({ kind: "begun", turn: 2 });
      });

      test("E9: a key is known for 24 hours, then it is new", async () => {
        await settle(begunOf(await ask("?", { once })));
        now += sendOnceMs - 1;
        expect(await ask("?", { once })).toEqual({ kind: "known", turn: 1 });
        now += 1;
        expect(await ask("!", { once: { key: "k", fingerprint: "g" } })).toMatchObject({ kind: "begun", turn: 2 });
      });

      test("E10: keys of two sessions, and for two routes, are two keys", async () => {
        await complete("first", { status: "stopped" });
        await settle(begunOf(await ask("?", { once })));
        await settle(begunOf(await again("regenerate", { once })));
        const other = await openTestSession(storage);
        expect(await ask("?", { once, sessionId: other })).toMatchObject({ kind: "begun", turn: 1 });
        expect(await again("regenerate", { once })).toEqual({ kind: "known", turn: 3 });
      });

      test("is told without accepting anything, too", async () => {
        const find = (fingerprint: string, key = "k") =>
          storage.turns.findSent(capability, {
            sessionId,
            ask: { kind: "prompt", prompt: "?" },
            once: { key, fingerprint },
          });
        expect(await find("f")).toBeUndefined();
        await ask("?", { once });
        expect(await find("f")).toBe(1);
        expect(await find("f", "other")).toBeUndefined();
        await expect(find("g")).rejects.toMatchObject({ code: "idempotency_key_reused" });
        now += sendOnceMs;
        expect(await find("g")).toBeUndefined();
      });

      test("E6, P4: of many requests at once each makes one turn, however often it comes", async () => {
        const sessions = await Promise.all(Array.from({ length: 100 }, () => openTestSession(storage)));
        const sends = [...sessions, ...sessions, ...sessions].map((id) => ask("?", { once, sessionId: id }));
        const accepted = await Promise.all(sends);
        expect(accepted.filter(({ kind }) => kind === "begun")).toHaveLength(100);
        expect(accepted.filter(({ kind }) => kind === "known")).toHaveLength(200);
        expect(accepted.every(({ turn }) => turn === 1)).toBe(true);
      });

      test("E17: nothing of a deleted session's keys is left", async () => {
        await ask("?", { once });
        await storage.sessions.delete({ by: "owner", principal: "guest:test" }, sessionId);
        await expect(ask("?", { once })).rejects.toMatchObject({ code: "session_not_found" });
      });
    });

    test("E17: of a deletion and prompts that race, each prompt is accepted and then gone, or refused", async () => {
      const outcomes = new Set<string>();
      for (let round = 0; round < 30; round += 1) {
        sessionId = await openTestSession(storage);
        const deleting = () => storage.sessions.delete({ by: "owner", principal: "guest:test" }, sessionId);
        const sends = [ask("1"), ask("2", { ifBusy: "queue" })];
        const late = delay(round / 3).then(() => ask("4", { ifBusy: "queue" }));
        const order = round % 2 === 0 ? [...sends, deleting(), late] : [deleting(), ask("3"), ...sends, late];
        for (const settled of await Promise.allSettled(order)) {
          if (settled.status === "rejected") {
            // The first of them may be there when the second comes, and the deletion not yet.
            expect(["session_not_found", "turn_in_progress"]).toContain(settled.reason.code);
            if (settled.reason.code === "session_not_found") outcomes.add("refused");
          } else if (settled.value?.kind === "begun") {
            const { lease } = settled.value.begun;
            const text = [{ type: "text", text: "stray" }] as const;
            await expect(storage.turns.append(lease, -1, text)).rejects.toBeInstanceOf(LeaseLost);
            outcomes.add("accepted and gone");
          }
        }
        await expect(storage.turns.history(capability, sessionId, {})).rejects.toMatchObject({
          code: "session_not_found",
        });
      }
      expect([...outcomes].sort()).toEqual(["accepted and gone", "refused"]);
      expect(await storage.turns.claim()).toEqual({ lapsed: [], begun: [] });
    });

    describe("If-Turn", () => {
      test("E15: is the newest turn or the request is refused, naming it, and stores nothing", async () => {
        await expect(ask("?", { ifTurn: 1 })).rejects.toMatchObject({ code: "stale_turn", turn: 0 });
        await settle(begunOf(await ask("?", { ifTurn: 0 })));
        await expect(ask("?", { ifTurn: 0 })).rejects.toMatchObject({ code: "stale_turn", turn: 1 });
        await expect(again("regenerate", { ifTurn: 2 })).rejects.toMatchObject({ code: "stale_turn", turn: 1 });
        expect(await history()).toHaveLength(1);
        expect(await ask("?", { ifTurn: 1 })).toMatchObject({ kind: "begun", turn: 2 });
      });
    });

    describe("overlap", () => {
      test("E5: by default a second turn is refused, naming the running one", async () => {
        await ask();
        await expect(ask()).rejects.toMatchObject({ code: "turn_in_progress", turn: 1 });
        await expect(ask("?", { ifBusy: "reject" })).rejects.toMatchObject({ code: "turn_in_progress", turn: 1 });
      });

      test("E5: turns that wait begin one after the other, each in the transaction that ends the one before", async () => {
        const first = begunOf(await ask("first", { ifBusy: "queue" }));
        expect(await ask("second", { ifBusy: "queue" })).toEqual({ kind: "queued", turn: 2 });
        now += 1;
        expect(await ask("third", { ifBusy: "queue" })).toEqual({ kind: "queued", turn: 3 });
        const session = await storage.sessions.read(capability, sessionId);
        expect(session).toMatchObject({ turns: 3, queued: 2, running: 1, updatedAt: now });
        const second = await settle(first);
        expect(second).toMatchObject({ prompt: "second", lease: { turn: 2, head: -1 }, isReplaced: false });
        expect(await storage.sessions.read(capability, sessionId)).toMatchObject({ queued: 1, running: 2 });
        const third = second && (await settle(second));
        expect(third).toMatchObject({ prompt: "third", lease: { turn: 3 } });
        expect(third && (await settle(third))).toBeUndefined();
        expect((await history()).map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
      });

      test("E5: at most ten wait", async () => {
        await ask();
        for (let turn = 0; turn < mostQueued; turn += 1) await ask("?", { ifBusy: "queue" });
        for (const ifBusy of ["queue", "interrupt"] as const) {
          await expect(ask("?", { ifBusy })).rejects.toMatchObject({ code: "queue_full" });
        }
        expect(await history()).toHaveLength(11);
      });

      test("E5: one that interrupts has the running turn stopped and goes ahead of those that wait", async () => {
        const first = begunOf(await ask("first"));
        await ask("second", { ifBusy: "queue" });
        expect(await ask("third", { ifBusy: "interrupt" })).toEqual({ kind: "queued", turn: 3 });
        expect(first.lease.signal.reason).toBeInstanceOf(TurnStopRequested);
        const next = await settle(first, { status: "stopped", text: "half" });
        expect(next).toMatchObject({ prompt: "third", lease: { turn: 3 } });
        expect(next && (await settle(next))).toMatchObject({ prompt: "second" });
      });

      test("several that interrupt run in the order in which they came", async () => {
        const first = begunOf(await ask("first"));
        for (const prompt of ["second", "third"]) await ask(prompt, { ifBusy: "interrupt" });
        const second = await settle(first, { status: "stopped" });
        expect(second).toMatchObject({ prompt: "second" });
        expect(second && (await settle(second))).toMatchObject({ prompt: "third" });
      });

      test("in a session that does not answer, a turn begins at once whatever it says", async () => {
        for (const ifBusy of ["reject", "queue", "interrupt"] as const) {
          await settle(begunOf(await ask("?", { ifBusy })));
        }
      });

      test("C20: a turn that waits can be followed before it begins, and gives all of it", async () => {
        const first = begunOf(await ask());
        await ask("second", { ifBusy: "queue" });
        const following = await storage.turns.follow(capability, sessionId, 2, -1, AbortSignal.timeout(10_000));
        expect(following.finished).toBe(false);
        const reading = Array.fromAsync(following.events);
        const second = await settle(first);
        if (second !== undefined) await settle(second);
        expect((await reading).flat().map(({ event }) => event.type)).toEqual(["turn", "text", "end"]);
      });

      test("one that is stopped while it waits ends at once, and the others still begin", async () => {
        const first = begunOf(await ask());
        await ask("second", { ifBusy: "queue" });
        await ask("third", { ifBusy: "queue" });
        const following = await storage.turns.follow(capability, sessionId, 2, -1, AbortSignal.timeout(10_000));
        const reading = Array.fromAsync(following.events);
        now += 1;
        await storage.turns.requestStop(capability, sessionId, 2, unbegunStop(sessionId, 2));
        expect((await storage.sessions.read(capability, sessionId)).updatedAt).toBe(now);
        expect((await reading).flat().map(({ event }) => event.type)).toEqual(["turn", "end"]);
        expect(await statusOf(2)).toBe("stopped");
        expect(first.lease.signal.aborted).toBe(false);
        await storage.turns.requestStop(capability, sessionId, 2, unbegunStop(sessionId, 2));
        expect(await settle(first)).toMatchObject({ prompt: "third" });
      });

      test("a worker that goes down leaves the queue, and whoever claims begins it", async () => {
        const first = begunOf(await ask());
        await ask("second", { ifBusy: "queue" });
        expect(await settle(first, { beginNext: false })).toBeUndefined();
        expect(await statusOf(2)).toBe("queued");
        await ask("third", { ifBusy: "queue" });
        await expect(ask("fourth")).rejects.toMatchObject({ code: "turn_in_progress", turn: 2 });
        const { lapsed, begun } = await storage.turns.claim();
        expect(lapsed).toEqual([]);
        expect(begun).toMatchObject([{ prompt: "second", lease: { sessionId, turn: 2 } }]);
        expect(await storage.turns.claim()).toEqual({ lapsed: [], begun: [] });
      });

      test("whatever is sent, stopped and settled in whatever order: at most one turn runs, none is lost, and all of them end", async () => {
        const commands = fc.array(
          fc.oneof(
            fc.record({ send: fc.constantFrom<IfBusy>("reject", "queue", "interrupt") }),
            fc.record({ stop: fc.nat(12) }),
            fc.constant({ settle: true }),
          ),
          { maxLength: 40 },
        );
        await fc.assert(
          fc.asyncProperty(commands, async (steps) => {
            sessionId = await openTestSession(storage);
            let running: BegunTurn | undefined;
            let accepted = 0;
            for (const step of steps) {
              if ("send" in step) {
                const outcome = await ask("?", { ifBusy: step.send }).catch(() => undefined);
                if (outcome === undefined) continue;
                accepted += 1;
                expect(outcome.turn).toBe(accepted);
                if (outcome.kind === "begun") {
                  expect(running).toBeUndefined();
                  running = outcome.begun;
                }
              } else if ("stop" in step) {
                const turn = step.stop;
                const stop = storage.turns.requestStop(capability, sessionId, turn, unbegunStop(sessionId, turn));
                await stop.catch(() => undefined);
              } else if (running !== undefined) {
                running = await settle(running);
              }
              const session = await storage.sessions.read(capability, sessionId);
              expect(session.running).toBe(running?.lease.turn ?? null);
              if (running === undefined) expect(session.queued).toBe(0);
            }
            while (running !== undefined) running = await settle(running);
            const statuses = (await history()).map(({ status }) => status);
            expect(statuses).toHaveLength(accepted);
            expect(statuses.every((status) => status === "completed" || status === "stopped")).toBe(true);
          }),
          { numRuns: 40 },
        );
      });
    });

    describe("taking another's place", () => {
      test("replaces: that turn and all after it leave history and memory, and keep their logs", async () => {
        for (const prompt of ["one", "two", "three"]) await complete(prompt);
        const edited = begunOf(await ask("two, edited", { replaces: 2 }));
        expect(edited).toMatchObject({ replaces: 2, lease: { turn: 4 } });
        await settle(edited);
        expect((await history()).map(({ prompt, turn, replaces }) => [prompt, turn, replaces])).toEqual([
          ["one", 1, null],
          ["two, edited", 4, 2],
        ]);
        const memory = await storage.turns.remember(capability, sessionId, { maxLength: 1_000 });
        expect(memory.turns.map(({ turn }) => turn)).toEqual([4, 1]);
        expect(await storage.turns.read(capability, sessionId, 3)).toMatchObject({ prompt: "three", answer: "answer" });
      });

      test("replaces: pages through what is left, without gap or repeat", async () => {
        for (let turn = 1; turn <= 8; turn += 1) await complete(`${turn}`);
        await settle(begunOf(await ask("edited", { replaces: 4 })));
        const { pages, hasMore } = await storage.turns.history(capability, sessionId, { limit: 2 });
        expect((await Array.fromAsync(pages)).flat().map(({ turn }) => turn)).toEqual([3, 9]);
        expect(hasMore).toBe(true);
        expect((await history({ limit: 2, before: 3 })).map(({ turn }) => turn)).toEqual([1, 2]);
      });

      test("replaces: must name a turn that is in history, or nothing is stored", async () => {
        await complete("one");
        await settle(begunOf(await ask("one, edited", { replaces: 1 })));
        for (const replaces of [1, 3, 99]) {
          await expect(ask("?", { replaces })).rejects.toMatchObject({ code: "stale_turn", turn: 2 });
        }
        expect(await history()).toHaveLength(1);
      });

      test("regenerate: asks the last prompt again, in the place of its turn", async () => {
        await expect(again("regenerate")).rejects.toMatchObject({ code: "turn_not_found" });
        await complete("one");
        await complete("two", { text: "", status: "failed" });
        const begun = begunOf(await again("regenerate"));
        expect(begun).toMatchObject({ prompt: "two", replaces: 2, lease: { turn: 3 } });
        await settle(begun, { text: "better" });
        expect((await history()).map(({ prompt, answer }) => [prompt, answer])).toEqual([
          ["one", "answer"],
          ["two", "better"],
        ]);
      });

      test("one that is replaced while it runs is no part of what the model is told, though it ends later", async () => {
        const first = begunOf(await ask("first"));
        await ask("first, edited", { replaces: 1, ifBusy: "interrupt" });
        const next = await settle(first, { status: "stopped", text: "half" });
        expect(next).toMatchObject({ prompt: "first, edited", replaces: 1 });
        const memory = await storage.turns.remember(capability, sessionId, { maxLength: 1_000 });
        expect(memory).toMatchObject({ turns: [], older: 0 });
      });

      test("one that is replaced while it waits says so when it begins", async () => {
        const first = begunOf(await ask("first"));
        await ask("second", { ifBusy: "queue" });
        await ask("second, edited", { ifBusy: "queue", replaces: 2 });
        const second = await settle(first);
        expect(second).toMatchObject({ lease: { turn: 2 }, isReplaced: true });
        expect(second && (await settle(second))).toMatchObject({ prompt: "second, edited", isReplaced: false });
      });
    });

    describe("going on with another's answer", () => {
      test("continue: has the same prompt, and history and memory have both turns", async () => {
        await complete("one", { status: "incomplete" });
        const begun = begunOf(await again("continue"));
        expect(begun).toMatchObject({ prompt: "one", continues: 1, replaces: null });
        await settle(begun, { text: ", and more" });
        expect((await history()).map(({ turn, continues }) => [turn, continues])).toEqual([
          [1, null],
          [2, 1],
        ]);
        const memory = await storage.turns.remember(capability, sessionId, { maxLength: 1_000 });
        expect(memory.turns.map(({ turn, continues }) => [turn, continues])).toEqual([
          [2, 1],
          [1, null],
        ]);
      });

      test.each(["incomplete", "stopped", "interrupted"] as const)(
        "continue: an answer that is %s is continued",
        async (status) => {
          await complete("one", { status, text: "half" });
          expect(begunOf(await again("continue"))).toMatchObject({ continues: 1 });
        },
      );

      test.each([
        ["completed", "whole"],
        ["failed", ""],
        ["failed", "half, and three crashes"],
      ] as const)("continue: an answer that is %s is not continued (%j)", async (status, text) => {
        await complete("one", { status, text });
        await expect(again("continue")).rejects.toMatchObject({ code: "not_continuable" });
      });

      test("continue: needs an answer with text, and none that is running", async () => {
        await expect(again("continue")).rejects.toMatchObject({ code: "not_continuable" });
        await complete("one", { status: "stopped", text: "" });
        await expect(again("continue")).rejects.toMatchObject({ code: "not_continuable" });
        await ask("two");
        for (const ifBusy of ["reject", "queue", "interrupt"] as const) {
          await expect(again("continue", { ifBusy })).rejects.toMatchObject({ code: "turn_in_progress", turn: 2 });
        }
      });

      test("continue: one that came to nothing does not stand in the way of the next", async () => {
        await complete("one", { status: "incomplete" });
        await settle(begunOf(await again("continue")), { status: "failed", text: "" });
        expect(begunOf(await again("continue"))).toMatchObject({ prompt: "one", continues: 1, lease: { turn: 3 } });
      });

      test("regenerate: takes the place of all pieces of an answer", async () => {
        await complete("one", { status: "incomplete" });
        await settle(begunOf(await again("continue")), { status: "incomplete", text: ", and" });
        await settle(begunOf(await again("continue")), { text: " more" });
        expect(begunOf(await again("regenerate"))).toMatchObject({ prompt: "one", replaces: 1, continues: null });
        expect((await history()).map(({ turn }) => turn)).toEqual([4]);
      });

      test("a window of history counts an answer in pieces once, and never has half of it", async () => {
        await complete("one", { status: "incomplete" });
        await settle(begunOf(await again("continue")));
        await complete("two");
        await complete("three", { status: "incomplete" });
        await settle(begunOf(await again("continue")));
        expect((await history({ limit: 1 })).map(({ turn }) => turn)).toEqual([4, 5]);
        expect((await history({ limit: 2 })).map(({ turn }) => turn)).toEqual([3, 4, 5]);
        expect((await history({ limit: 3 })).map(({ turn }) => turn)).toEqual([1, 2, 3, 4, 5]);
        const { hasMore } = await storage.turns.history(capability, sessionId, { limit: 3 });
        expect(hasMore).toBe(false);
      });
    });

    describe("a turn that is given back", () => {
      test("is nobody's: its old worker cannot write, its text stays, and the next claim takes it without counting a crash", async () => {
        // As every start does.
        await storage.turns.claim();
        const begun = begunOf(await ask());
        const { lease } = begun;
        const started = { type: "turn", session_id: sessionId, turn: 1, model: "m" } as const;
        const head = await storage.turns.append(lease, -1, [started, { type: "text", text: "half" }]);
        await storage.turns.release(lease);
        await expect(storage.turns.append(lease, head, [{ type: "text", text: "!" }])).rejects.toBeInstanceOf(
          LeaseLost,
        );
        await expect(storage.turns.release(lease)).rejects.toBeInstanceOf(LeaseLost);
        await expect(ask()).rejects.toMatchObject({ code: "turn_in_progress", turn: 1 });
        const other = await openTestSession(storage);
        await settle(await beginTurn(storage, other));

        const { lapsed } = await storage.turns.claim();
        expect(lapsed).toMatchObject([
          { prompt: "?", text: "half", crashes: 0, model: "m", lease: { turn: 1, head: 4 } },
        ]);
        const [taken] = lapsed;
        if (taken === undefined) return;
        expect(taken.lease.epoch).toBeGreaterThan(lease.epoch);
        const end: TurnEnded = { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" };
        for (const late of [
          storage.turns.append(lease, 4, [{ type: "text", text: "!" }]),
          storage.turns.settle(lease, 4, [end], { beginNext: true }),
          storage.turns.release(lease),
        ]) {
          await expect(late).rejects.toBeInstanceOf(LeaseLost);
        }
        await storage.turns.append(taken.lease, 4, [{ type: "text", text: " and half" }]);
        expect((await storage.turns.read(capability, sessionId, 1)).answer).toBe("half and half");
        expect(await storage.turns.claim()).toEqual({ lapsed: [], begun: [] });
      });

      test("is told to whoever takes it if another interrupted it or took its place", async () => {
        const { lease } = begunOf(await ask());
        await ask("?", { replaces: 1, ifBusy: "interrupt" });
        await storage.turns.release(lease);
        const { lapsed } = await storage.turns.claim();
        expect(lapsed).toMatchObject([{ stopRequested: true, isReplaced: true }]);
      });

      test("keeps its followers waiting, and they get the rest from whoever takes it", async () => {
        const { lease } = begunOf(await ask());
        const started = { type: "turn", session_id: sessionId, turn: 1, model: "m" } as const;
        await storage.turns.append(lease, -1, [started, { type: "text", text: "half" }]);
        const following = await storage.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(10_000));
        const reading = Array.fromAsync(following.events);
        await storage.turns.release(lease);
        const [taken] = (await storage.turns.claim()).lapsed;
        if (taken === undefined) throw new Error("Nobody had it, and yet it could not be claimed");
        const end: TurnEnded = { type: "end", status: "completed", finish_reason: null, usage: null, model: "m" };
        await storage.turns.settle(taken.lease, 4, [{ type: "text", text: "!" }, end], { beginNext: true });
        const texts = (await reading).flat().flatMap(({ event }) => (event.type === "text" ? event.text : []));
        expect(texts.join("")).toBe("half!");
      });
    });

    if (!keepsWhenClosed) return;
    describe("after a restart", () => {
      async function restart(): Promise<void> {
        await storage.close();
        storage = await place.open(() => now);
      }

      test("E1, P4: a key still finds its turn", async () => {
        const once = { key: "k", fingerprint: "f" };
        await ask("?", { once });
        await restart();
        expect(await ask("?", { once })).toEqual({ kind: "known", turn: 1 });
      });

      test("H10: each worker that died with a turn is counted, and those that waited go on waiting for it", async () => {
        await ask("first");
        await ask("second", { ifBusy: "queue" });
        for (const crashes of [1, 2, 3]) {
          await restart();
          const { lapsed, begun } = await storage.turns.claim();
          expect(lapsed).toMatchObject([{ prompt: "first", crashes }]);
          expect(begun).toEqual([]);
        }
      });

      test("H10: a worker that died is counted also after others that gave the turn back", async () => {
        await storage.turns.release(begunOf(await ask()).lease);
        expect((await storage.turns.claim()).lapsed).toMatchObject([{ crashes: 0 }]);
        await restart();
        expect((await storage.turns.claim()).lapsed).toMatchObject([{ crashes: 1 }]);
      });

      test("F1: whoever follows before a turn is taken over is given what was said as soon as it is", async () => {
        const { lease } = begunOf(await ask());
        const started = { type: "turn", session_id: sessionId, turn: 1, model: "m" } as const;
        await storage.turns.append(lease, -1, [started, { type: "text", text: "said" }]);
        await restart();
        const following = await storage.turns.follow(capability, sessionId, 1, -1, AbortSignal.timeout(10_000));
        const first = following.events[Symbol.asyncIterator]().next();
        // Time for the reader to find nothing and wait.
        await storage.turns.read(capability, sessionId, 1);
        await storage.turns.claim();
        const given: readonly LoggedEvent[] = (await first).value;
        expect(given.map(({ event }) => event.type)).toEqual(["turn", "text"]);
      });

      test("a turn that was given back and one that waited alone are found by the next start", async () => {
        const { lease } = begunOf(await ask("first"));
        await storage.turns.release(lease);
        const waiting = await openTestSession(storage);
        const running = await beginTurn(storage, waiting);
        await ask("second", { ifBusy: "queue", sessionId: waiting });
        await settle(running, { beginNext: false });
        await restart();
        const { lapsed, begun } = await storage.turns.claim();
        expect(lapsed).toMatchObject([{ prompt: "first", crashes: 0 }]);
        expect(begun).toMatchObject([{ prompt: "second", lease: { sessionId: waiting } }]);
      });
    });
  });
}
