/** What a follower is told, and what it is thrown. The server here is a fake that says odd things on demand. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  endEvent,
  type FakeAnswer,
  type FakeChat,
  hello,
  openStream,
  placesAsked,
  problem,
  startFakeChat,
  stream,
  textEvent,
  turnEvent,
} from "../test/helpers/fake-chat.ts";
import { ChatClient, readToEnd, textAfter } from "./index.ts";

let fake: FakeChat;
let client: ChatClient;

beforeEach(async () => {
  fake = await startFakeChat();
  client = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, silenceMs: 5_000 });
});

afterEach(() => fake.close());

const nothing: FakeAnswer = (response) => void response.writeHead(204, { "x-turn": "1" }).end();

describe("a follower", () => {
  it("is told every event, typed, with its id", async () => {
    const reset = 'event: reset\nid: 1.7\ndata: {"text":"Bye","reason":"fallback"}\n\n';
    const tool = 'event: tool\nid: 1.8\ndata: {"call_id":"c","name":"t","status":"done","result":{"n":1}}\n\n';
    const sources = 'event: sources\nid: 1.9\ndata: {"sources":[]}\n\n';
    const error = 'event: error\nid: 1.10\ndata: {"code":"upstream_error","message":"No.","retryable":true}\n\n';
    fake.answers(
      stream(turnEvent + textEvent(6, "Hello!") + reset + tool + sources + error + endEvent(11, "incomplete")),
    );
    expect(await Array.fromAsync(client.follow("s", { turn: 1 }))).toEqual([
      { type: "turn", id: "1.0", session_id: "s", turn: 1, model: "fake" },
      { type: "text", id: "1.6", text: "Hello!" },
      { type: "reset", id: "1.7", text: "Bye", reason: "fallback" },
      { type: "tool", id: "1.8", call_id: "c", name: "t", status: "done", result: { n: 1 } },
      { type: "sources", id: "1.9", sources: [] },
      { type: "error", id: "1.10", code: "upstream_error", message: "No.", retryable: true },
      { type: "end", id: "1.11", status: "incomplete", finish_reason: "stop", usage: null, model: "fake" },
    ]);
    expect(placesAsked(fake)).toEqual(["GET /chat/s/1 undefined"]);
  });

  it("gets what it does not know as something to pass over, heartbeats not at all", async () => {
    const unknown = 'event: clock\nid: 1.1\ndata: {"time":"now"}\n\nevent: news\ndata: [1]\n\n';
    const beats = ": heartbeat\n\nevent: heartbeat\ndata: {}\n\n";
    fake.answers(stream(turnEvent + beats + unknown), stream(textEvent(7, "Hello!") + endEvent(8)));
    const events = await Array.fromAsync(client.follow("s", { turn: 1 }));
    expect(events.map(({ type }) => type)).toEqual(["turn", "unknown", "unknown", "text", "end"]);
    expect(events.slice(1, 3)).toEqual([
      { type: "unknown", name: "clock", data: { time: "now" }, id: "1.1" },
      { type: "unknown", name: "news", data: [1], id: undefined },
    ]);
    expect(placesAsked(fake)[1]).toBe("GET /chat/s/1 1.1");
  });

  it("reads the text so far with textAfter, and the whole with readToEnd", async () => {
    const reset = 'event: reset\nid: 1.20\ndata: {"text":"Hi","reason":"takeover"}\n\n';
    fake.answers(stream(turnEvent + textEvent(6, "Hello!") + reset + textEvent(26, " there") + endEvent(27)));
    const texts: string[] = [];
    let text = "";
    for await (const event of client.follow("s", { turn: 1 })) {
      text = textAfter(text, event);
      texts.push(text);
    }
    expect(texts).toEqual(["", "Hello!", "Hi", "Hi there", "Hi there"]);
    const whole = await readToEnd(client.follow("s", { turn: 1 }));
    expect(whole).toEqual({
      text: "Hi there",
      status: "completed",
      finish_reason: "stop",
      usage: null,
      model: "fake",
      error: undefined,
    });
  });

  it("of the newest turn stays with that turn, of a place with its turn", async () => {
    fake.answers(stream(turnEvent + textEvent(3, "Hel")), stream(textEvent(6, "lo!") + endEvent(7)));
    const answer = client.follow("s");
    expect(answer.turn).toBeUndefined();
    expect((await readToEnd(answer)).text).toBe("Hello!");
    expect(answer.turn).toBe(1);
    expect(answer.lastEventId).toBe("1.7");
    fake.answers(stream(endEvent(7)));
    await Array.fromAsync(client.follow("s", { after: "1.6" }));
    expect(placesAsked(fake)).toEqual(["GET /chat/s undefined", "GET /chat/s/1 1.3", "GET /chat/s 1.6"]);
  });

  it("is told nothing where there is nothing (more)", async () => {
    fake.answers(nothing);
    expect(await Array.fromAsync(client.follow("s", { turn: 1, after: "1.7" }))).toEqual([]);
    await expect(readToEnd(client.follow("s"))).rejects.toThrow("nothing to read");
    expect(fake.requests).toHaveLength(2);
  });

  it("takes nothing that comes after the end", async () => {
    fake.answers(stream(hello + textEvent(99, "more") + endEvent(100)));
    const events = await Array.fromAsync(client.follow("s", { turn: 1 }));
    expect(events.map(({ type }) => type)).toEqual(["turn", "text", "end"]);
  });

  it("leaves the connection of a whole answer to the next request, but waits for no proxy that keeps it", async () => {
    const sockets = new Set<unknown>();
    fake.answers((response, request) => {
      sockets.add(response.socket);
      openStream(hello)(response, request);
      setTimeout(() => response.end(), 50);
    });
    for (let time = 0; time < 10; time += 1) await readToEnd(client.follow("s", { turn: 1 }));
    // Not one for all: the end of an answer and the next request can cross each other.
    expect(sockets.size).toBeLessThan(6);
    fake.answers(openStream(hello));
    expect((await readToEnd(client.follow("s", { turn: 1 }))).text).toBe("Hello!");
  });
});

describe("what can never get better is thrown", () => {
  it.each([
    [404, "session_not_found"],
    [404, "turn_not_found"],
    [409, "position_of_another_turn"],
    [401, "invalid_credential"],
  ])("%d %s, at the first try and in mid-answer", async (status, code) => {
    fake.answers(problem(status, { code, retryable: false }));
    await expect(readToEnd(client.follow("s", { turn: 1 }))).rejects.toMatchObject({
      name: "ChatProblem",
      status,
      code,
    });
    fake.answers(stream(turnEvent), problem(status, { code, retryable: false }));
    const types: string[] = [];
    const following = async () => {
      for await (const { type } of client.follow("s", { turn: 1 })) types.push(type);
    };
    await expect(following()).rejects.toMatchObject({ name: "ChatProblem", status, code });
    expect(types).toEqual(["turn"]);
    expect(fake.requests).toHaveLength(3);
  });

  it("C22: a session that is deleted while it is followed", async () => {
    const deleted = 'event: error\ndata: {"code":"session_deleted","message":"It is gone.","retryable":false}\n\n';
    fake.answers(stream(turnEvent + deleted));
    await expect(readToEnd(client.follow("s", { turn: 1 }))).rejects.toMatchObject({
      code: "session_deleted",
      detail: "It is gone.",
    });
    expect(fake.requests).toHaveLength(1);
  });

  it("but not a fault of the stream that passes", async () => {
    const fault = 'event: error\ndata: {"code":"storage_unavailable","message":"Not now.","retryable":true}\n\n';
    fake.answers(stream(turnEvent + fault), stream(textEvent(6, "Hello!") + endEvent(7)));
    const whole = await readToEnd(client.follow("s", { turn: 1 }));
    expect(whole).toMatchObject({ text: "Hello!", error: undefined });
  });

  it("and the connection of a stream that is left for a new one is closed", async () => {
    const fault = 'event: error\ndata: {"code":"storage_unavailable","message":"Not now.","retryable":true}\n\n';
    let closed = false;
    fake.answers(
      (response, request) => {
        response.on("close", () => {
          closed = true;
        });
        openStream(turnEvent + fault)(response, request);
      },
      openStream(textEvent(6, "Hello!")),
    );
    const answer = client.follow("s", { turn: 1 });
    expect((await answer.next()).value).toMatchObject({ type: "turn" });
    expect((await answer.next()).value).toMatchObject({ type: "text" });
    await expect.poll(() => closed).toBe(true);
    await answer.return();
  });

  it("something else than the service at its address", async () => {
    fake.answers((response) => void response.writeHead(200, { "content-type": "text/html" }).end("Sign in!"));
    await expect(readToEnd(client.follow("s"))).rejects.toMatchObject({ code: "unexpected_answer" });
    fake.answers(stream("data: hello\n\n"));
    await expect(readToEnd(client.follow("s"))).rejects.toMatchObject({ code: "unexpected_answer" });
  });
});
