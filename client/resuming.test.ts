/** What a follower does when its connection ends too early. The server here is a fake that ends it on demand. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  endEvent,
  type FakeChat,
  hello,
  noAnswer,
  openStream,
  placesAsked,
  problem,
  startFakeChat,
  stream,
  textEvent,
  turnEvent,
} from "../test/helpers/fake-chat.ts";
import { ChatClient, type ConnectionChange, ConnectionLost, readToEnd, textAfter } from "./index.ts";

let fake: FakeChat;
let client: ChatClient;

beforeEach(async () => {
  fake = await startFakeChat();
  client = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, silenceMs: 5_000 });
});

afterEach(() => fake.close());

describe("C1: a connection that ends without an end is resumed after the last event that was whole", () => {
  it("however it ended, and however often", async () => {
    const cutInAnEvent = `${textEvent(3, "Hel")}id: 1.4\ndata: {"te`;
    fake.answers(
      stream(turnEvent + cutInAnEvent),
      noAnswer,
      (response) => {
        openStream(textEvent(5, "lo"))(response, { method: "", url: "", headers: {}, body: "" });
        setTimeout(() => response.socket?.resetAndDestroy(), 50);
      },
      problem(503, { code: "draining", retryable: true }),
      stream(""),
      stream(textEvent(6, "!") + endEvent(7)),
    );
    const answer = await client.send("s", "Hello!");
    const events = await Array.fromAsync(answer);
    expect(events.map(({ type }) => type)).toEqual(["turn", "text", "text", "text", "end"]);
    expect(events.reduce(textAfter, "")).toBe("Hello!");
    expect(placesAsked(fake)).toEqual([
      "PUT /chat/s undefined",
      "GET /chat/s/1 1.3",
      "GET /chat/s/1 1.3",
      "GET /chat/s/1 1.5",
      "GET /chat/s/1 1.5",
      "GET /chat/s/1 1.5",
    ]);
  });

  it("C11: a silence that no heartbeat breaks counts as a lost connection", async () => {
    const impatient = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, silenceMs: 300 });
    fake.answers(openStream(turnEvent), () => {}, stream(textEvent(6, "Hello!") + endEvent(7)));
    expect((await readToEnd(impatient.follow("s", { turn: 1 }))).text).toBe("Hello!");
    expect(placesAsked(fake)).toEqual(["GET /chat/s/1 undefined", "GET /chat/s/1 1.0", "GET /chat/s/1 1.0"]);
  });

  it("heartbeats keep a connection, and so does a caller that takes its time", async () => {
    const impatient = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, silenceMs: 500 });
    fake.answers((response, request) => {
      openStream(turnEvent)(response, request);
      const beats = setInterval(() => response.write(": heartbeat\n\n"), 100);
      setTimeout(() => {
        clearInterval(beats);
        response.end(textEvent(6, "Hello!") + endEvent(7));
      }, 1_200);
    });
    const types: string[] = [];
    for await (const event of impatient.follow("s", { turn: 1 })) {
      types.push(event.type);
      if (event.type === "text") await new Promise((resolve) => setTimeout(resolve, 800));
    }
    expect(types).toEqual(["turn", "text", "end"]);
    expect(fake.requests).toHaveLength(1);
  });

  it("waits about as long as the stream said, longer after each failure, and starts anew after progress", async () => {
    const patient = new ChatClient({ baseUrl: fake.baseUrl });
    const waits: number[] = [];
    const states: string[] = [];
    const onConnection = (change: ConnectionChange) => {
      states.push(change.state);
      if (change.state === "lost") waits.push(change.retryInMs);
    };
    fake.answers(
      stream(`retry: 40\n\n${turnEvent}`),
      noAnswer,
      noAnswer,
      stream(textEvent(3, "Hel")),
      stream(`: no progress\n\n`),
      stream(textEvent(6, "lo!") + endEvent(7)),
    );
    await Array.fromAsync(patient.follow("s", { turn: 1, onConnection }));
    expect(states).toEqual(["open", "lost", "lost", "lost", "open", "lost", "open", "lost", "open"]);
    for (const [index, base] of [40, 80, 160, 40, 80].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(base / 2);
      expect(waits[index]).toBeLessThanOrEqual(base);
    }
  });

  it("C17: goes on after a refusal that can pass, and never comes back before Retry-After", async () => {
    fake.answers(problem(429, { code: "too_many_streams", retryable: true }, { "retry-after": "1" }), stream(hello));
    const began = performance.now();
    expect((await readToEnd(client.follow("s", { turn: 1 }))).text).toBe("Hello!");
    expect(performance.now() - began).toBeGreaterThan(990);
  });

  it("and says why it was lost", async () => {
    fake.answers(stream(turnEvent), noAnswer, stream(endEvent(1)));
    const causes: unknown[] = [];
    const onConnection = (change: ConnectionChange) => {
      if (change.state === "lost") causes.push(change.cause);
    };
    await Array.fromAsync(client.follow("s", { turn: 1, onConnection }));
    expect(causes).toHaveLength(2);
    for (const cause of causes) expect(cause).toBeInstanceOf(ConnectionLost);
  });
});
