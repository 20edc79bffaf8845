/** The game in the chat: with the demo model, with a model that calls tools, and with one that refuses them. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type GameCard, gameCardSchema } from "../src/protocol/trivia.ts";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { ask, openSession, type ReceivedEvent, readHistory, receive, send, textOf } from "./helpers/client.ts";
import { isToldResults, triviaHost } from "./helpers/fake-provider/trivia-host.ts";
import { type FakeProvider, startFakeProvider } from "./helpers/fake-provider.ts";
import { startRedisServer } from "./helpers/redis-server.ts";
import { type Service, startService } from "./helpers/service.ts";

/** The cards that were shown, each with how its event was called. */
function cardsIn(events: readonly ReceivedEvent[]): GameCard[] {
  const tools = events.filter(({ type }) => type === "tool");
  expect(tools.map(({ data }) => data["status"])).toEqual(tools.map(() => "done"));
  return tools.map(({ data }) => gameCardSchema.parse(data["result"]));
}

function onlyCard(events: readonly ReceivedEvent[]): GameCard {
  const [card, ...others] = cardsIn(events);
  if (card === undefined || others.length > 0) throw new Error(`There are ${others.length + 1} cards`);
  return card;
}

const namesIn = (events: readonly ReceivedEvent[]) => events.map(({ type }) => type).filter((type) => type !== "text");
const end = (events: readonly ReceivedEvent[]) => events.at(-1)?.data;

describe("with the demo model", () => {
  let app: TestApp;
  let sessionId: string;
  const say = (prompt: string) => ask(app.baseUrl, sessionId, prompt);

  beforeAll(async () => {
    app = await startTestApp({});
  });
  afterAll(() => app.close());
  afterEach(async () => {
    await say("stop the game");
  });

  async function begin(prompt: string): Promise<ReceivedEvent[]> {
    ({ sessionId } = await openSession(app.baseUrl));
    return say(prompt);
  }

  test("a round is played by typing, and every answer is told with its source", async () => {
    const started = await begin("Let's play 90s sitcom trivia with 3 questions");
    expect(namesIn(started)).toEqual(["turn", "tool", "end"]);
    const first = onlyCard(started);
    expect(first).toMatchObject({ verdict: null, game: { status: "playing", questions: 3, question: { number: 1 } } });
    expect(textOf(started)).toContain(first.game.question?.show_title);
    for (const { text } of first.game.question?.options ?? []) expect(textOf(started)).toContain(`) ${text}`);

    for (const number of [1, 2, 3]) {
      const events = await say("b");
      expect(namesIn(events)).toEqual(["turn", "tool", "sources", "end"]);
      expect(end(events)).toMatchObject({ status: "completed" });
      const { verdict, game } = onlyCard(events);
      expect(verdict).toMatchObject({ number, given: "b" });
      expect(textOf(events)).toMatch(verdict?.correct ? /^\*\*Right!\*\*/ : /^\*\*(?:Wrong|Too late)/);
      expect(textOf(events)).toContain(verdict?.evidence.licence);
      const named = events.find(({ type }) => type === "sources")?.data["sources"];
      expect(named).toMatchObject([{ url: verdict?.evidence.url, licence: verdict?.evidence.licence }]);
      expect(game.status).toBe(number === 3 ? "finished" : "playing");
      if (number === 3) expect(game.verdicts).toHaveLength(3);
    }
  });

  test("ordinary talk stays ordinary talk, and does nothing to the game", async () => {
    const { game } = onlyCard(await begin("quiz me on Frasier"));
    expect(game.show).toBe("frasier");
    const talk = await say("What is my name?");
    expect(namesIn(talk)).toEqual(["turn", "end"]);
    expect(textOf(talk)).toContain("Your name is TR.");
    expect(onlyCard(await say("a"))).toMatchObject({ verdict: { number: 1 } });
  });

  test("help is given for the open question, and the end told", async () => {
    await begin("play trivia");
    const helped = await say("hint");
    const { game } = onlyCard(helped);
    expect(game.question?.hint).toBeTruthy();
    expect(textOf(helped)).toContain("Hint: ");
    const stopped = await say("stop");
    expect(onlyCard(stopped)).toMatchObject({ game: { status: "stopped", question: null } });
    expect(textOf(stopped)).toContain("The game is stopped");
    expect(namesIn(await say("b"))).toEqual(["turn", "end"]);
  });

  test("a show that nobody knows is told, with those that are known", async () => {
    const events = await begin("quiz me on The Simpsons");
    expect(events.find(({ type }) => type === "tool")?.data).toMatchObject({
      name: "start_trivia",
      status: "failed",
      result: { code: "show_not_found" },
    });
    expect(textOf(events)).toContain("Frasier");
    expect(end(events)).toMatchObject({ status: "completed" });
  });

  test("the same cards come again: by resuming at any event, in history, and to who waits for JSON", async () => {
    await begin("play trivia");
    const response = await send(app.baseUrl, sessionId, "a", { accept: "application/json" });
    const waited = (await response.json()) as Record<"turn" | "answer" | "status" | "tools" | "sources", unknown>;
    expect(waited).toMatchObject({ turn: 2, status: "completed" });
    const read = async (after: string) =>
      Array.fromAsync(receive(await fetch(`${app.baseUrl}/chat/${sessionId}/2?after=${after}`)));
    const whole = await read("-1");
    expect(textOf(whole)).toBe(waited.answer);
    for (const [index, { id }] of whole.slice(0, -1).entries()) {
      expect(await read(id ?? "")).toEqual(whole.slice(index + 1));
    }
    const { call_id, name, status, result } = whole.find(({ type }) => type === "tool")?.data ?? {};
    const history = await readHistory(app.baseUrl, sessionId);
    expect(history.at(-1)).toMatchObject({
      role: "assistant",
      content: waited.answer,
      tools: [{ call_id, name, status, result }],
      sources: waited.sources,
    });
    expect(waited).toMatchObject({
      tools: [{ call_id, name, status, result }],
      sources: whole.find(({ type }) => type === "sources")?.data["sources"],
    });
  });

  test("the game is the one that HTTP knows, and is answered there as well", async () => {
    const { game } = onlyCard(await begin("play trivia"));
    const answer = await fetch(`${app.baseUrl}/trivia/games/${game.game_id}/answers`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number: 1, answer: "a" }),
    });
    expect(answer.status).toBe(200);
    expect(onlyCard(await say("a"))).toMatchObject({ verdict: { number: 2 }, game: { game_id: game.game_id } });
  });

  test("an answer that is asked for again is told again, and graded once", async () => {
    await begin("play trivia");
    const told = onlyCard(await say("a"));
    const again = await Array.fromAsync(
      receive(await fetch(`${app.baseUrl}/chat/${sessionId}/regenerate`, { method: "POST" })),
    );
    expect(onlyCard(again)).toEqual(told);
    const game = await fetch(`${app.baseUrl}/trivia/games/${told.game.game_id}`);
    expect(await game.json()).toMatchObject({ answered: 1 });
  });
});

