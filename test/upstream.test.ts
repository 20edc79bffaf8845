/**
 * The whole service before a model server that does everything wrong that model servers do (faults.md, group D): what
 * the three shapes of an answer say, that the stored dialogue says the same, and that nothing of the server's own words
 * or of the key gets anywhere. What the service does about a server that stays away is in faults/outage.test.ts.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import {
  type Asked,
  askAsEvents,
  askInEveryShape,
  dialogue,
  expectedDialogue,
  newSession,
  prompt,
  type ThreeApps,
} from "./helpers/asking.ts";
import { ask, problemOf, receive, send, textOf } from "./helpers/client.ts";
import { multilingualText, scriptNames } from "./helpers/fake-provider/scripts.ts";
import { canary, type FakeProvider, type ProviderExchange, startFakeProvider } from "./helpers/fake-provider.ts";

/** Holds the same word as the provider's canary, so that one look finds either. */
const key = "sk-CANARY-key-51d0";

let provider: FakeProvider;

beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

/** Runs the service on the provider's model, lets the test use it, and looks for leaks in everything it logged. */
async function withApp<Result>(
  environment: Record<string, string>,
  use: (app: TestApp) => Promise<Result>,
): Promise<Result> {
  const app = await startTestApp({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: key, ...environment });
  try {
    return await use(app);
  } finally {
    await app.close();
    expect(app.log.join("")).not.toContain("CANARY");
  }
}

/** Runs the service three times, one for each shape of an answer. */
async function withThreeApps<Result>(
  environment: Environment,
  use: (apps: ThreeApps) => Promise<Result>,
): Promise<Result> {
  return withApp(environment, (one) =>
    withApp(environment, (two) => withApp(environment, (three) => use([one, two, three]))),
  );
}

/**
 * Asks in every shape: one service, unless the failure of an answer counts against the others. A server that is asked again
 * for each of three has its breaker opened, and a key that is refused is held.
 */
async function askAllOf(environment: Environment, failsOthers: boolean): Promise<Asked> {
  return failsOthers ? withThreeApps(environment, askInEveryShape) : withApp(environment, askInEveryShape);
}

function requestsFor(model: string): number {
  return provider.requests.filter((request) => request.model === model).length;
}

const sentence = "The quick brown fox jumps over the lazy dog.";
const begun = "The quick brown ";

/** Each timer where a row needs it short; everywhere else the defaults, so that no slow machine fails a row. */
const short = {
  headers: { MODEL_HEADERS_TIMEOUT_SECONDS: "0.4" },
  firstToken: { MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "0.4", MODEL_HEADERS_TIMEOUT_SECONDS: "20" },
  gap: { MODEL_GAP_TIMEOUT_SECONDS: "0.4" },
  turn: { TURN_TIME_LIMIT_SECONDS: "0.6" },
};

const noRetries = { MODEL_RETRIES: "0" };
type Environment = Record<string, string>;

/** `counted`: whether the server told the tokens, or we had to estimate them (D39). */
type CompletedRow = readonly [id: string, model: string, answer: string, finishReason: string, counted: boolean];

const completedRows: readonly CompletedRow[] = [
  ["P9", "echo", prompt, "stop", true],
  ["P9", "word-list", sentence, "stop", true],
  ["P9", "paced-20-5", `${sentence}${sentence}The quick `, "stop", true],
  ["P9", "burst-1000", `${sentence.repeat(111)}The `, "stop", true],
  ["D23", "done-without-finish", sentence, "unspecified", false],
  ["D24", "finish-without-done", sentence, "stop", false],
  ["D24", "finish-then-open", sentence, "stop", false],
  ["D24", "done-then-open", sentence, "stop", false],
  ["D25", "late-usage", sentence, "stop", true],
  ["D33", "json-completion", sentence, "stop", true],
  ["D36", "utf8-split", multilingualText, "stop", true],
  ["D36", "crlf-bom", sentence, "stop", true],
  ["D36", "cr-only", sentence, "unspecified", false],
  ["D37", "odd-fields", sentence, "stop", true],
  ["D39", "usage-absurd", "Hello", "stop", false],
];

/** `error`: the code of the `error` event; undefined where the model itself ended its answer. */
type IncompleteRow = readonly [
  id: string,
  model: string,
  answer: string | RegExp,
  reason: string,
  error: string | undefined,
  environment?: Environment,
];

