/** Event streams that wait, grow old, are not read, or have to close before their turn's end. */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer, type TestServerOptions } from "../../../test/helpers/http-server.ts";
import { openConnection, type RawConnection } from "../../../test/helpers/http-socket.ts";
import { feedOf } from "../../../test/helpers/storage.ts";
import type { Storage } from "../../storage/storage.ts";

let test: TestServer;
let sessionId: string;
const open: RawConnection[] = [];

async function start(options: TestServerOptions = {}): Promise<void> {
  test = await startTestServer(options);
  test.server.app.server.on("connection", (socket) => void sockets.push(socket));
  ({ sessionId } = await test.openSession());
}

afterEach(async () => {
  for (const { socket } of open.splice(0)) socket.destroy();
  await test.close();
});

async function startTurn(): Promise<void> {
  await (await test.ask(sessionId)).body?.cancel();
}

async function follow(query = ""): Promise<RawConnection> {
  const connection = await openConnection(test.port);
  open.push(connection);
  connection.send(`GET /chat/${sessionId}${query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return connection;
}

/** Nothing of any turn comes before `begin` is called, as of a turn that waits for another. */
function turnsThatWait(): { storage: (real: Storage) => Storage; begin: () => void } {
  const begun = Promise.withResolvers<void>();
  const storage = (real: Storage): Storage => ({
    ...real,
    turns: {
      ...real.turns,
      async follow(...place) {
        const following = await real.turns.follow(...place);
        const signal = place[4];
        const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        async function* later() {
          await Promise.race([begun.promise, gone]);
          if (!signal.aborted) yield* following.events;
        }
        return { ...following, events: feedOf(later()) };
      },
    },
  });
  return { storage, begin: begun.resolve };
}

const sockets: Socket[] = [];

/** The server's end of a connection. */
function serverSocketOf({ socket }: RawConnection): Socket {
  const found = sockets.find(({ remotePort }) => remotePort === socket.localPort);
  if (found === undefined) throw new Error("The server has no such connection");
  return found;
}

const retries = (connection: RawConnection) => connection.received().match(/^retry: \d+$/gm) ?? [];

describe("C20: a stream of a turn that has not begun", () => {
  it("opens at once, has heartbeats, and then every event of the turn", async () => {
    const { storage, begin } = turnsThatWait();
    await start({ storage, config: { heartbeatMs: 100 } });
    await startTurn();
    const connection = await follow();
    await connection.waitFor(": heartbeat\n\n");
    expect(connection.received()).not.toContain("event: turn");
    begin();
    await connection.waitFor("event: turn\nid: 1.0\n");
    test.model.say("At last");
    test.model.finish();
    await connection.closed;
    expect(connection.received()).toContain('data: {"text":"At last"}');
    expect(connection.received()).toContain("event: end");
  });
});

describe("C21: two turns of one session", () => {
  it("have logs of their own: each follower sees its turn from position 0 to its end, and nothing of the other", async () => {
    await start();
    await startTurn();
    test.model.say("The first answer");
    const first = await follow();
    await first.waitFor("The first answer");
    test.model.finish();
    await first.closed;
    await startTurn();
    const [second, again] = await Promise.all([follow(), follow("/1")]);
    test.model.say("Another");
    test.model.finish();
    await Promise.all([second.closed, again.closed]);
    const ids = (connection: RawConnection) => connection.received().match(/(?<=^id: ).*$/gm);
    expect(ids(first)).toEqual(["1.0", "1.16", "1.17"]);
    expect(ids(again)).toEqual(["1.0", "1.16", "1.17"]);
    expect(ids(second)).toEqual(["2.0", "2.7", "2.8"]);
    expect(second.received()).not.toContain("The first answer");
    expect(again.received()).not.toContain("Another");
  });
});

describe("C11: a stream that has reached its age", () => {
  it("is told when to come back and closes without an end; the client resumes where it was", async () => {
    await start({ config: { heartbeatMs: 80, maxStreamAgeMs: 500 } });
    await startTurn();
    test.model.say("Hello");
    const opened = performance.now();
    const connection = await follow();
    expect(await connection.closed).toBeUndefined();
    // 500 ms, give or take 20 %, and what a busy machine adds; without an age it would stay open for ever.
    expect(performance.now() - opened).toBeGreaterThan(395);
    expect(performance.now() - opened).toBeLessThan(10_000);
    expect(connection.received()).toContain('id: 1.5\ndata: {"text":"Hello"}');
    expect(connection.received()).not.toContain("event: end");
    expect(retries(connection)).toHaveLength(2);
    expect(connection.received()).toMatch(/retry: \d+\n\n\r\n0\r\n\r\n$/);

    const resumed = await follow("?after=1.5");
    test.model.say(", TR!");
    await resumed.waitFor('id: 1.10\ndata: {"text":", TR!"}');
    test.model.finish();
    expect(resumed.received()).not.toContain("Hello");
  });

  it("is cut when its reader has vanished and would take no goodbye", async () => {
    await start({ config: { heartbeatMs: 80, maxStreamAgeMs: 400 } });
    await startTurn();
    const connection = await follow();
    await connection.waitFor("event: turn");
    const socket = serverSocketOf(connection);
    connection.socket.pause();
    await expect.poll(() => socket.writableEnded, { timeout: 5_000 }).toBe(true);
    test.model.finish();
  });
});

describe("C8: a reader that does not read", () => {
  it("gets no heartbeats on top of what waits for it", async () => {
    await start({ config: { heartbeatMs: 40 } });
    await startTurn();
    const connection = await follow();
    await connection.waitFor("event: turn");
    const socket = serverSocketOf(connection);
    connection.socket.pause();
    // Until the kernel takes no more of it.
    for (let said = 0; !socket.writableNeedDrain && said < 500; said += 1) {
      test.model.say("x".repeat(50_000));
      await delay(5);
    }
    await delay(100);
    const waiting = socket.writableLength;
    expect(waiting).toBeGreaterThan(0);
    await delay(400);
    expect(socket.writableLength).toBe(waiting);
    test.model.finish();
  });
});

describe("H2: when the service ends", () => {
  it("streams of turns that have not begun are told when to come back and close; the others go on", async () => {
    const { storage, begin } = turnsThatWait();
    await start({ storage });
    await startTurn();
    const waiting = await follow();
    await waiting.waitFor("retry: ");
    test.server.closeWaitingStreams();
    expect(await waiting.closed).toBeUndefined();
    expect(retries(waiting)).toHaveLength(2);
    expect(waiting.received()).toMatch(/\r\n0\r\n\r\n$/);

    begin();
    const running = await follow();
    await running.waitFor("event: turn");
    test.server.closeWaitingStreams();
    test.model.say("Still here");
    await running.waitFor("Still here");
    test.model.finish();
    await running.closed;
    expect(running.received()).toContain("event: end");
  });

  it("a stream closes after what is being written to a slow reader, which is told when to come back", async () => {
    await start();
    await startTurn();
    const text = "x".repeat(6_000_000);
    for (let from = 0; from < text.length; from += 50_000) test.model.say(text.slice(from, from + 50_000));
    await expect.poll(async () => (await turnState()).answer.length, { timeout: 10_000 }).toBe(text.length);
    const slow = await follow();
    // Before it has read anything: the kernel takes the more in for a reader, the more that has read.
    slow.socket.pause();
    await expect.poll(() => serverSocketOf(slow).writableNeedDrain, { timeout: 10_000 }).toBe(true);
    const closing = test.server.close(10_000);
    await delay(50);
    slow.socket.resume();
    expect(await slow.closed).toBeUndefined();
    await closing;
    const pieces = slow.received().match(/(?<=^data: \{"text":")x+/gm) ?? [];
    expect(pieces.join("").length).toBe(text.length);
    expect(slow.received()).toMatch(/retry: \d+\n\n\r\n0\r\n\r\n$/);
    test.model.finish();
  });

  it("a client that waits for JSON gets 202 and where to ask, without holding it up", async () => {
    await start();
    const json = test.ask(sessionId, "application/json");
    await delay(200);
    const began = performance.now();
    await test.server.close(10_000);
    const response = await json;
    expect(response.status).toBe(202);
    expect(response.headers.get("location")).toBe(`/chat/${sessionId}/1`);
    expect(await response.json()).toMatchObject({ status: "running" });
    expect(performance.now() - began).toBeLessThan(4_500);
  });

  it("a client that reads text gets a reset, not an end that looks like success, without holding it up", async () => {
    await start();
    const text = await test.ask(sessionId, "text/plain");
    const began = performance.now();
    await test.server.close(10_000);
    await expect(text.text()).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(4_500);
  });
});

async function turnState(): Promise<{ answer: string }> {
  const response = await fetch(`${test.url}/chat/${sessionId}/1`, { headers: { accept: "application/json" } });
  return (await response.json()) as { answer: string };
}
