/** How following ends when nobody wants it any more. The server here is a fake that is quiet on demand. */
import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type FakeAnswer,
  type FakeChat,
  hello,
  openStream,
  problem,
  startFakeChat,
  stream,
  turnEvent,
} from "../test/helpers/fake-chat.ts";
import { ChatClient, type ChatEvent, readToEnd } from "./index.ts";

let fake: FakeChat;
let client: ChatClient;

beforeEach(async () => {
  fake = await startFakeChat();
  client = new ChatClient({ baseUrl: fake.baseUrl, maxDelayMs: 5, silenceMs: 5_000 });
});

afterEach(() => fake.close());

describe("following ends at once", () => {
  type Situation = readonly [string, readonly FakeAnswer[], (event: ChatEvent) => boolean];
  const inTurn = (event: ChatEvent) => event.type === "turn";
  const situations: readonly Situation[] = [
    ["while the answer is quiet", [openStream(turnEvent)], inTurn],
    [
      "while it waits to connect again",
      [problem(503, { code: "draining", retryable: true }, { "retry-after": "60" })],
      inTurn,
    ],
    ["while it connects", [() => {}], inTurn],
  ];

  it.each(situations)("%s, when the signal fires: with its reason, and without a listener left", async (_, answers) => {
    fake.answers(...answers);
    const controller = new AbortController();
    const following = readToEnd(client.follow("s", { turn: 1, signal: controller.signal }));
    following.catch(() => undefined);
    await expect.poll(() => fake.requests.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = performance.now();
    controller.abort(new Error("Enough"));
    await expect(following).rejects.toThrow("Enough");
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fake.requests).toHaveLength(1);
  });

  it.each(situations)("%s, when it is left, although next is waiting", async (_, answers) => {
    fake.answers(...answers);
    const { signal } = new AbortController();
    const answer = client.follow("s", { turn: 1, signal });
    const waiting = (async () => {
      for (;;) {
        const step = await answer.next();
        if (step.done === true) return step;
      }
    })();
    await expect.poll(() => fake.requests.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await answer.return()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(await answer.next()).toEqual({ done: true, value: undefined });
  });

  it("between two events that came together, when the signal fires", async () => {
    fake.answers(stream(hello));
    const controller = new AbortController();
    const types: string[] = [];
    const following = async () => {
      for await (const { type } of client.follow("s", { turn: 1, signal: controller.signal })) {
        types.push(type);
        controller.abort(new Error("Enough"));
      }
    };
    await expect(following()).rejects.toThrow("Enough");
    expect(types).toEqual(["turn"]);
  });

  it("also an answer that nobody has begun to read", async () => {
    let gone = false;
    fake.answers((response, request) => {
      response.on("close", () => {
        gone = true;
      });
      openStream(turnEvent)(response, request);
    });
    const controller = new AbortController();
    await client.send("s", "Hello!", { signal: controller.signal });
    expect(gone).toBe(false);
    controller.abort();
    await expect.poll(() => gone).toBe(true);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });
});