const incompleteRows: readonly IncompleteRow[] = [
  ["D20", "stall-after-3", begun, "upstream_stalled", "upstream_stalled", short.gap],
  ["D20", "comments-after-3", begun, "upstream_stalled", "upstream_stalled", short.gap],
  ["D20", "empty-deltas-after-3", begun, "upstream_stalled", "upstream_stalled", short.gap],
  ["D21", "end-without-done", begun, "upstream_truncated", "upstream_truncated"],
  ["D21", "cut-fin", begun, "upstream_truncated", "upstream_truncated"],
  ["D21", "cut-in-chunk", "The ", "upstream_truncated", "upstream_truncated"],
  ["D22", "cut-reset", begun, "upstream_truncated", "upstream_truncated"],
  ["D26", "malformed-after-tokens", begun, "upstream_malformed", "upstream_malformed"],
  ["D26", "bad-chunk-size", "The ", "upstream_malformed", "upstream_malformed"],
  ["D28", "error-after-tokens", begun, "upstream_error", "upstream_error"],
  ["D29", "length", sentence, "max_tokens", undefined],
  ["D31", "content-filter", begun, "content_filter", undefined],
  ["D31", "refusal", "", "content_filter", undefined],
  ["D35", "huge-line", "The ", "answer_too_large", "answer_too_large"],
  ["D35", "endless", /^(endless ){130000,131072}$/, "answer_too_large", "answer_too_large"],
  ["D41", "slow-drip", /^(drip ){3,}$/, "turn_time_limit", "turn_time_limit", short.turn],
];

/** `requests`: how often one answer asks the server, the first time included. */
type FailedRow = readonly [
  id: string,
  model: string,
  code: string,
  http: number,
  requests: number,
  environment?: Environment,
];

const failedRows: readonly FailedRow[] = [
  ["D3", "401", "upstream_auth", 502, 1],
  ["D4", "403", "upstream_forbidden", 502, 1],
  ["D4", "forbidden", "upstream_forbidden", 502, 1],
  ["D5", "404", "model_not_found", 502, 1],
  ["D5", "not-found", "model_not_found", 502, 1],
  ["D5", "not-found-in-stream", "model_not_found", 502, 1],
  ["D5", "no-access", "model_not_found", 502, 1],
  ["D6", "400", "upstream_rejected", 502, 1],
  ["D6", "422", "upstream_rejected", 502, 1],
  ["D6", "prompt-filtered", "content_filter", 502, 1],
  ["D7", "413", "context_too_long", 422, 1],
  ["D7", "context-too-long", "context_too_long", 422, 1],
  ["D7", "context-llama", "context_too_long", 422, 1],
  ["D7", "context-vllm", "context_too_long", 422, 1],
  ["D8", "error-field", "context_too_long", 422, 1],
  ["D9", "408", "upstream_timeout", 504, 3],
  ["D9", "409", "upstream_rejected", 502, 1],
  ["D10", "rate-limited-briefly", "upstream_rate_limited", 503, 3],
  ["D11", "rate-limited", "upstream_rate_limited", 503, 1],
  ["D12", "quota", "upstream_quota", 503, 1],
  ["D12", "quota-spend-limit", "upstream_quota", 503, 1],
  ["D12", "error-in-list", "upstream_quota", 503, 1],
  ["D13", "429", "upstream_rate_limited", 503, 3],
  ["D13", "slow-down", "upstream_overloaded", 503, 3],
  ["D13", "overloaded", "upstream_overloaded", 503, 3],
  ["D14", "500", "upstream_error", 502, 3],
  ["D14", "502", "upstream_error", 502, 3],
  ["D14", "503", "upstream_error", 502, 3],
  ["D14", "504", "upstream_error", 502, 3],
  ["D14", "529", "upstream_error", 502, 3],
  ["D14", "error-without-body", "upstream_error", 502, 3],
  ["D14", "error-body-endless", "upstream_error", 502, 3],
  // Each body is given up after five seconds.
  ["D14", "error-body-slow", "upstream_error", 502, 1, noRetries],
  ["D15", "do-not-retry", "upstream_error", 502, 1],
  ["D16", "reset-before-headers", "upstream_unreachable", 502, 3],
  ["D17", "never-headers", "upstream_timeout", 504, 2, short.headers],
  ["D18", "headers-then-silence", "first_token_timeout", 504, 1, short.firstToken],
  ["D19", "comments-forever", "first_token_timeout", 504, 1, short.firstToken],
  ["D21", "cut-before-text", "upstream_truncated", 502, 2],
  ["D26", "malformed", "upstream_malformed", 502, 2],
  ["D27", "error-first", "upstream_rate_limited", 503, 3],
  ["D27", "error-event", "upstream_error", 502, 3],
  ["D27", "error-sentence", "upstream_error", 502, 3],
  ["D30", "length-empty", "context_too_long", 422, 1],
  ["D32", "empty", "empty_answer", 502, 2],
  ["D33", "html", "upstream_protocol", 502, 1],
  ["D33", "not-http", "upstream_protocol", 502, 1],
  ["D33", "204", "upstream_protocol", 502, 1],
  ["D33", "200", "upstream_error", 502, 3],
  ["D34", "redirect", "upstream_redirect", 502, 1],
  ["D38", "gzip", "upstream_protocol", 502, 1],
];

