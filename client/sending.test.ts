/** What a client sends, and when it sends it again. The server here answers as the contract says (docs/errors.md). */
import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  endEvent,
  type FakeAnswer,
  type FakeChat,
  hello,
  json,
  noAnswer,
  problem,
  startFakeChat,
  stream,
} from "../test/helpers/fake-chat.ts";
import { ChatClient, ChatProblem, ConnectionLost, readToEnd } from "./index.ts";

let fake: FakeChat;
let client: ChatClient;

beforeEach(async () => {
  fake = await startFakeChat();
  client = new ChatClient({ baseUrl: `${fake.baseUrl}/`, maxDelayMs: 5, silenceMs: 5_000 });
});

afterEach(() => fake.close());

const busy = problem(503, { code: "overloaded", retryable: true });
/** What a proxy or a captive portal answers in the service's place. */
function page(status: number): FakeAnswer {
  return (response) => void response.writeHead(status, { "content-type": "text/html" }).end("<h1>No service</h1>");
}

const bodies = () => fake.requests.map(({ body }) => (body === "" ? undefined : JSON.parse(body)));
const keys = () => fake.requests.map(({ headers }) => headers["idempotency-key"]);

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail("It succeeded"),
    (error: unknown) => error,
  );
}

describe("a prompt is sent", () => {
  it("with a key of its own each time, and nothing that was not asked for", async () => {
    fake.answers(stream(hello));
    for (const prompt of ["One", "Two"]) await readToEnd(await client.send("s", prompt));
    expect(bodies()).toEqual([{ payload: "One" }, { payload: "Two" }]);
    expect(fake.requests[0]).toMatchObject({ method: "PUT", url: "/chat/s" });
    expect(fake.requests[0]?.headers).toMatchObject({
      accept: "text/event-stream",
      "content-type": "application/json",
    });
    expect(Object.keys(fake.requests[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(["if-busy"]));
    expect(Object.keys(fake.requests[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(["if-turn"]));
    for (const key of keys()) expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(keys()[0]).not.toBe(keys()[1]);
  });

  it("with what was asked for: a key, ifBusy, ifTurn, replaces", async () => {
    fake.answers(stream(hello));
    const options = { idempotencyKey: "mine", ifBusy: "queue", ifTurn: 0, replaces: 2 } as const;
    await readToEnd(await client.send("s", "Hello!", options));
    expect(fake.requests[0]?.headers).toMatchObject({ "idempotency-key": "mine", "if-busy": "queue", "if-turn": "0" });
    expect(bodies()).toEqual([{ payload: "Hello!", replaces: 2 }]);
  });

  it.each(["regenerate", "continue"] as const)("%s is a POST without a body, with the same headers", async (verb) => {
    fake.answers(stream(hello));
    const answer = await client[verb]("s", { ifBusy: "interrupt", ifTurn: 4 });
    expect(answer.turn).toBe(1);
    expect((await readToEnd(answer)).text).toBe("Hello!");
    expect(fake.requests[0]).toMatchObject({ method: "POST", url: `/chat/s/${verb}`, body: "" });
    expect(fake.requests[0]?.headers).toMatchObject({ "if-busy": "interrupt", "if-turn": "4" });
    expect(keys()[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it("and its answer tells the turn, and whether it had been started before", async () => {
    fake.answers(stream(hello), stream(hello, { "idempotency-replayed": "true" }));
    const [first, second] = [await client.send("s", "Hello!"), await client.send("s", "Hello!")];
    expect([first.turn, first.replayed, second.turn, second.replayed]).toEqual([1, false, 1, true]);
    expect((await readToEnd(second)).text).toBe("Hello!");
    await first.return();
  });
});

describe("E1: a send whose answer is lost is sent again with the same key", () => {
  it.each([
    ["a connection that is cut", noAnswer],
    ["a refusal that says that trying again can help", busy],
    ["a fault of the service", problem(500, { code: "internal", retryable: true })],
    ["a proxy's page for 502", page(502)],
  ] as const)("after %s", async (_, failure) => {
    fake.answers(failure, failure, stream(hello));
    const answer = await client.send("s", "Hello!");
    expect((await readToEnd(answer)).text).toBe("Hello!");
    expect(new Set(keys()).size).toBe(1);
    expect(bodies()).toEqual([{ payload: "Hello!" }, { payload: "Hello!" }, { payload: "Hello!" }]);
  });

  it("after a silence before the headers", async () => {
    const impatient = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, silenceMs: 200 });
    fake.answers(() => {}, stream(hello));
    expect((await readToEnd(await impatient.send("s", "Hello!"))).text).toBe("Hello!");
    expect(new Set(keys()).size).toBe(1);
    expect(fake.requests).toHaveLength(2);
  });

  it("a bounded number of times, and then tells what failed last", async () => {
    fake.answers(noAnswer);
    const lost = await failureOf(client.send("s", "Hello!"));
    expect(lost).toBeInstanceOf(ConnectionLost);
    expect((lost as Error).cause).toBeInstanceOf(Error);
    expect(fake.requests).toHaveLength(5);
    fake.answers(busy);
    const twice = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, tries: 2 });
    expect(await failureOf(twice.send("s", "Hello!"))).toMatchObject({ code: "overloaded", status: 503 });
    expect(fake.requests).toHaveLength(7);
  });

  it("not before Retry-After is over, in either of its forms", async () => {
    for (const after of [() => "1", () => new Date(Date.now() + 2_000).toUTCString()]) {
      fake.answers(problem(503, { code: "draining", retryable: true }, { "retry-after": after() }), stream(hello));
      const began = performance.now();
      await readToEnd(await client.send("s", "Hello!"));
      expect(performance.now() - began).toBeGreaterThan(900);
    }
  });

  it("but never when the service wants to be left alone for longer than anybody waits", async () => {
    fake.answers(problem(503, { code: "upstream_unavailable", retryable: true }, { "retry-after": "61" }));
    expect(await failureOf(client.send("s", "Hello!"))).toMatchObject({ retryAfterSeconds: 61 });
    expect(fake.requests).toHaveLength(1);
  });
});

describe("a send is not repeated when that cannot help", () => {
  it.each([
    [409, "turn_in_progress", true],
    [409, "stale_turn", false],
    [422, "idempotency_key_reused", false],
    [404, "session_not_found", false],
    [401, "unauthenticated", false],
  ])("%d %s is told at once, with all that the service said", async (status, code, retryable) => {
    fake.answers(problem(status, { code, retryable, turn: 3, request_id: "r1", detail: "So it is." }));
    const error = await failureOf(client.send("s", "Hello!"));
    expect(error).toBeInstanceOf(ChatProblem);
    expect(error).toMatchObject({
      code,
      status,
      retryable,
      turn: 3,
      request_id: "r1",
      detail: "So it is.",
      title: "No",
    });
    expect((error as Error).message).toBe(`${code}: So it is.`);
    expect(fake.requests).toHaveLength(1);
  });

  it("an answer that is no event stream is no chat service's", async () => {
    fake.answers(page(200));
    expect(await failureOf(client.send("s", "Hello!"))).toMatchObject({ code: "unexpected_answer", retryable: false });
    fake.answers(page(403));
    expect(await failureOf(client.send("s", "Hello!"))).toMatchObject({ code: "unexpected_answer", status: 403 });
    fake.answers((response) => void response.writeHead(200, { "content-type": "text/event-stream" }).end(hello));
    expect(await failureOf(client.send("s", "Hello!"))).toMatchObject({ code: "unexpected_answer" });
    expect(fake.requests).toHaveLength(3);
  });
});

describe("what would do more when it is done twice is not repeated after a lost answer", () => {
  it("opening a session and stopping whatever runs", async () => {
    fake.answers(noAnswer);
    expect(await failureOf(client.openSession({ username: "TR" }))).toBeInstanceOf(ConnectionLost);
    expect(await failureOf(client.stop("s"))).toBeInstanceOf(ConnectionLost);
    expect(fake.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /sessions", "DELETE /chat/s"]);
    fake.answers(problem(500, { code: "internal", retryable: true }));
    expect(await failureOf(client.stop("s"))).toMatchObject({ code: "internal" });
    expect(fake.requests).toHaveLength(3);
  });

  it("but it is when the service says that nothing came of it", async () => {
    fake.answers(busy, json({ turn: 3, status: "stopped", answer: "Hel" }));
    expect(await client.stop("s")).toEqual({ turn: 3, status: "stopped", answer: "Hel" });
    expect(fake.requests).toHaveLength(2);
  });

  it("stopping a turn by its number, reading and deleting are repeated", async () => {
    fake.answers(noAnswer, json({ turn: 3, status: "stopped", answer: "Hel" }));
    expect(await client.stop("s", { turn: 3 })).toMatchObject({ turn: 3 });
    fake.answers(noAnswer, problem(404, { code: "session_not_found", retryable: false }));
    await client.deleteSession("s");
    expect(await failureOf(client.deleteSession("s"))).toMatchObject({ code: "session_not_found" });
    // Cut in the middle of its body.
    const half = '{"session_id":"s","message_history":[';
    fake.answers(
      (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": 1_000 }).write(half);
        setTimeout(() => response.destroy(), 20);
      },
      json({ session_id: "s", username: "TR", message_history: [], has_more: false }),
    );
    expect(await client.history("s", { limit: 2, before: 9 })).toMatchObject({ message_history: [] });
    expect(fake.requests.at(-1)?.url).toBe("/chat_history/s?limit=2&before=9");
  });
});

describe("a signal that fires while something is sent", () => {
  it.each([
    ["while there is no answer", () => {}],
    ["while it waits to try again", problem(503, { code: "draining", retryable: true }, { "retry-after": "30" })],
  ] as const)("%s ends it at once with its reason, and leaves no listener", async (_, answer) => {
    fake.answers(answer);
    for (const act of [
      (signal: AbortSignal) => client.send("s", "Hello!", { signal }),
      (signal: AbortSignal) => client.history("s", { signal }),
      (signal: AbortSignal) => client.openSession({ username: "TR" }, { signal }),
    ]) {
      const controller = new AbortController();
      const failing = failureOf(act(controller.signal));
      const asked = fake.requests.length;
      await expect.poll(() => fake.requests.length).toBeGreaterThan(asked);
      controller.abort(new Error("Enough"));
      expect(await failing).toMatchObject({ message: "Enough" });
      expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    }
  });

  it("that has fired before sends nothing", async () => {
    fake.answers(stream(hello));
    const signal = AbortSignal.abort(new Error("Enough"));
    expect(await failureOf(client.send("s", "Hello!", { signal }))).toMatchObject({ message: "Enough" });
    expect(await failureOf(client.readSession("s", { signal }))).toMatchObject({ message: "Enough" });
    expect(fake.requests).toEqual([]);
  });

  it("leaves no listener behind after a success or a failure", async () => {
    const { signal } = new AbortController();
    fake.answers(stream(hello), problem(409, { code: "stale_turn", retryable: false }), json({}));
    await readToEnd(await client.send("s", "Hello!", { signal }));
    await failureOf(client.send("s", "Hello!", { signal }));
    await client.history("s", { signal });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("the token", () => {
  it("of the first session is sent from then on, so that all belong to one guest", async () => {
    fake.answers(json({ session_id: "s1", token: "t1" }), json({ session_id: "s2", token: "t2" }), json({}));
    expect(client.token).toBeUndefined();
    await client.openSession({ username: "TR", title: "A title" });
    await client.openSession({ username: "TR" });
    await client.deleteSession("s1");
    expect(fake.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, "Bearer t1", "Bearer t1"]);
    expect(bodies().slice(0, 2)).toEqual([{ username: "TR", title: "A title" }, { username: "TR" }]);
    expect(client.token).toBe("t1");
  });

  it("can be one that was kept", async () => {
    fake.answers(stream(hello + endEvent(8)));
    const kept = new ChatClient({ baseUrl: fake.baseUrl, token: "kept" });
    await readToEnd(await kept.send("s", "Hello!"));
    expect(fake.requests[0]?.headers.authorization).toBe("Bearer kept");
  });
});
