import { setTimeout as delay } from "node:timers/promises";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import { openConnection, type RawConnection } from "../../../test/helpers/http-socket.ts";
import { feedOf } from "../../../test/helpers/storage.ts";
import type { Storage } from "../../storage/storage.ts";

let test: TestServer;
let sessionId: string;

async function start(options: Parameters<typeof startTestServer>[0] = {}): Promise<void> {
  test = await startTestServer(options);
  ({ sessionId } = await test.openSession());
}

beforeEach(() => start());

afterEach(() => test.close());

/** The same events as the real storage has, until `change` makes something else of them. */
function changeEvents(change: (events: AsyncIterable<never>) => AsyncIterable<never>) {
  return (real: Storage): Storage => ({
    ...real,
    turns: {
      ...real.turns,
      follow: async (...place) => {
        const following = await real.turns.follow(...place);
        return { ...following, events: feedOf(change(following.events as AsyncIterable<never>)) };
      },
    },
  });
}

async function eventsOf(response: Response): Promise<(EventSourceMessage & { json: Record<string, unknown> })[]> {
  const events: (EventSourceMessage & { json: Record<string, unknown> })[] = [];
  const parser = createParser({ onEvent: (event) => void events.push({ ...event, json: JSON.parse(event.data) }) });
  parser.feed(await response.text());
  return events;
}

