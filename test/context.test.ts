/**
 * The whole service and what it sends of a conversation: within a budget of tokens, newest turns first, and less of it
 * when a model refuses it as too long (faults.md D7, D8, D30), with usage where the server told none (D39).
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { maxPayloadBytes } from "../src/protocol/chat.ts";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { openSession, problemOf, type ReceivedEvent, receive, send, textOf } from "./helpers/client.ts";
import { canary, type FakeProvider, type ProviderExchange, startFakeProvider } from "./helpers/fake-provider.ts";

let provider: FakeProvider;

beforeAll(async () => {
  provider = await startFakeProvider();
  provider.model("repeat", (exchange) => exchange.answer([exchange.prompt]));
});
afterAll(() => provider.close());

/** Four tokens, by the vocabulary as well as by the rule of thumb. */
const systemPrompt = "the the the the";

/** Each is four bytes and one token, so that the vocabulary and the rule of thumb agree to the token. */
const words = [" the", " and", " for", " one", " two", " six", " ten", " man", " way", " day"];

/** A text of so many tokens that differs for each number. */
function numbered(number: number, tokens: number): string {
  const digits = [...`${number}`.padStart(4, "0")].map((digit) => words[Number(digit)]);
  return digits.join("") + " the".repeat(tokens - digits.length);
}

/** What a chat costs around its texts: three tokens for the answer's beginning, four for each message. */
function tokensOf(...messages: readonly number[]): number {
  return messages.reduce((sum, tokens) => sum + 4 + tokens, 3);
}

async function withApp(environment: Record<string, string>, use: (app: TestApp) => Promise<void>): Promise<void> {
  const app = await startTestApp({
    OPENAI_BASE_URL: provider.baseUrl,
    SYSTEM_PROMPT: systemPrompt,
    ...environment,
  });
  try {
    await use(app);
  } finally {
    await app.close();
    expect(app.log.join("")).not.toContain("CANARY");
  }
}

type Answer = {
  readonly events: readonly ReceivedEvent[];
  readonly turn: Record<string, unknown>;
  readonly end: Record<string, unknown>;
};

async function ask(app: TestApp, sessionId: string, payload: string): Promise<Answer> {
  const raw = await (await send(app.baseUrl, sessionId, payload)).text();
  expect(raw).not.toContain("CANARY");
  const events = await Array.fromAsync(receive(new Response(raw)));
  return { events, turn: events[0]?.data ?? {}, end: events.at(-1)?.data ?? {} };
}

/** Opens a session and fills it with turns of a prompt and an answer of so many tokens each. */
async function sessionOf(app: TestApp, turns: number, tokens: number): Promise<string> {
  const { sessionId } = await openSession(app.baseUrl);
  for (let turn = 1; turn <= turns; turn += 1) {
    const response = await send(app.baseUrl, sessionId, numbered(turn, tokens), { accept: "application/json" });
    expect(await response.json()).toMatchObject({ status: "completed" });
  }
  return sessionId;
}

/** The messages of the newest turns of such a session, then a prompt. */
function expectedMessages(turns: number, tokens: number, kept: number, prompt: string) {
  const newest = Array.from({ length: kept }, (_, index) => numbered(turns - kept + 1 + index, tokens));
  return [
    { role: "system", content: systemPrompt },
    ...newest.flatMap((text) => [
      { role: "user", content: text },
      { role: "assistant", content: text },
    ]),
    { role: "user", content: prompt },
  ];
}

function sent(since: number) {
  return provider.requests.slice(since).map(({ messages }) => messages);
}