/** Which failures are made good by asking again, and how many requests that takes. */
const recoveredRows: readonly (readonly [id: string, model: string, requests: number, environment?: Environment])[] = [
  ["D9", "after-2-408", 3],
  ["D10", "after-1-rate-limited-briefly", 2],
  ["D13", "after-2-overloaded", 3],
  ["D14", "after-1-500", 2],
  ["D14", "after-2-503", 3],
  ["D16", "after-2-reset-before-headers", 3],
  ["D17", "after-1-never-headers", 2, short.headers],
  ["D21", "after-1-cut-before-text", 2],
  ["D26", "after-1-malformed", 2],
  ["D27", "after-2-error-event", 3],
  ["D32", "after-1-empty", 2],
];

/** A failed turn, as each shape tells it. */
function expectFailure({ asEvents, asJson }: Asked, code: string, http: number, model: string): void {
  expect(asEvents.events.map(({ type }) => type)).toEqual(["turn", "error", "end"]);
  const [started, error, end] = asEvents.events;
  expect(started?.data["model"]).toBe(model);
  expect(error?.data["code"]).toBe(code);
  expect(end?.data).toEqual({ status: "failed", finish_reason: null, usage: null, model });
  expect(asJson.response.status).toBe(http);
  expect(asJson.response.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(asJson.body).toMatchObject({ status: http, code, turn: 1 });
  // On a busy machine tokens are estimated for one of the two, and counted for the other.
  const withoutNumbers = (text: unknown) => String(text).replaceAll(/\d+/g, "0");
  expect(withoutNumbers(asJson.body["detail"])).toBe(withoutNumbers(error?.data["message"]));
  expect(asJson.body["retryable"]).toBe(error?.data["retryable"]);
}

describe("a model server that answers, if oddly", () => {
  test.concurrent.for(completedRows)(
    "%s: %s is completed, whole and counted",
    async ([_id, model, answer, finishReason, counted]) => {
      await withApp({ OPENAI_MODEL: model }, async (app) => {
        const { asEvents, asJson } = await askInEveryShape(app);
        expect(textOf(asEvents.events)).toBe(answer);
        expect(asEvents.events.map(({ type }) => type).filter((type) => type !== "text")).toEqual(["turn", "end"]);
        expect(asEvents.events[0]?.data["model"]).toBe(model);
        const end = asEvents.events.at(-1)?.data;
        const usage = counted
          ? { input_tokens: 21, output_tokens: expect.any(Number) }
          : // The system prompt and the prompt, and what is around them; four bytes of the answer to a token.
            { input_tokens: 30, output_tokens: Math.ceil(Buffer.byteLength(answer) / 4), estimated: true };
        expect(end).toEqual({ status: "completed", finish_reason: finishReason, usage, model });
        expect(asJson.response.status).toBe(200);
        expect(asJson.body).toEqual({
          session_id: expect.any(String),
          turn: 1,
          status: "completed",
          answer,
          finish_reason: finishReason,
          usage: end?.["usage"],
          model,
        });
      });
    },
  );
});

describe("a model server whose answer is not whole", () => {
  test.concurrent.for(incompleteRows)(
    "%s: %s keeps its text and is never called complete",
    async ([_id, model, answer, reason, code, environment = {}]) => {
      await withApp({ OPENAI_MODEL: model, ...environment }, async (app) => {
        const { asEvents, asJson } = await askInEveryShape(app);
        const matchesAnswer = typeof answer === "string" ? answer : expect.stringMatching(answer);
        expect(textOf(asEvents.events)).toEqual(matchesAnswer);
        const errors = asEvents.events.filter(({ type }) => type === "error");
        expect(errors.map(({ data }) => data["code"])).toEqual(code === undefined ? [] : [code]);
        expect(asEvents.events.at(-1)?.data).toMatchObject({ status: "incomplete", reason, model });
        expect(asJson.response.status).toBe(200);
        expect(asJson.body).toMatchObject({ turn: 1, status: "incomplete", reason, answer: matchesAnswer, model });
      });
    },
  );
});

describe("a model server that fails before any text", () => {
  test.concurrent.for(failedRows)(
    "%s: %s fails the turn with %s, HTTP %d to a client that waits, after %d requests",
    async ([_id, model, code, http, requests, environment = {}]) => {
      const before = requestsFor(model);
      const failsOthers = requests > 1 || code === "upstream_auth";
      expectFailure(await askAllOf({ OPENAI_MODEL: model, ...environment }, failsOthers), code, http, model);
      expect(requestsFor(model) - before).toBe(3 * requests);
    },
  );

  test.concurrent.for(recoveredRows)(
    "%s: %s is answered after %d requests, and nobody sees that",
    async ([_id, model, requests, environment = {}]) => {
      const before = requestsFor(model);
      await withApp({ OPENAI_MODEL: model, ...environment }, async (app) => {
        const { events } = await askAsEvents(app, await newSession(app));
        expect(events.map(({ type }) => type).filter((type) => type !== "text")).toEqual(["turn", "end"]);
        expect(textOf(events)).toBe(sentence);
        expect(events.at(-1)?.data).toMatchObject({ status: "completed", model });
        expect(requestsFor(model) - before).toBe(requests);
        const sessionId = await newSession(app);
        const response = await send(app.baseUrl, sessionId, prompt, { accept: "application/json" });
        expect(await response.json()).toMatchObject({ status: "completed", answer: sentence, model });
        expect(await dialogue(app, sessionId)).toEqual(expectedDialogue(sentence, "completed"));
      });
      expect(requestsFor(model) - before).toBe(2 * requests);
    },
  );

  test("D1: nothing listens there, or its name does not resolve", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await promisify(server.close.bind(server))();
    for (const baseUrl of [`http://127.0.0.1:${port}/v1`, "http://no-such-host.invalid/v1"]) {
      await withThreeApps({ OPENAI_BASE_URL: baseUrl, OPENAI_MODEL: "echo" }, async (apps) => {
        expectFailure(await askInEveryShape(apps), "upstream_unreachable", 502, "echo");
        for (const { log } of apps) expect(log.filter((line) => line.includes("asked for again"))).toHaveLength(2);
      });
    }
  });

  test("D1: a connection that is never made is given up after MODEL_CONNECT_TIMEOUT_SECONDS", async () => {
    const { baseUrl, close } = await startMuteTlsServer();
    const environment = { OPENAI_BASE_URL: baseUrl, OPENAI_MODEL: "echo", MODEL_CONNECT_TIMEOUT_SECONDS: "0.3" };
    await withThreeApps(environment, async (apps) => {
      expectFailure(await askInEveryShape(apps), "upstream_unreachable", 502, "echo");
    });
    close();
  });

  test("D2: TLS that it does not speak, or a certificate of its own; the log says which", async () => {
    const selfSigned = await startSelfSignedServer();
    const faults = [
      [provider.baseUrl.replace("http:", "https:"), "EPROTO"],
      [selfSigned.baseUrl, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ] as const;
    for (const [baseUrl, fact] of faults) {
      await withApp({ OPENAI_BASE_URL: baseUrl, OPENAI_MODEL: "echo" }, async (app) => {
        expectFailure(await askInEveryShape(app), "upstream_tls", 502, "echo");
        expect(app.log.join("")).toContain(fact);
      });
    }
    selfSigned.close();
  });

  test("D11: when to come back is told as the server told it, and not where waiting does not help (D12)", async () => {
    const retryAfter = async (status: number, code: string, seconds: string) => {
      const model = `wait-${code}`;
      provider.model(model, (exchange) => exchange.error(status, { code }, { "retry-after": seconds }));
      return withApp({ OPENAI_MODEL: model }, async (app) => {
        const { asJson } = await askInEveryShape(app);
        expect(asJson.response.status).toBe(503);
        return asJson.response.headers.get("retry-after");
      });
    };
    expect.soft(await retryAfter(429, "rate_limit_exceeded", "3600")).toBe("3600");
    expect.soft(await retryAfter(503, "server_is_overloaded", "90")).toBe("90");
    expect.soft(await retryAfter(429, "insufficient_quota", "7")).toBeNull();
  });

  test("D34: a redirect is not followed: the conversation goes to nobody else", async () => {
    const before = provider.requestCount;
    await withApp({ OPENAI_MODEL: "redirect" }, async (app) => {
      await ask(app.baseUrl, await newSession(app), prompt);
    });
    expect(provider.requestCount).toBe(before + 1);
  });

  test("P16: a server that repeats the key in its answer does not get it to anybody", async () => {
    const shapes: Record<string, (exchange: ProviderExchange) => void> = {
      "key-in-401": (exchange) => exchange.error(401, { message: `Incorrect API key provided: ${key}` }),
      "key-in-header": (exchange) => exchange.error(400, {}, { "x-request-id": key, "retry-after": canary }),
      "key-first-in-stream": (exchange) => {
        exchange.event(JSON.stringify({ error: { message: key, code: key, type: key } }));
        exchange.end();
      },
      "key-in-stream": (exchange) => {
        exchange.text("The ");
        exchange.event(JSON.stringify({ error: { message: key, code: key, type: key } }));
      },
    };
    for (const [model, script] of Object.entries(shapes)) {
      provider.model(model, script);
      const index = provider.requests.length;
      await askAllOf({ OPENAI_MODEL: model, ...noRetries }, model === "key-in-401");
      // The negative control: the key was there to be repeated.
      expect(provider.requests[index]?.headers.authorization).toBe(`Bearer ${key}`);
    }
  });
});

test("P9: every behaviour that the fake provider knows has its row", () => {
  const rows = new Set([...completedRows, ...incompleteRows, ...failedRows].map(([, model]) => model));
  expect(scriptNames.filter((name) => !rows.has(name))).toEqual([]);
});

describe("which model answers", () => {
  test("OPENAI_MODEL is a list: one that the server does not have is skipped and remembered, and end names the one that answered", async () => {
    const before = provider.requests.length;
    await withApp({ OPENAI_MODEL: "gpt-3.5-turbo,not-found-in-stream,echo,word-list" }, async (app) => {
      const sessionId = await newSession(app);
      const first = await ask(app.baseUrl, sessionId, prompt);
      expect(first[0]?.data["model"]).toBe("gpt-3.5-turbo");
      expect(first.at(-1)?.data).toMatchObject({ status: "completed", model: "echo" });
      const second = await ask(app.baseUrl, sessionId, prompt);
      expect(second[0]?.data["model"]).toBe("echo");
      expect(second.at(-1)?.data).toMatchObject({ status: "completed", model: "echo" });
      expect(textOf(second)).toBe(prompt);
    });
    const asked = provider.requests.slice(before).map(({ model }) => model);
    expect(asked).toEqual(["gpt-3.5-turbo", "not-found-in-stream", "echo", "echo"]);
  });

  test("D5: when the server has none of them, the turn fails; another failure is no reason to ask the next", async () => {
    await withApp({ OPENAI_MODEL: "no-such-1,no-such-2" }, async (app) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.find(({ type }) => type === "error")?.data["code"]).toBe("model_not_found");
      expect(events.at(-1)?.data["status"]).toBe("failed");
    });
    await withApp({ OPENAI_MODEL: "500,echo" }, async (app) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.at(-1)?.data).toMatchObject({ status: "failed", model: "500" });
    });
  });

  test("a custom base URL without OPENAI_MODEL takes the first model that the server lists, and says which", async () => {
    provider.listModels(["word-list", "echo"]);
    await withApp({}, async (app) => {
      await expect.poll(() => app.log.join("")).toContain('"model":"word-list"');
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events[0]?.data["model"]).toBe("word-list");
      expect(textOf(events)).toBe(sentence);
      expect(events.at(-1)?.data).toMatchObject({ status: "completed", model: "word-list" });
      expect(await (await fetch(`${app.baseUrl}/readyz`)).text()).toContain('"word-list"');
    });
  });

  test("a prompt that comes before the server has listed its models waits for that, and names the right one at once", async () => {
    provider.listModels((response) => {
      setTimeout(() => response.end(JSON.stringify({ data: [{ id: "word-list" }] })), 300);
    });
    await withApp({}, async (app) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events[0]?.data["model"]).toBe("word-list");
      expect(events.at(-1)?.data).toMatchObject({ status: "completed", model: "word-list" });
    });
  });

  test("where the server lists none, the default list is asked", async () => {
    provider.listModels((response) => void response.writeHead(500).end(canary));
    provider.model("gpt-5.6-terra", (exchange) => exchange.answer(["Hello."]));
    await withApp({}, async (app) => {
      const events = await ask(app.baseUrl, await newSession(app), prompt);
      expect(events.at(-1)?.data).toMatchObject({ status: "completed", model: "gpt-5.6-terra" });
    });
  });
});

