/** The client against the real service, through a network that cuts, stalls, lags and drips. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeProvider, startFakeProvider } from "../test/helpers/fake-provider.ts";
import { converseOverBadNetworks, countsOf, seededAnswers } from "../test/helpers/lossy-runs.ts";
import { seedOfRun } from "../test/helpers/seeded-random.ts";
import { type Service, startService } from "../test/helpers/service.ts";
import { startTcpProxy } from "../test/helpers/tcp-proxy.ts";
import { ChatClient, type ChatEvent, readToEnd, textAfter } from "./index.ts";

const runs = 60;
const runsAtOnce = 10;

/** The model begins to answer the first and says nothing, and nothing more than a few words to the second. */
const silentPrompt = "Say nothing!";
const haltingPrompt = "Say little!";

let provider: FakeProvider;
let service: Service;
let direct: ChatClient;

beforeAll(async () => {
  provider = await startFakeProvider({ record: false });
  provider.model("seeded", async (exchange) => {
    if (exchange.prompt !== silentPrompt && exchange.prompt !== haltingPrompt) return seededAnswers(exchange);
    exchange.begin();
    if (exchange.prompt === haltingPrompt) exchange.text("It all began");
    return exchange.silence();
  });
  service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "seeded" });
  direct = new ChatClient({ baseUrl: service.baseUrl });
});

afterAll(async () => {
  await service.end("SIGTERM");
  await provider.close();
});

describe("C1, E1: a prompt and its answer over connections that are lost again and again", () => {
  const seed = seedOfRun();

  it(`make one turn, every character of it told exactly once, and one end, ${runs} times (SEED=${seed})`, {
    timeout: 120_000,
  }, async () => {
    const counts = await converseOverBadNetworks({ baseUrl: service.baseUrl, runs, runsAtOnce, seed });
    // The cuts must have hit answers, or nothing has been proven.
    expect(counts.connections).toBeGreaterThan(2 * runs);
    expect(counts.events).toBeGreaterThan(20 * runs);
  });
});