describe("a conversation that outgrows the budget", () => {
  test("goes to the model as its newest turns, each whole, and the turn event tells how many were left out", async () => {
    await withApp({ OPENAI_MODEL: "repeat", CONTEXT_TOKENS: "2000" }, async (app) => {
      const sessionId = await sessionOf(app, 100, 50);
      const before = provider.requests.length;
      const prompt = numbered(101, 50);
      const { turn, end } = await ask(app, sessionId, prompt);
      // 17 turns of 108 tokens fit beside what is always sent, 18 would not.
      expect(tokensOf(4, 50) + 17 * 108).toBeLessThanOrEqual(2_000);
      expect(tokensOf(4, 50) + 18 * 108).toBeGreaterThan(2_000);
      expect(sent(before)).toEqual([expectedMessages(100, 50, 17, prompt)]);
      expect(turn).toMatchObject({ turn: 101, trimmed_turns: 83 });
      expect(end).toMatchObject({ status: "completed" });
      expect(end).not.toHaveProperty("trimmed_turns");
    });
  });

  test("keeps the system prompt and the prompt even when they alone are beyond it", async () => {
    await withApp({ OPENAI_MODEL: "repeat", CONTEXT_TOKENS: "256" }, async (app) => {
      const sessionId = await sessionOf(app, 2, 10);
      const before = provider.requests.length;
      const prompt = numbered(3, 1_000);
      const { turn, end } = await ask(app, sessionId, prompt);
      expect(sent(before)).toEqual([expectedMessages(2, 10, 0, prompt)]);
      expect(turn).toMatchObject({ trimmed_turns: 2 });
      expect(end).toMatchObject({ status: "completed" });
    });
  });

  test("fits the window that the server lists, with room for the answer, and 16,000 tokens where it lists none", async () => {
    provider.listModels((response) => response.end(JSON.stringify({ data: [{ id: "repeat", max_model_len: 1_000 }] })));
    await withApp({}, async (app) => {
      const sessionId = await sessionOf(app, 8, 50);
      const before = provider.requests.length;
      const { turn } = await ask(app, sessionId, numbered(9, 50));
      // Three quarters of 1,000.
      expect(tokensOf(4, 50) + 6 * 108).toBeLessThanOrEqual(750);
      expect(sent(before)).toEqual([expectedMessages(8, 50, 6, numbered(9, 50))]);
      expect(turn).toMatchObject({ trimmed_turns: 2 });
    });
    provider.listModels(["repeat"]);
    await withApp({}, async (app) => {
      const sessionId = await sessionOf(app, 5, 2_000);
      const { turn } = await ask(app, sessionId, numbered(6, 50));
      expect(tokensOf(4, 50) + 3 * 4_008).toBeLessThanOrEqual(16_000);
      expect(turn).toMatchObject({ trimmed_turns: 2 });
    });
  });

  test.each([
    ["emoji", "😀"],
    ["CJK", "世界和平"],
    ["special tokens", "<|endoftext|>"],
    ["spaces", " "],
  ])("is counted soon and beside the event loop when the prompt is 64 KiB of %s", async (_, unit) => {
    await withApp({ OPENAI_MODEL: "word-list" }, async (app) => {
      const { sessionId } = await openSession(app.baseUrl);
      await ask(app, sessionId, "Hello");
      const prompt = `Hi. ${unit.repeat(Math.floor((maxPayloadBytes - 4) / Buffer.byteLength(unit)))}`;
      const delays = monitorEventLoopDelay({ resolution: 5 });
      delays.enable();
      const started = performance.now();
      const { end } = await ask(app, sessionId, prompt);
      const took = performance.now() - started;
      delays.disable();
      expect(end).toMatchObject({ status: "completed" });
      expect(provider.requests.at(-1)?.messages.at(-1)?.content).toBe(prompt);
      expect(took).toBeLessThan(10_000);
      expect(delays.max / 1e6).toBeLessThan(1_000);
    });
  });
});

/** How servers refuse what is too long. Each is told in its name for the model. */
const refusals: Readonly<Record<string, (exchange: ProviderExchange) => void>> = {
  openai: (exchange) => exchange.error(400, { code: "context_length_exceeded" }),
  proxy: (exchange) => exchange.error(413),
  vllm: (exchange) => exchange.error(400, { code: 400, type: "BadRequestError", param: "input_tokens" }),
  "llama-before-numbers": (exchange) => exchange.error(400, { code: 400, type: "exceed_context_size_error" }),
  "in-stream": (exchange) => {
    exchange.event(JSON.stringify({ error: { message: canary, code: "context_length_exceeded" } }));
    exchange.end();
  },
  "in-stream-old-llama": (exchange) => {
    exchange.raw(`error: ${JSON.stringify({ code: 400, message: canary, type: "exceed_context_size_error" })}\n\n`);
    exchange.end();
  },
};

/** A model that refuses conversations of more than so many messages. */
function refusing(name: string, maxMessages: number, refuse: (exchange: ProviderExchange) => void): string {
  provider.model(name, (exchange) => {
    if (exchange.request.messages.length > maxMessages) refuse(exchange);
    else exchange.answer([exchange.prompt]);
  });
  return name;
}