describe("what goes to the model server", () => {
  test("is model, messages, stream, stream_options and OPENAI_EXTRA_BODY, under the service's key, and nothing of the caller", async () => {
    const environment = {
      OPENAI_MODEL: "word-list",
      OPENAI_EXTRA_BODY: '{"temperature":0.2,"reasoning":{"effort":"low"}}',
      SYSTEM_PROMPT: "Be brief.",
    };
    const index = provider.requests.length;
    await withApp(environment, async (app) => {
      const response = await fetch(`${app.baseUrl}/chat/${await newSession(app)}?trace=caller-query`, {
        method: "PUT",
        headers: { "content-type": "application/json", "x-caller": "caller-header", "user-agent": "caller-agent" },
        body: JSON.stringify({
          payload: prompt,
          model: "caller-model",
          temperature: 2,
          user: "caller-user",
          tools: [],
        }),
      });
      await response.text();
    });
    const request = await provider.request(index);
    expect(request.url).toBe("/v1/chat/completions");
    expect(request.body).toEqual({
      model: "word-list",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: prompt },
      ],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.2,
      reasoning: { effort: "low" },
    });
    expect(request.headers.authorization).toBe(`Bearer ${key}`);
    expect(JSON.stringify([request.headers, request.body])).not.toContain("caller");
  });

  test("without a key there is no Authorization header", async () => {
    const index = provider.requests.length;
    const app = await startTestApp({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "echo" });
    await ask(app.baseUrl, await newSession(app), prompt);
    await app.close();
    expect((await provider.request(index)).headers).not.toHaveProperty("authorization");
  });

  test("is the conversation: system prompt, instructions and what was answered, without the prompts that were not", async () => {
    provider.model("moody", (exchange) => {
      const [mood] = exchange.prompt.split(" ");
      if (mood === "fail") return exchange.error(400);
      if (mood === "silence") return exchange.silence();
      exchange.text(`Re: ${exchange.prompt}`);
      return mood === "cut" ? exchange.end() : exchange.complete(1);
    });
    const index = provider.requests.length;
    await withApp({ OPENAI_MODEL: "moody", SYSTEM_PROMPT: "Be brief." }, async (app) => {
      const opened = await fetch(`${app.baseUrl}/sessions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "TR", instructions: "Speak like a pirate." }),
      });
      const { session_id: sessionId } = (await opened.json()) as { session_id: string };
      for (const each of ["one", "fail two", "cut three"]) await ask(app.baseUrl, sessionId, each);
      const stopped = send(app.baseUrl, sessionId, "silence four");
      await provider.request(index + 3);
      await fetch(`${app.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
      await (await stopped).text();
      await ask(app.baseUrl, sessionId, "five");
    });
    expect((await provider.request(index + 4)).messages).toEqual([
      { role: "system", content: "Be brief.\n\nSpeak like a pirate." },
      { role: "user", content: "one" },
      { role: "assistant", content: "Re: one" },
      { role: "user", content: "cut three" },
      { role: "assistant", content: "Re: cut three" },
      { role: "user", content: "five" },
    ]);
  });
});