describe("with a model server", () => {
  let provider: FakeProvider;
  const open: { end?(signal: NodeJS.Signals): Promise<unknown>; close?(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    provider = await startFakeProvider();
    provider.model("host", triviaHost);
    provider.model("no-tools", (exchange) =>
      exchange.request.body["tools"] === undefined
        ? exchange.answer(["Just talk."])
        : exchange.json(400, { error: { message: "no-tools does not support tools", type: "api_error" } }),
    );
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await (each.close?.() ?? each.end?.("SIGKILL"));
  });
  afterAll(() => provider.close());

  async function start(model: string): Promise<TestApp> {
    const app = await startTestApp({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: model, TRIVIA_MODEL: "off" });
    open.push(app);
    return app;
  }

  test("a model that calls tools plays the same game in its own words", async () => {
    const { baseUrl } = await start("host");
    const { sessionId } = await openSession(baseUrl);
    const started = await ask(baseUrl, sessionId, "Some trivia, please");
    expect(namesIn(started)).toEqual(["turn", "tool", "end"]);
    const { game } = onlyCard(started);
    expect(textOf(started)).toMatch(/^Let us see\.\n\nAnd the host says: /);
    expect(textOf(started)).toContain(JSON.stringify(game.question?.question));
    expect(end(started)).toMatchObject({ status: "completed", usage: { input_tokens: 42 } });

    const talk = await ask(baseUrl, sessionId, "How are you?");
    expect(textOf(talk)).toBe("Just talk.");

    const response = await send(baseUrl, sessionId, "b", { accept: "application/json" });
    expect(await response.json()).toMatchObject({ status: "completed", answer: expect.stringContaining('"verdict"') });
    const finished = onlyCard(await ask(baseUrl, sessionId, "c"));
    expect(finished).toMatchObject({ verdict: { number: 2, given: "c" }, game: { status: "finished" } });

    const before = provider.requestCount;
    await ask(baseUrl, sessionId, "Thank you.");
    expect(provider.requests[before]?.body).not.toHaveProperty("tools");
    expect(provider.requests[before]?.messages[0]?.content).not.toContain("trivia");
  });

  test("a model that refuses tools is asked with them once, and the game is played by plain rules", async () => {
    const { baseUrl } = await start("no-tools");
    const { sessionId } = await openSession(baseUrl);
    const before = provider.requestCount;
    const started = await ask(baseUrl, sessionId, "play trivia");
    expect(onlyCard(started).game.status).toBe("playing");
    expect(textOf(started)).toMatch(/^\*\*Question 1 of 10\*\*/);
    expect(onlyCard(await ask(baseUrl, sessionId, "b")).verdict).toMatchObject({ number: 1, given: "b" });
    expect(provider.requestCount - before).toBe(1);
    expect(textOf(await ask(baseUrl, sessionId, "How are you?"))).toBe("Just talk.");
    expect(provider.requests.slice(before).map(({ body }) => body["tools"] !== undefined)).toEqual([true, false]);
  });

  describe.each(["SQLite", "Redis"])("E18: killed with kill -9 over a move, on %s", (kind) => {
    let directory: string;
    let redis: Awaited<ReturnType<typeof startRedisServer>> | undefined;
    let storage: string;

    beforeAll(async () => {
      directory = await mkdtemp(path.join(tmpdir(), "chat-trivia-"));
      redis = kind === "Redis" ? await startRedisServer() : undefined;
      storage = redis?.url ?? `sqlite:${path.join(directory, "chat.db")}`;
    });
    afterAll(async () => {
      await redis?.close();
      await rm(directory, { recursive: true, force: true });
    });

    async function serve(model: string): Promise<Service> {
      const service = await startService({
        OPENAI_BASE_URL: provider.baseUrl,
        OPENAI_MODEL: model,
        STORAGE_URL: storage,
        TRIVIA_MODEL: "off",
      });
      open.push(service);
      return service;
    }

    test("the move is made once, its card comes once, and the answer is finished", async () => {
      // Tells what came of a call only to the second process.
      const heard = Promise.withResolvers<void>();
      let isSecond = false;
      provider.model("hanging-host", (exchange) => {
        if (!isToldResults(exchange) || isSecond) return triviaHost(exchange);
        exchange.text("And th");
        heard.resolve();
        return exchange.silence();
      });
      const first = await serve("host");
      const { sessionId } = await openSession(first.baseUrl);
      const { game } = onlyCard(await ask(first.baseUrl, sessionId, "trivia"));
      await first.end("SIGTERM");

      const second = await serve("hanging-host");
      const seen: ReceivedEvent[] = [];
      const following = (async () => {
        for await (const event of receive(await send(second.baseUrl, sessionId, "b"))) seen.push(event);
      })().catch(() => undefined);
      await heard.promise;
      await expect.poll(() => namesIn(seen)).toContain("sources");
      await second.end("SIGKILL");
      await following;
      isSecond = true;

      const third = await serve("hanging-host");
      const read = async (after: string) =>
        Array.fromAsync(receive(await fetch(`${third.baseUrl}/chat/${sessionId}/2?after=${after}`)));
      const rest = await read(seen.at(-1)?.id ?? "-1");
      const whole = await read("-1");
      expect(textOf([...seen, ...rest])).toBe(textOf(whole));
      expect(end(whole)).toMatchObject({ status: "completed" });
      expect(textOf(whole)).toMatch(/^And the host says: .*"verdict"/);
      expect(onlyCard(whole)).toEqual(onlyCard(seen));
      const known = await fetch(`${third.baseUrl}/trivia/games/${game.game_id}`);
      expect(await known.json()).toMatchObject({ answered: 1, question: { number: 2 } });
    });
  });
});