describe("a model that refuses a conversation as too long (D7, D8)", () => {
  test.each(Object.keys(refusals))(
    "is asked exactly once more, with the newest turns that fit half of it, and not again for that: %s",
    async (kind) => {
      const refuse = refusals[kind] as (exchange: ProviderExchange) => void;
      await withApp({ OPENAI_MODEL: refusing(`refusing-${kind}`, 8, refuse) }, async (app) => {
        const sessionId = await sessionOf(app, 4, 20);
        const before = provider.requests.length;
        const prompt = numbered(5, 20);
        const { turn, end, events } = await ask(app, sessionId, prompt);
        // Ten messages: the system prompt, four turns, the prompt. 227 tokens were sent: 113 hold the 35 that are always sent and one turn of 48.
        expect(tokensOf(4, 20) + 4 * 48).toBe(227);
        expect(sent(before)).toEqual([expectedMessages(4, 20, 4, prompt), expectedMessages(4, 20, 1, prompt)]);
        expect(textOf(events)).toBe(prompt);
        expect(turn).not.toHaveProperty("trimmed_turns");
        expect(end).toMatchObject({ status: "completed", trimmed_turns: 3 });

        const next = await ask(app, sessionId, numbered(6, 20));
        expect(sent(before + 2)).toEqual([expectedMessages(5, 20, 1, numbered(6, 20))]);
        expect(next.turn).toMatchObject({ trimmed_turns: 4 });
        expect(next.end).not.toHaveProperty("trimmed_turns");
        const history = await (await fetch(`${app.baseUrl}/chat_history/${sessionId}`)).json();
        const { message_history: messages } = history as {
          message_history: { role: string; trimmed_turns?: number }[];
        };
        const trimmed = messages.filter(({ role }) => role === "assistant").map((message) => message.trimmed_turns);
        expect(trimmed).toEqual([undefined, undefined, undefined, undefined, 3, 4]);
        expect(app.log.filter((line) => line.includes("refused a conversation as too long"))).toHaveLength(1);
      });
    },
  );

  test("gets what it said it takes, where its error has numbers, and so do other sessions from then on", async () => {
    const refuse = (exchange: ProviderExchange) =>
      exchange.error(400, { code: 400, type: "exceed_context_size_error", n_ctx: 240, n_prompt_tokens: 227 });
    await withApp({ OPENAI_MODEL: refusing("llama-with-numbers", 8, refuse) }, async (app) => {
      const sessionId = await sessionOf(app, 4, 20);
      const before = provider.requests.length;
      const { end } = await ask(app, sessionId, numbered(5, 20));
      // Three quarters of 240 are 180: three turns of 48 fit beside the 35 that are always sent.
      const [, again] = sent(before);
      expect(again).toEqual(expectedMessages(4, 20, 3, numbered(5, 20)));
      expect(end).toMatchObject({ status: "completed", trimmed_turns: 1 });
      const other = await sessionOf(app, 4, 20);
      const { turn } = await ask(app, other, numbered(5, 20));
      expect(turn).toMatchObject({ trimmed_turns: 1 });
      expect(provider.requests.length).toBe(before + 2 + 5);
    });
  });

  test("and refuses the rest as well fails the turn: asked twice and no more, and the sizes are told", async () => {
    const refuse = refusals["openai"] as (exchange: ProviderExchange) => void;
    await withApp({ OPENAI_MODEL: refusing("never-content", 8, refuse) }, async (app) => {
      const sessionId = await sessionOf(app, 4, 20);
      const before = provider.requests.length;
      provider.model("never-content", refuse);
      const prompt = numbered(5, 20);
      const { end, events } = await ask(app, sessionId, prompt);
      expect(sent(before)).toEqual([expectedMessages(4, 20, 4, prompt), expectedMessages(4, 20, 1, prompt)]);
      expect(events.map(({ type }) => type)).toEqual(["turn", "error", "end"]);
      expect(events[1]?.data).toMatchObject({
        code: "context_too_long",
        message: "The conversation takes about 83 tokens, more than the model takes.",
      });
      expect(end).toMatchObject({ status: "failed", trimmed_turns: 3 });
    });
  });

  test("is not asked again where no turn is left to leave out: 422 with the sizes, in our words", async () => {
    const details: unknown[] = [];
    for (const numbers of [{}, { n_ctx: 4_096, n_prompt_tokens: 5_214 }]) {
      const refuse = (exchange: ProviderExchange) =>
        exchange.error(400, { code: 400, type: "exceed_context_size_error", ...numbers });
      await withApp({ OPENAI_MODEL: refusing("small", 1, refuse) }, async (app) => {
        const before = provider.requestCount;
        const { sessionId } = await openSession(app.baseUrl);
        const response = await send(app.baseUrl, sessionId, numbered(1, 5_000), { accept: "application/json" });
        const problem = await problemOf(response);
        expect(problem).toMatchObject({ status: 422, code: "context_too_long", turn: 1, retryable: false });
        expect(JSON.stringify(problem)).not.toContain("CANARY");
        expect(provider.requestCount).toBe(before + 1);
        details.push(problem["detail"]);
      });
    }
    expect(details).toEqual([
      "The conversation takes about 5,000 tokens, more than the model takes.",
      "The conversation takes about 5,200 tokens, the model takes 4,096 with its answer.",
    ]);
  });

  test("but has begun to answer is not asked again: its text stands", async () => {
    provider.model("late-refusal", (exchange) => {
      if (exchange.request.messages.length < 4) return exchange.answer([exchange.prompt]);
      exchange.text("The ");
      exchange.event(JSON.stringify({ error: { message: canary, code: "context_length_exceeded" } }));
      return exchange.end();
    });
    await withApp({ OPENAI_MODEL: "late-refusal" }, async (app) => {
      const sessionId = await sessionOf(app, 1, 20);
      const before = provider.requestCount;
      const { end, events } = await ask(app, sessionId, numbered(2, 20));
      expect(textOf(events)).toBe("The ");
      expect(end).toMatchObject({ status: "incomplete", reason: "upstream_error" });
      expect(provider.requestCount).toBe(before + 1);
    });
  });

  test("D30: or ends for length without a word is not asked again, and the sizes are told", async () => {
    provider.model("full", (exchange) =>
      exchange.request.messages.length < 4 ? exchange.answer([exchange.prompt]) : exchange.answer([], "length"),
    );
    await withApp({ OPENAI_MODEL: "full" }, async (app) => {
      const sessionId = await sessionOf(app, 1, 20);
      const before = provider.requestCount;
      const { end, events } = await ask(app, sessionId, numbered(2, 20));
      expect(events[1]?.data).toMatchObject({
        code: "context_too_long",
        message: "The conversation takes about 83 tokens, more than the model takes.",
      });
      expect(end).toMatchObject({ status: "failed" });
      expect(provider.requestCount).toBe(before + 1);
    });
  });
});