describe("D36: text comes through byte for byte, to the client and into the history,", () => {
  test("cut at every byte of its UTF-8", async () => {
    provider.model("every-split", async (exchange) => {
      const line = Buffer.from(`${exchange.textLine(multilingualText)}\n\n`);
      for (let cut = 1; cut < line.length; cut += 1) {
        exchange.raw(line.subarray(0, cut));
        await exchange.sleep(1);
        exchange.raw(line.subarray(cut));
      }
      exchange.complete(1);
    });
    await expectText("every-split", (text) => {
      const copies = text.length / multilingualText.length;
      expect(copies).toBeGreaterThan(Buffer.byteLength(multilingualText));
      expect(text).toBe(multilingualText.repeat(copies));
    });
  });

  test("with a BOM in the text, characters in halves, controls, and every kind of line end in the stream", async () => {
    const pieces = [
      "\uFEFFBOM\uFEFF",
      "\ud83e",
      "\uddd1",
      "a\u0000b\u0007\u001b[31m",
      "\r",
      "\n",
      "\r\n",
      "data: x\n\nevent: end",
    ];
    provider.model("odd-text", (exchange) => {
      const lineEnds = ["\n\n", "\r\n\r\n", "\r\r"];
      exchange.raw("\uFEFF");
      for (const [index, piece] of pieces.entries()) {
        exchange.raw(`${exchange.textLine(piece)}${lineEnds[index % lineEnds.length]}`);
      }
      exchange.complete(1);
    });
    await expectText("odd-text", (text) => expect(text).toBe(pieces.join("")));
  });

  async function expectText(model: string, check: (text: string) => void): Promise<void> {
    await withApp({ OPENAI_MODEL: model }, async (app) => {
      const { asEvents, asJson, asText } = await askInEveryShape(app);
      check(textOf(asEvents.events));
      check(String(asJson.body["answer"]));
      // Not through a decoder, which would drop a BOM.
      check(asText.bytes.toString());
    });
  }
});

