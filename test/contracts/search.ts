/** What the storage contract promises about searching, of every back end that has an index. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MessageQuery } from "../../src/storage/message-search.ts";
import type { Access, IfBusy, NewTurn, Storage } from "../../src/storage/storage.ts";
import { turnEvents, unbegunStop } from "../helpers/storage.ts";
import type { StoragePlace } from "./storage.ts";

const alice = "guest:alice";
const bob = "guest:bob";
const capability: Access = { by: "capability" };

export function searchContract(name: string, makePlace: () => Promise<StoragePlace>): void {
  describe(`${name} keeps the contract about searching`, () => {
    let place: StoragePlace;
    let storage: Storage;
    let now: number;
    let opened = 0;

    beforeEach(async () => {
      now = 1_000_000;
      place = await makePlace();
      storage = await place.open(() => now);
    });

    afterEach(async () => {
      await storage.close();
      await place.clean();
    });

    async function openSession(principal = alice, username = "TR", title: string | null = null): Promise<string> {
      opened += 1;
      const sessionId = opened.toString(16).padStart(32, "d");
      await storage.sessions.open({ sessionId, principal, username, title, instructions: null });
      return sessionId;
    }

    async function begin(sessionId: string, ask: NewTurn["ask"], ifBusy: IfBusy = "reject") {
      const accepted = await storage.turns.accept(capability, { sessionId, ask, ifBusy });
      if (accepted.kind !== "begun") throw new Error(`The turn was not begun but ${accepted.kind}`);
      const { lease } = accepted.begun;
      return { lease, head: await storage.turns.append(lease, -1, [turnEvents.started(lease)]) };
    }

    async function say(sessionId: string, prompt: string, answer: string, replaces?: number): Promise<number> {
      const { lease, head } = await begin(sessionId, { kind: "prompt", prompt, replaces });
      const events = [...(answer === "" ? [] : [turnEvents.text(answer)]), turnEvents.ended] as const;
      await storage.turns.settle(lease, head, events as never, { beginNext: true });
      return lease.turn;
    }

    const find = (text: string, query: Partial<MessageQuery> = {}, principal = alice) =>
      storage.search.find(principal, { text, limit: 20, ...query });

    async function found(text: string, query: Partial<MessageQuery> = {}, principal = alice) {
      const { messages } = await find(text, query, principal);
      return messages.map(({ sessionId, turn, role }) => [sessionId, turn, role]);
    }

    test("prompts and answers are found by their words, with what there is to know about them", async () => {
      const sessionId = await openSession(alice, "TR", "Pumps");
      now += 1_000;
      const { lease, head } = await begin(sessionId, { kind: "prompt", prompt: "How does a heat pump work?" });
      now += 1_000;
      const end = [turnEvents.text("A pump moves heat."), turnEvents.ended] as const;
      await storage.turns.settle(lease, head, end, { beginNext: true });
      expect(await find("HEAT pumpt")).toEqual({ messages: [], next: undefined });
      expect(await find("pump heat")).toEqual({
        messages: [
          {
            sessionId,
            title: "Pumps",
            username: "TR",
            turn: 1,
            role: "assistant",
            createdAt: 1_002_000,
            snippet: {
              text: "A pump moves heat.",
              matches: [
                [2, 6],
                [13, 17],
              ],
            },
          },
          {
            sessionId,
            title: "Pumps",
            username: "TR",
            turn: 1,
            role: "user",
            createdAt: 1_001_000,
            snippet: {
              text: "How does a heat pump work?",
              matches: [
                [11, 15],
                [16, 20],
              ],
            },
          },
        ],
        next: undefined,
      });
    });

    test("case, accents and the ends of words make no difference, and what has no spaces is found, too", async () => {
      const sessionId = await openSession();
      await say(sessionId, "Crème brûlée für Zoë", "日本語の文章です");
      for (const query of ["creme", "CRÈME BRUL", "zoe fur", "crème"]) {
        expect(await found(query), query).toEqual([[sessionId, 1, "user"]]);
      }
      for (const query of ["日本語", "本", "章です", "文章 日本"]) {
        expect(await found(query), query).toEqual([[sessionId, 1, "assistant"]]);
      }
      expect(await found("rème")).toEqual([]);
      expect(await found("f")).toEqual([]);
    });

    test("J13: nobody finds what is somebody else's, whatever they look for", async () => {
      const [hers, his] = [await openSession(alice), await openSession(bob)];
      await say(hers, "canary one", "canary two");
      await say(his, "canary three", "");
      expect(await found("canary", {}, alice)).toEqual([
        [hers, 1, "assistant"],
        [hers, 1, "user"],
      ]);
      expect(await found("canary", {}, bob)).toEqual([[his, 1, "user"]]);
      expect(await found("canary", {}, "guest:ali")).toEqual([]);
      expect(await found("canary", {}, "guest:")).toEqual([]);
    });

    test("what was said last comes first, in pages that leave nothing out, and only of the username that is asked for", async () => {
      const sessions = await Promise.all([openSession(), openSession(), openSession(alice, "Other")]);
      const said: unknown[] = [];
      for (let index = 0; index < 9; index += 1) {
        const sessionId = sessions[index % 3] as string;
        const turn = await say(sessionId, "word", "");
        said.unshift([sessionId, turn, "user"]);
      }
      expect(await found("word")).toEqual(said);
      const paged: unknown[] = [];
      for (let after: number | undefined; ; ) {
        const { messages, next } = await find("word", { limit: 2, after });
        paged.push(...messages.map(({ sessionId, turn, role }) => [sessionId, turn, role]));
        if (next === undefined) break;
        after = next;
      }
      expect(paged).toEqual(said);
      expect(await found("word", { username: "Other" })).toEqual(said.filter((_, index) => index % 3 === 0));
      expect(await found("word", { username: "Nobody" })).toEqual([]);
    });

    test("a turn is found once it has ended, however it ended", async () => {
      const sessionId = await openSession();
      const { lease, head } = await begin(sessionId, { kind: "prompt", prompt: "running needle" });
      await storage.turns.append(lease, head, [turnEvents.text("half a needle")]);
      const queued = { sessionId, ask: { kind: "prompt", prompt: "queued needle" }, ifBusy: "queue" } as const;
      await storage.turns.accept(capability, queued);
      expect(await found("needle")).toEqual([]);
      await storage.turns.requestStop(capability, sessionId, 2, unbegunStop(sessionId, 2));
      expect(await found("needle")).toEqual([[sessionId, 2, "user"]]);
      const stopped = { ...turnEvents.ended, status: "stopped" } as const;
      await storage.turns.settle(lease, head + 13, [stopped], { beginNext: true });
      expect(await found("needle")).toEqual([
        [sessionId, 1, "assistant"],
        [sessionId, 1, "user"],
        [sessionId, 2, "user"],
      ]);
    });

    test("what another turn took the place of is not found, also where it was still running", async () => {
      const sessionId = await openSession();
      await say(sessionId, "first needle", "old needle");
      await say(sessionId, "second needle", "");
      await say(sessionId, "other words", "", 1);
      expect(await found("needle")).toEqual([]);
      expect(await found("words")).toEqual([[sessionId, 3, "user"]]);
      const { lease, head } = await begin(sessionId, { kind: "prompt", prompt: "running needle" });
      const replacing = {
        sessionId,
        ask: { kind: "prompt", prompt: "last", replaces: 4 },
        ifBusy: "interrupt",
      } as const;
      await storage.turns.accept(capability, replacing);
      await storage.turns.settle(lease, head, [turnEvents.text("a needle"), turnEvents.ended], { beginNext: false });
      expect(await found("needle")).toEqual([]);
    });

    test("an answer that went on is found by what was added, and its prompt once", async () => {
      const sessionId = await openSession();
      const { lease, head } = await begin(sessionId, { kind: "prompt", prompt: "needle please" });
      const early = { ...turnEvents.ended, status: "stopped" } as const;
      await storage.turns.settle(lease, head, [turnEvents.text("beginning"), early], { beginNext: true });
      const more = await begin(sessionId, { kind: "continue" });
      await storage.turns.settle(more.lease, more.head, [turnEvents.text("ending"), turnEvents.ended], {
        beginNext: true,
      });
      expect(await found("needle")).toEqual([[sessionId, 1, "user"]]);
      expect(await found("ending")).toEqual([[sessionId, 2, "assistant"]]);
    });

    test("a deleted session is not found any more, and what is said afterwards is", async () => {
      const [first, second] = [await openSession(), await openSession()];
      for (let turn = 0; turn < 20; turn += 1) await say(first, `needle ${turn}`, `needle ${turn}`);
      await say(second, "needle", "");
      await storage.sessions.delete({ by: "owner", principal: alice }, first);
      expect(await found("needle")).toEqual([[second, 1, "user"]]);
      const third = await openSession();
      await say(third, "needle", "");
      expect(await found("needle")).toEqual([
        [third, 1, "user"],
        [second, 1, "user"],
      ]);
    });

    test("F13: whatever is looked for means words, and what has none finds nothing", async () => {
      const sessionId = await openSession();
      await say(sessionId, "alpha OR beta NEAR gamma", "");
      for (const query of ['"', "*", "-", "\0", "()", "^", "😀", ""]) expect(await found(query), query).toEqual([]);
      for (const query of ['alpha "beta', "NEAR(alpha beta)", "-alpha", "alpha*", "^alpha"]) {
        expect(await found(query), query).toEqual([[sessionId, 1, "user"]]);
      }
      expect(await found("alpha OR delta")).toEqual([]);
      expect(await found("alpha NOT beta")).toEqual([]);
      expect(await found("x".repeat(10_240))).toEqual([]);
      expect(await found("'); DROP TABLE turns; -- ".repeat(400))).toEqual([]);
      expect(await found("alpha")).toEqual([[sessionId, 1, "user"]]);
    });

    test("a page of long messages ends early and tells where to go on", async () => {
      const sessionId = await openSession();
      const long = `needle ${"x".repeat(400_000)}`;
      for (let turn = 0; turn < 4; turn += 1) await say(sessionId, "?", long);
      const page = await find("needle");
      expect(page.messages).toHaveLength(3);
      const rest = await find("needle", { after: page.next });
      expect(rest).toMatchObject({ messages: [{ turn: 1 }], next: undefined });
    });
  });
}