async function ask(path = `/chat/${sessionId}`): Promise<RawConnection> {
  const connection = await openConnection(test.port);
  const body = '{"payload":"Hello!"}';
  connection.send(
    `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return connection;
}

describe("an answer as an event stream", () => {
  it("C13: begins at once, before the model has said anything", async () => {
    const connection = await ask();
    await connection.waitFor(": ok\nretry: ");
    await connection.waitFor("event: turn\nid: 1.0\n");
    expect(connection.received()).not.toContain('data: {"text"');
    test.model.say("Hi");
    await connection.waitFor('id: 1.2\ndata: {"text":"Hi"}\n\n');
    test.model.finish();
    await connection.waitFor("event: end\nid: 1.3\n");
    await connection.waitFor("\r\n0\r\n\r\n");
    connection.socket.destroy();
  });

  it("C18: tells each client another time to come back, between 500 and 5,000 ms", async () => {
    test.model.finish();
    await (await test.ask(sessionId)).text();
    const times = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const text = await (await fetch(`${test.url}/chat/${sessionId}`)).text();
        return Number(/^retry: (?<time>\d+)$/m.exec(text)?.groups?.["time"]);
      }),
    );
    expect(Math.min(...times)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...times)).toBeLessThanOrEqual(5_000);
    expect(new Set(times).size).toBeGreaterThan(5);
  });

  it("C12: has a comment in every silence, and a named event without an id for who asks for it", async () => {
    await test.close();
    await start({ config: { heartbeatMs: 100 } });
    const comments = await ask();
    await comments.waitFor(": heartbeat\n\n");
    const events = await openConnection(test.port);
    events.send(`GET /chat/${sessionId}?heartbeat=event HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await events.waitFor("event: heartbeat\ndata: {}\n\n");
    expect(events.received()).not.toContain("\n: heartbeat");
    for (const { socket } of [comments, events]) socket.destroy();
  });

  it("C25, A25: a client that leaves ends its following and nothing else", async () => {
    const connection = await ask();
    await connection.waitFor("event: turn");
    connection.socket.destroy();
    await delay(50);
    test.model.say("Nobody is here");
    test.model.finish();
    const [, answer] = await waitForHistory();
    expect(answer).toMatchObject({ content: "Nobody is here", status: "completed" });
  });

  it("C15: a fault while streaming cuts the connection, and is no second status", async () => {
    await test.close();
    await start({
      storage: changeEvents(async function* (events) {
        for await (const step of events) {
          yield step;
          throw new Error("The disk is gone");
        }
      }),
    });
    const connection = await ask();
    await connection.closed;
    expect(connection.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(connection.received()).not.toContain("disk");
    expect(connection.received()).not.toContain("\r\n0\r\n");
    expect(test.log.find(({ level }) => level === "error")).toMatchObject({ err: { message: "The disk is gone" } });
    test.model.finish();
  });

  it("C22: a session that is deleted is told by an error without an id, and the stream ends", async () => {
    const { sessionId: id, token } = await test.openSession();
    const response = await test.ask(id);
    const removed = await fetch(`${test.url}/sessions/${id}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(removed.status).toBe(204);
    const last = (await eventsOf(response)).at(-1);
    expect(last).toMatchObject({ event: "error", id: undefined });
    expect(last?.json).toMatchObject({ code: "session_deleted", retryable: false });
  });

  it("C1, C5, C6: resumes after any position, and is 204 after the end", async () => {
    test.model.say("Hello, TR!");
    test.model.finish();
    await (await test.ask(sessionId)).text();
    const follow = (id: string, path = "") =>
      fetch(`${test.url}/chat/${sessionId}${path}`, { headers: { "last-event-id": id } });
    for (const path of ["", "/1"]) {
      const events = await eventsOf(await follow("1.5", path));
      expect(events.map(({ id }) => id)).toEqual(["1.10", "1.11"]);
      expect(events[0]?.json).toEqual({ text: ", TR!" });
      const finished = await follow("1.11", path);
      expect(finished.status).toBe(204);
      expect(finished.headers.get("x-turn")).toBe("1");
      expect((await eventsOf(await follow("-1", path))).map(({ id }) => id)).toEqual(["1.0", "1.10", "1.11"]);
    }
  });

  it("C2: takes ?after= where there is no header, and the header where there are both", async () => {
    test.model.say("Hello");
    test.model.finish();
    await (await test.ask(sessionId)).text();
    const url = `${test.url}/chat/${sessionId}?after=1.2`;
    expect((await eventsOf(await fetch(url)))[0]?.json).toEqual({ text: "llo" });
    const both = await fetch(url, { headers: { "last-event-id": "1.4" } });
    expect((await eventsOf(both))[0]?.json).toEqual({ text: "o" });
    const empty = await fetch(url, { headers: { "last-event-id": "" } });
    expect((await eventsOf(empty))[0]?.json).toEqual({ text: "llo" });
  });

  it.each(["x", "1", "1.", "1.-1", "0.1", "1.2.3", "1e1.0", " ", "1.9999999999999999"])(
    "C3: the position %j is 400 invalid_position",
    async (id) => {
      const url = `${test.url}/chat/${sessionId}?after=${encodeURIComponent(id)}`;
      const response = await fetch(url);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_position" });
    },
  );

  it("C3: a position of another turn is 409 on a turn's own URL", async () => {
    test.model.finish();
    await (await test.ask(sessionId)).text();
    const response = await fetch(`${test.url}/chat/${sessionId}/1?after=2.0`);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: "position_of_another_turn" });
  });

  it("C4: a position beyond the log is a reset with the whole text, then the rest", async () => {
    const first = await ask();
    test.model.say("Hello");
    await first.waitFor("Hello");
    const beyond = await openConnection(test.port);
    beyond.send(`GET /chat/${sessionId}?after=1.1000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await beyond.waitFor('event: reset\nid: 1.5\ndata: {"text":"Hello","reason":');
    test.model.finish();
    await beyond.closed;
    expect(beyond.received()).toContain("event: end\nid: 1.6\n");
    first.socket.destroy();
  });

  it("C8, C24: a reader that takes a long replay slowly gets all of it, whatever its characters", async () => {
    // More than the kernel takes: what JSON escapes with six characters, and what has three bytes.
    const text = `${"\u0001".repeat(800_000)}${"漢".repeat(800_000)}`;
    for (let start = 0; start < text.length; start += 50_000) test.model.say(text.slice(start, start + 50_000));
    test.model.finish();
    await (await test.ask(sessionId)).text();
    const connection = await openConnection(test.port);
    connection.send(`GET /chat/${sessionId} HTTP/1.0\r\nHost: localhost\r\n\r\n`);
    await connection.waitFor("event: turn");
    connection.socket.pause();
    await delay(300);
    connection.socket.resume();
    expect(await connection.closed).toBeUndefined();
    const data = connection.received().matchAll(/^data: (?<json>\{"text":.*\})$/gm);
    const pieces = [...data].map((match) => (JSON.parse(match.groups?.["json"] ?? "") as { text: string }).text);
    expect(pieces.join("") === text).toBe(true);
    expect(connection.received()).toContain("event: end");
  });

  it("closes with the server, so that a client comes back elsewhere", async () => {
    const connection = await ask();
    await connection.waitFor("event: turn");
    const closing = test.server.close(2_000);
    await connection.closed;
    expect(connection.received()).not.toContain("event: end");
    await closing;
  });
});

async function waitForHistory(): Promise<Record<string, unknown>[]> {
  for (;;) {
    const response = await fetch(`${test.url}/chat_history/${sessionId}`);
    const { message_history: messages } = (await response.json()) as { message_history: Record<string, unknown>[] };
    if (messages[0]?.["status"] !== "running") return messages;
    await delay(10);
  }
}