describe("D42: a stop", () => {
  test.each([
    "never-headers",
    "headers-then-silence",
    "comments-forever",
    "stall-after-3",
    "paced-1000-5",
    "error-body-slow",
  ])(
    "closes the provider's socket within a second while it behaves like %s, and the turn is stopped",
    async (model) => {
      const index = provider.requests.length;
      await withApp({ OPENAI_MODEL: model }, async (app) => {
        const sessionId = await newSession(app);
        const reading = askAsEvents(app, sessionId);
        const upstream = await provider.request(index);
        await delay(100);
        const stoppedAt = Date.now();
        const response = await fetch(`${app.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
        const stopped = (await response.json()) as { status: string; answer: string };
        expect(stopped.status).toBe("stopped");
        await upstream.closed;
        expect((upstream.abortedAt ?? Number.POSITIVE_INFINITY) - stoppedAt).toBeLessThan(1_000);
        const { events } = await reading;
        expect(events.at(-1)?.data["status"]).toBe("stopped");
        expect(textOf(events)).toBe(stopped.answer);
        await delay(50);
        expect(await dialogue(app, sessionId)).toEqual(expectedDialogue(stopped.answer, "stopped"));
      });
    },
  );

  test("ends the wait before another try at once, and nothing more is asked", async () => {
    provider.model("come-back-later", (exchange) => exchange.error(503, {}, { "retry-after": "10" }));
    const index = provider.requests.length;
    await withApp({ OPENAI_MODEL: "come-back-later" }, async (app) => {
      const sessionId = await newSession(app);
      const reading = ask(app.baseUrl, sessionId, prompt);
      await (await provider.request(index)).closed;
      await expect.poll(() => app.log.join("")).toContain("asked for again");
      const stoppedAt = Date.now();
      const response = await fetch(`${app.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
      expect(await response.json()).toMatchObject({ status: "stopped", answer: "" });
      expect(Date.now() - stoppedAt).toBeLessThan(1_000);
      expect((await reading).at(-1)?.data["status"]).toBe("stopped");
    });
    expect(requestsFor("come-back-later")).toBe(1);
  });

  test("ends an attempt to connect, too", async () => {
    const { baseUrl, connected, close } = await startMuteTlsServer();
    await withApp({ OPENAI_BASE_URL: baseUrl, OPENAI_MODEL: "echo" }, async (app) => {
      const sessionId = await newSession(app);
      const reading = ask(app.baseUrl, sessionId, prompt);
      const socket = await connected;
      const stoppedAt = Date.now();
      const response = await fetch(`${app.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
      expect(await response.json()).toMatchObject({ status: "stopped", answer: "" });
      if (!socket.closed) await once(socket, "close");
      expect(Date.now() - stoppedAt).toBeLessThan(1_000);
      expect((await reading).at(-1)?.data["status"]).toBe("stopped");
    });
    close();
  });

  test("of a client that merely went away there is none: the answer goes on and is stored", async () => {
    await withApp({ OPENAI_MODEL: "paced-20-10" }, async (app) => {
      const sessionId = await newSession(app);
      const leaving = new AbortController();
      const response = await send(app.baseUrl, sessionId, prompt, { signal: leaving.signal });
      for await (const event of receive(response)) if (event.type === "text") leaving.abort();
      const followed = await Array.fromAsync(receive(await fetch(`${app.baseUrl}/chat/${sessionId}/1`)));
      expect(followed.at(-1)?.data["status"]).toBe("completed");
      expect(textOf(followed)).toBe(`${sentence}${sentence}The quick `);
    });
  });
});

describe("time", () => {
  test.each([
    ["D17", "never-headers", "MODEL_HEADERS_TIMEOUT_SECONDS", "upstream_timeout"],
    ["D18", "headers-then-silence", "MODEL_FIRST_TOKEN_TIMEOUT_SECONDS", "first_token_timeout"],
    ["D20", "stall-after-3", "MODEL_GAP_TIMEOUT_SECONDS", "upstream_stalled"],
    ["D41", "slow-drip", "TURN_TIME_LIMIT_SECONDS", "turn_time_limit"],
  ])("%s: %s ends after %s, neither sooner nor much later", async (_id, model, variable, code) => {
    await withApp({ OPENAI_MODEL: model, [variable]: "0.7", ...noRetries }, async (app) => {
      const sessionId = await newSession(app);
      const started = performance.now();
      const events = await ask(app.baseUrl, sessionId, prompt);
      const took = performance.now() - started;
      expect(events.find(({ type }) => type === "error")?.data["code"]).toBe(code);
      expect(took).toBeGreaterThan(650);
      expect(took).toBeLessThan(2_000);
    });
  });

  test("answers that are stuck in every way do not hold up 20 others", async () => {
    provider.model("some-stuck", (exchange) => {
      const { prompt: asked } = exchange;
      if (asked === "never-headers") return exchange.silence();
      exchange.begin();
      if (asked === "headers-then-silence") return exchange.silence();
      exchange.text("The ");
      return asked === "stall" ? exchange.silence() : exchange.complete(1);
    });
    await withApp({ OPENAI_MODEL: "some-stuck" }, async (app) => {
      const open = provider.openCount;
      const stuck = ["never-headers", "headers-then-silence", "stall"].flatMap((kind) => Array(7).fill(kind));
      for (const kind of stuck) void send(app.baseUrl, await newSession(app), kind).catch(() => undefined);
      await expect.poll(() => provider.openCount - open).toBe(stuck.length);
      const started = performance.now();
      const others = await Promise.all(
        Array.from({ length: 20 }, async () => ask(app.baseUrl, await newSession(app), "Hello")),
      );
      expect(performance.now() - started).toBeLessThan(5_000);
      for (const events of others) expect(events.at(-1)?.data["status"]).toBe("completed");
      expect(provider.openCount - open).toBe(stuck.length);
    });
  });

  test("a client that waits for JSON gets 202 and a place to ask after WAIT_SECONDS, and the answer there", async () => {
    await withApp({ OPENAI_MODEL: "paced-40-20", WAIT_SECONDS: "0.3" }, async (app) => {
      const sessionId = await newSession(app);
      const response = await send(app.baseUrl, sessionId, prompt, { accept: "application/json" });
      expect(response.status).toBe(202);
      expect(await response.json()).toMatchObject({ turn: 1, status: "running", finish_reason: null, usage: null });
      const location = `${app.baseUrl}${response.headers.get("location")}`;
      const state = async () => (await fetch(location, { headers: { accept: "application/json" } })).json();
      await expect.poll(state, { timeout: 5_000 }).toMatchObject({ status: "completed", usage: { output_tokens: 40 } });
    });
  });

  test("a failure is a stored state: who asks later, or in another shape, is told the same", async () => {
    await withApp({ OPENAI_MODEL: "403" }, async (app) => {
      const sessionId = await newSession(app);
      const { raw } = await askAsEvents(app, sessionId);
      const again = await (await fetch(`${app.baseUrl}/chat/${sessionId}/1`)).text();
      const events = (text: string) => Array.fromAsync(receive(new Response(text)));
      expect(await events(again)).toEqual(await events(raw));
      const state = await fetch(`${app.baseUrl}/chat/${sessionId}/1`, { headers: { accept: "application/json" } });
      expect(state.status).toBe(200);
      expect(await state.json()).toMatchObject({ turn: 1, status: "failed", answer: "" });
      expect(await problemOf(await send(app.baseUrl, sessionId, prompt, { accept: "application/json" }))).toMatchObject(
        {
          status: 502,
          turn: 2,
        },
      );
    });
  });
});

/** Takes connections and never says a word, so that a TLS handshake hangs. */
async function startMuteTlsServer(): Promise<{ baseUrl: string; connected: Promise<net.Socket>; close(): void }> {
  const { promise: connected, resolve } = Promise.withResolvers<net.Socket>();
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.resume();
    resolve(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, connected, close };
}

async function startSelfSignedServer(): Promise<{ baseUrl: string; close(): void }> {
  const directory = await mkdtemp(path.join(tmpdir(), "certificate-"));
  const [keyFile, certificateFile] = [path.join(directory, "key.pem"), path.join(directory, "certificate.pem")];
  const subject = ["-subj", `/CN=${canary}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await promisify(execFile)("openssl", [
    "req",
    "-x509",
    ...kind,
    ...subject,
    "-keyout",
    keyFile,
    "-out",
    certificateFile,
  ]);
  const server = https.createServer({ key: await readFile(keyFile), cert: await readFile(certificateFile) });
  await rm(directory, { recursive: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { baseUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, close: () => server.close() };
}
