/** Several tabs of one browser, over the real service: each with its own feed, on one bus, with one leader. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ChatClient } from "../../../client/index.ts";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import type { Election } from "./election.ts";
import { standForElection } from "./election.ts";
import type { LiveTurn } from "./live-turn.ts";
import { openTabBus } from "./tab-bus.ts";
import { TurnFeed } from "./turn-feed.ts";

type Tab = {
  readonly feed: TurnFeed;
  readonly election: Election;
  readonly seen: LiveTurn[];
  watch(sessionId: string, turn: number): void;
  readonly text: string;
  readonly isOver: boolean;
};

/** A machine that does much else takes its time. */
const soon = 10_000;

let server: TestServer;
let requests: string[];
/** How many connections were let go. */
let closed: number;
let tabs: Tab[];
/** Each test has a bus and a lock of its own. */
let name = 0;

beforeEach(async () => {
  server = await startTestServer();
  requests = [];
  closed = 0;
  tabs = [];
  name += 1;
});

afterEach(async () => {
  for (const { feed } of tabs) feed.close();
  await server.close();
});

/** As the browser has them: whoever asked first holds it until it lets go. */
function fakeLocks() {
  const waiting: (() => void)[] = [];
  let isHeld = false;
  const next = () => {
    isHeld = false;
    waiting.shift()?.();
  };
  return {
    request(_: string, { signal }: { signal: AbortSignal }, whileHeld: () => Promise<void>): Promise<void> {
      return new Promise((resolve, reject) => {
        const hold = () => {
          isHeld = true;
          void whileHeld().then(() => {
            next();
            resolve();
          });
        };
        signal.addEventListener("abort", () => reject(signal.reason));
        if (isHeld) waiting.push(hold);
        else hold();
      });
    },
  };
}

function openTabs(count: number, locks: ReturnType<typeof fakeLocks> | "none" = fakeLocks()): Tab[] {
  const watchedFetch: typeof fetch = (input, init) => {
    requests.push(`${init?.method} ${new URL(String(input)).pathname}`);
    init?.signal?.addEventListener("abort", () => {
      closed += 1;
    });
    return fetch(input, init);
  };
  for (let index = 0; index < count; index += 1) {
    const election = standForElection("leader", locks === "none" ? undefined : locks);
    const seen: LiveTurn[] = [];
    const feed = new TurnFeed({
      client: new ChatClient({ baseUrl: server.url, fetch: watchedFetch, maxDelayMs: 50 }),
      bus: openTabBus(`test-${name}`),
      election,
      tab: String(index),
      onConnection() {},
    });
    tabs.push({
      feed,
      election,
      seen,
      watch: (sessionId, turn) =>
        feed.watch(sessionId, turn, { changed: (live) => void seen.push(live), failed: () => undefined }),
      get text() {
        return seen.at(-1)?.text ?? "";
      },
      get isOver() {
        return seen.at(-1)?.end !== undefined;
      },
    });
  }
  return tabs;
}

async function ask(): Promise<string> {
  const { sessionId } = await server.openSession();
  void (await server.ask(sessionId)).text();
  return sessionId;
}

const streams = () => requests.filter((request) => request.startsWith("GET /chat/")).length;

describe("tabs of one browser", () => {
  it("C16: share one connection for a turn, and all see every word of it", async () => {
    const sessionId = await ask();
    const seven = openTabs(7);
    for (const tab of seven) tab.watch(sessionId, 1);
    server.model.say("Hello ");
    await vi.waitFor(() => expect(seven.map(({ text }) => text)).toEqual(Array(7).fill("Hello ")), soon);
    server.model.say("you.");
    server.model.finish();
    await vi.waitFor(() => expect(seven.every(({ isOver }) => isOver)).toBe(true), soon);
    expect(new Set(seven.map(({ text }) => text))).toEqual(new Set(["Hello you."]));
    expect(streams()).toBe(1);
    expect(seven.map(({ election }) => election.isLeader)).toEqual([true, ...Array(6).fill(false)]);
  });

  it("C7: one that comes late sees what was said before it came", async () => {
    const sessionId = await ask();
    const [first, second] = openTabs(2);
    first?.watch(sessionId, 1);
    server.model.say("Said early, ");
    await vi.waitFor(() => expect(first?.text).toBe("Said early, "), soon);
    second?.watch(sessionId, 1);
    await vi.waitFor(() => expect(second?.text).toBe("Said early, "), soon);
    server.model.say("and late.");
    await vi.waitFor(() => expect(second?.text).toBe("Said early, and late."), soon);
    expect(streams()).toBe(1);
  });

  it("lose nothing when the leading one is closed in mid-answer: the next one leads", async () => {
    const sessionId = await ask();
    const [first, second, third] = openTabs(3);
    for (const tab of [first, second, third]) tab?.watch(sessionId, 1);
    server.model.say("One, ");
    await vi.waitFor(() => expect(third?.text).toBe("One, "), soon);
    first?.feed.close();
    server.model.say("two, ");
    await vi.waitFor(() => expect(second?.election.isLeader).toBe(true), soon);
    server.model.say("three.");
    server.model.finish();
    await vi.waitFor(() => expect([second?.isOver, third?.isOver]).toEqual([true, true]), soon);
    expect([second?.text, third?.text]).toEqual(["One, two, three.", "One, two, three."]);
    expect(streams()).toBe(2);
  });

  it("hold no connection for a turn that nobody looks at any more", async () => {
    const sessionId = await ask();
    const [first, second] = openTabs(2);
    first?.watch(sessionId, 1);
    second?.watch(sessionId, 1);
    server.model.say("Hello");
    await vi.waitFor(() => expect(second?.text).toBe("Hello"), soon);
    first?.feed.unwatch();
    second?.feed.unwatch();
    await vi.waitFor(() => expect(closed).toBe(1), soon);
    expect(streams()).toBe(1);
  });

  it("each lead themselves where a browser has no locks", async () => {
    const sessionId = await ask();
    const two = openTabs(2, "none");
    for (const tab of two) tab.watch(sessionId, 1);
    server.model.say("Hello");
    await vi.waitFor(() => expect(two.map(({ text }) => text)).toEqual(["Hello", "Hello"]), soon);
    expect(streams()).toBe(2);
  });
});
