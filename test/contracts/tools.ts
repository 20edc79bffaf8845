/** What the storage contract promises about what was done for an answer: the `tool` and `sources` events of its log. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LoggedEvent, SourceView, TurnEvent } from "../../src/protocol/events.ts";
import type { Lease, Storage } from "../../src/storage/storage.ts";
import { beginTurn, capability, turnEvents } from "../helpers/storage.ts";
import type { StoragePlace } from "./storage.ts";

const { started, text, ended } = turnEvents;

const source: SourceView = {
  title: "Seinfeld",
  url: "https://example.org/wiki/Seinfeld",
  revision: 7,
  licence: "CC BY-SA 4.0",
  retrieved: "2026-11-28",
};

function tool(callId: string, result: Readonly<Record<string, unknown>> = { card: "🃏 — “\u2028”" }) {
  return { type: "tool", call_id: callId, name: "answer_trivia", status: "done", result } as const;
}

const sources = { type: "sources", sources: [source] } as const;

export function toolContract(name: string, makePlace: () => Promise<StoragePlace>): void {
  describe(`${name} keeps the contract about tools`, () => {
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

    async function begin(...events: readonly TurnEvent[]): Promise<{ lease: Lease; head: number }> {
      opened += 1;
      const sessionId = opened.toString(16).padStart(32, "d");
      const session = { sessionId, principal: "guest:alice", username: "TR", title: null, instructions: null };
      await storage.sessions.open(session);
      const { lease } = await beginTurn(storage, sessionId);
      let head = lease.head;
      for (const event of [started(lease), ...events]) head = await storage.turns.append(lease, head, [event]);
      return { lease, head };
    }

    async function follow({ sessionId, turn }: Lease, after = -1): Promise<LoggedEvent[]> {
      const { events } = await storage.turns.follow(capability, sessionId, turn, after, AbortSignal.timeout(10_000));
      return (await Array.fromAsync(events)).flat();
    }

    const log = [text("Go: "), tool("call00001"), sources, text("right!"), tool("call00002"), sources];

    test("each takes one position, and a follower gets it as it was logged, live and from any place later", async () => {
      const { lease, head } = await begin(...log);
      expect(head).toBe(14);
      const live = follow(lease);
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      const whole = [
        { position: 0, event: started(lease) },
        { position: 4, event: log[0] },
        { position: 5, event: log[1] },
        { position: 6, event: log[2] },
        { position: 12, event: log[3] },
        { position: 13, event: log[4] },
        { position: 14, event: log[5] },
        { position: 15, event: ended },
      ];
      expect(await live).toEqual(whole);
      for (const after of [-1, 0, 4, 5, 6, 12, 13, 14]) {
        expect(await follow(lease, after)).toEqual(whole.filter(({ position }) => position > after));
      }
    });

    test("a turn tells what was done for it, running and settled, and names each source once", async () => {
      const { lease, head } = await begin(...log);
      const { sessionId, turn } = lease;
      const done = { answer: "Go: right!", tools: [tool("call00001"), tool("call00002")], sources: [source] };
      expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject(done);
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      expect(await storage.turns.read(capability, sessionId, turn)).toMatchObject(done);
      const { pages } = await storage.turns.history(capability, sessionId, {});
      expect((await Array.fromAsync(pages)).flat()).toMatchObject([done]);
    });

    test("a reset takes the text back, not what was done", async () => {
      const { lease, head } = await begin(...log, { type: "reset", text: "", reason: "restart" }, text("Anew"));
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      const turn = await storage.turns.read(capability, lease.sessionId, lease.turn);
      expect(turn).toMatchObject({ answer: "Anew", tools: [tool("call00001"), tool("call00002")], sources: [source] });
    });

    test("a large result is kept whole, and read from before and after it", async () => {
      const large = tool("call00001", { words: "🦊x".repeat(20_000) });
      const { lease, head } = await begin(text("Go: "), large, text("right!"));
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      expect((await follow(lease)).map(({ event }) => event)).toContainEqual(large);
      expect((await follow(lease, 5)).map(({ event }) => event)).toEqual([text("right!"), ended]);
    });

    test("whoever takes a turn over is told what was done for it", async () => {
      const { lease } = await begin(...log);
      await storage.turns.release(lease);
      const { lapsed } = await storage.turns.claim();
      expect(lapsed).toMatchObject([{ text: "Go: right!", tools: [tool("call00001"), tool("call00002")] }]);
    });

    test("a turn without any has none", async () => {
      const { lease, head } = await begin(text("Hello"));
      await storage.turns.settle(lease, head, [ended], { beginNext: true });
      const turn = await storage.turns.read(capability, lease.sessionId, lease.turn);
      expect(turn).toMatchObject({ tools: [], sources: [] });
    });
  });
}