describe("an answer that its server did not count (D39)", () => {
  test.each([
    [1, 200],
    [2, 12_000],
  ])("has an estimated usage, the whole conversation and the answer: %d", async (number, tokens) => {
    const answer = numbered(number, tokens);
    provider.model("uncounted", (exchange) => {
      for (let at = 0; at < answer.length; at += 1_000) exchange.text(answer.slice(at, at + 1_000));
      exchange.finish();
      if (exchange.request.messages.length > 3) exchange.usage(-1, 2e9);
      exchange.done();
      exchange.end();
    });
    await withApp({ OPENAI_MODEL: "uncounted" }, async (app) => {
      const { sessionId } = await openSession(app.baseUrl);
      const first = await ask(app, sessionId, numbered(1, 20));
      const usage = { input_tokens: tokensOf(4, 20), output_tokens: tokens, estimated: true };
      expect(first.end).toMatchObject({ status: "completed", usage });
      const second = await ask(app, sessionId, numbered(2, 20));
      const all = { ...usage, input_tokens: tokensOf(4, 20, tokens, 20) };
      expect(second.end).toMatchObject({ status: "completed", usage: all });
    });
  });

  test("has one where the model ended it early, and none where it broke off", async () => {
    provider.model("cut-by-length", (exchange) => {
      exchange.text(numbered(1, 10));
      exchange.finish("length");
      exchange.done();
      exchange.end();
    });
    provider.model("broken-off", (exchange) => {
      exchange.text(numbered(1, 10));
      exchange.end();
    });
    for (const [model, usage] of [
      ["cut-by-length", { input_tokens: tokensOf(4, 20), output_tokens: 10, estimated: true }],
      ["broken-off", null],
    ] as const) {
      await withApp({ OPENAI_MODEL: model }, async (app) => {
        const { sessionId } = await openSession(app.baseUrl);
        const { end } = await ask(app, sessionId, numbered(1, 20));
        expect(end).toMatchObject({ status: "incomplete", usage });
      });
    }
  });
});
