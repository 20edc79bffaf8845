/** A dialogue of which the history and the logs come when the test says so. */
import { beforeEach, expect, it } from "vitest";
import { type ChatClient, type ChatEvent, ConnectionLost } from "../../../client/index.ts";
import { type LiveTurn, newLiveTurn } from "../tabs/live-turn.ts";
import type { Watcher } from "../tabs/turn-feed.ts";
import { Dialogue } from "./dialogue.ts";

const sessionId = "s";
const created_at = "2026-11-28T09:00:00.000Z";

/** Turn 1 was stopped; turn 2 goes on with its answer, and is running. */
const history: Awaited<ReturnType<ChatClient["history"]>> = {
  session_id: sessionId,
  username: "TR",
  has_more: false,
  message_history: [
    { role: "user", content: "A story", turn: 1, status: "running", created_at },
    { role: "assistant", content: "Once upon a", turn: 1, status: "running", continued_by: 2, created_at },
  ],
};

const running: LiveTurn = {
  ...newLiveTurn(sessionId, 2),
  position: 5,
  text: " time",
  started: { type: "turn", session_id: sessionId, turn: 2, model: "m", continues: 1 },
};
const ended: LiveTurn = {
  ...running,
  position: 6,
  end: { type: "end", status: "completed", finish_reason: "stop", usage: null, model: "m" },
};

/** What turn 1 said, once the test lets it be read. */
let firstLog: PromiseWithResolvers<readonly ChatEvent[]>;
let historyReads: number;
let watcher: Watcher;
/** Whole answers that were told to whoever listens. */
let told: string[];
let dialogue: Dialogue;

beforeEach(async () => {
  firstLog = Promise.withResolvers();
  firstLog.promise.catch(() => undefined);
  historyReads = 0;
  told = [];
  dialogue = new Dialogue({
    client: {
      history: async () => {
        historyReads += 1;
        return history;
      },
      follow: () => read(firstLog.promise),
      stop: () => Promise.reject(new Error("Nobody stops")),
    },
    feed: {
      watch: (_session, _turn, given) => {
        watcher = given;
      },
      unwatch: () => undefined,
    },
    events: {
      answering: (text, end) => {
        if (end !== undefined) told.push(text);
      },
      failed: () => undefined,
    },
    frames: () => ({ request: () => undefined, flush: () => undefined, cancel: () => undefined }),
  });
  await dialogue.open(sessionId);
});

async function* read(events: Promise<readonly ChatEvent[]>): AsyncGenerator<ChatEvent> {
  yield* await events;
}

const answer = () => dialogue.state.get().exchanges[0]?.answer;

it("never shows the rest of a continued answer as the whole, though it ends before its beginning was read", async () => {
  watcher.changed(running);
  watcher.changed(ended);
  expect(answer()).toBe("Once upon a");
  firstLog.resolve([
    { type: "turn", id: "1.0", session_id: sessionId, turn: 1, model: "m" },
    { type: "text", id: "1.11", text: "Once upon a" },
  ]);
  await expect.poll(answer).toBe("Once upon a time");
  expect(told).toEqual(["Once upon a time"]);
});

it("reads the history again where the beginning cannot be read", async () => {
  watcher.changed(running);
  watcher.changed(ended);
  firstLog.reject(new ConnectionLost("It is lost"));
  await expect.poll(() => historyReads).toBe(2);
  expect(answer()).toBe("Once upon a");
  expect(told).toEqual([]);
});