describe("against the real service", () => {
  it("a whole conversation: open, send, state, history, stop, read, delete", async () => {
    const client = new ChatClient({ baseUrl: service.baseUrl });
    const opened = await client.openSession({ username: "TR", title: "A title" });
    const sessionId = opened.session_id;
    expect(await client.turnState(sessionId)).toBeUndefined();
    expect(await Array.fromAsync(client.follow(sessionId))).toEqual([]);
    const first = await client.send(sessionId, "Say 1!");
    expect(first.turn).toBe(1);
    const { text, status } = await readToEnd(first);
    expect(status).toBe("completed");
    expect(await client.turnState(sessionId, { turn: 1 })).toMatchObject({ turn: 1, status, answer: text });
    expect((await readToEnd(client.follow(sessionId))).text).toBe(text);
    await readToEnd(await client.send(sessionId, "Say 2!"));
    const page = await client.history(sessionId, { limit: 1, before: 2 });
    expect(page.message_history.map(({ content }) => content)).toEqual(["Say 1!", text]);
    expect(await client.stop(sessionId)).toMatchObject({ turn: 2, status: "completed" });
    expect(await client.stop(sessionId, { turn: 1 })).toEqual({ turn: 1, status: "completed", answer: text });
    expect(await client.readSession(sessionId)).toMatchObject({ title: "A title", turns: 2, state: "idle" });
    expect((await client.openSession({ username: "TR" })).token).toBe(opened.token);
    await client.deleteSession(sessionId);
    await expect(client.readSession(sessionId)).rejects.toMatchObject({
      code: "session_not_found",
      status: 404,
      detail: `Invalid session id: ${sessionId}`,
      retryable: false,
    });
  });

  it("what is wrong with a prompt is told with its fields", async () => {
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    await expect(direct.send(sessionId, "")).rejects.toMatchObject({
      code: "invalid_request",
      status: 422,
      errors: [{ path: "payload" }],
    });
  });

  it("a running answer can be stopped by another client, and its follower is told", async () => {
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    const answer = await direct.send(sessionId, silentPrompt);
    const following = readToEnd(answer);
    const stopped = await new ChatClient({ baseUrl: service.baseUrl }).stop(sessionId, { turn: answer.turn });
    expect(stopped).toMatchObject({ turn: 1, status: "stopped" });
    expect(await following).toMatchObject({ status: "stopped", text: stopped.answer });
  });

  it("E1: a prompt whose answer is lost before its headers is sent again, and makes one turn", async () => {
    const proxy = await startTcpProxy(Number(new URL(service.baseUrl).port));
    const client = new ChatClient({ baseUrl: proxy.url, maxDelayMs: 20 });
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    proxy.plan((index) => (index < 3 ? { cutAfterBytes: 1 + index * 100 } : {}));
    const answer = await client.send(sessionId, "Say 7!");
    expect(answer).toMatchObject({ turn: 1, replayed: true });
    expect(await readToEnd(answer)).toMatchObject({ status: "completed" });
    expect(proxy.connectionCount).toBe(4);
    expect((await direct.readSession(sessionId)).turns).toBe(1);
    await proxy.close();
  });

  it("E5, E15: ifBusy and ifTurn decide what a prompt does beside others", async () => {
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    const running = await direct.send(sessionId, silentPrompt, { ifTurn: 0 });
    await expect(direct.send(sessionId, "Say 1!")).rejects.toMatchObject({ code: "turn_in_progress", turn: 1 });
    await expect(direct.send(sessionId, "Say 1!", { ifTurn: 0 })).rejects.toMatchObject({
      code: "stale_turn",
      turn: 1,
    });
    const queued = await direct.send(sessionId, "Say 1!", { ifBusy: "queue" });
    expect(queued.turn).toBe(2);
    expect(await direct.turnState(sessionId, { turn: 2 })).toMatchObject({ status: "queued" });
    const urgent = await direct.send(sessionId, "Say 2!", { ifBusy: "interrupt" });
    const ends = await Promise.all([running, urgent, queued].map((answer) => readToEnd(answer)));
    expect(ends.map(({ status }) => status)).toEqual(["stopped", "completed", "completed"]);
  });

  it("replaces, regenerate and continue make new turns in the place of old ones, or after them", async () => {
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    await readToEnd(await direct.send(sessionId, "Say 1!"));
    const edited = await direct.send(sessionId, "Say 2!", { replaces: 1 });
    const editedText = (await readToEnd(edited)).text;
    const again = await direct.regenerate(sessionId, { ifTurn: 2 });
    const events = await Array.fromAsync(again);
    expect(events[0]).toMatchObject({ type: "turn", turn: 3, replaces: 2 });
    expect(events.reduce(textAfter, "")).toBe(editedText);
    const { message_history: messages } = await direct.history(sessionId);
    expect(messages.map(({ content }) => content)).toEqual(["Say 2!", editedText]);
    await expect(direct.continue(sessionId)).rejects.toMatchObject({ code: "not_continuable", status: 409 });
  });

  it("continue goes on with an answer that was stopped", async () => {
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    const stopped = await direct.send(sessionId, haltingPrompt);
    for await (const event of stopped) if (event.type === "text") break;
    const { status, answer } = await direct.stop(sessionId, { turn: 1 });
    expect(status).toBe("stopped");
    const rest = await Array.fromAsync(await direct.continue(sessionId));
    expect(rest[0]).toMatchObject({ type: "turn", turn: 2, continues: 1 });
    const { message_history: messages } = await direct.history(sessionId);
    expect(messages[1]).toMatchObject({ content: answer + rest.reduce(textAfter, ""), continued_by: 2 });
  });
});

describe("F1: a service that dies and comes back", () => {
  it("is asked for the rest, and ends the answer once", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "chat-client-"));
    const environment = { STORAGE_URL: `sqlite:${path.join(directory, "chat.db")}`, DEMO_WORD_DELAY_MS: "5" };
    let mortal = await startService(environment);
    const proxy = await startTcpProxy(Number(new URL(mortal.baseUrl).port));
    try {
      const client = new ChatClient({ baseUrl: proxy.url, maxDelayMs: 100 });
      const { session_id: sessionId } = await client.openSession({ username: "TR" });
      const events: ChatEvent[] = [];
      const following = (async () => {
        for await (const event of await client.send(sessionId, "Tell me a story.")) events.push(event);
      })();
      await expect.poll(() => events.length).toBeGreaterThan(5);
      await mortal.end("SIGKILL");
      await delay(100);
      mortal = await startService(environment);
      proxy.target(Number(new URL(mortal.baseUrl).port));
      await following;
      expect(countsOf(events)).toMatchObject({ turn: 1, end: 1 });
      const { message_history: messages } = await client.history(sessionId);
      expect(messages[1]?.content).toBe(events.reduce(textAfter, ""));
    } finally {
      await proxy.close();
      await mortal.end("SIGTERM");
      await rm(directory, { recursive: true });
    }
  });
});
