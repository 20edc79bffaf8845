/** Every behaviour of the fake provider by the name of the model that shows it. */
import { canary, type ProviderExchange } from "./exchange.ts";

export type ProviderScript = (exchange: ProviderExchange) => Promise<void> | void;

const words = ["The ", "quick ", "brown ", "fox ", "jumps ", "over ", "the ", "lazy ", "dog."];

/** Text in which every byte length of UTF-8 occurs, for scripts that cut it anywhere. */
export const multilingualText = "Grüße, 世界! 😀 — “naïve” \u2028 👩‍👩‍👧 \t\r\n end";

const scripts: Record<string, ProviderScript> = {
  // Right
  echo: (exchange) => exchange.answer(exchange.prompt.match(/\S+\s*|^\s+/g) ?? []),
  "word-list": (exchange) => exchange.answer(words),
  "finish-without-done": (exchange) => {
    for (const word of words) exchange.text(word);
    exchange.finish();
    exchange.end();
  },
  "finish-then-open": (exchange) => {
    for (const word of words) exchange.text(word);
    exchange.finish();
  },
  "done-without-finish": (exchange) => {
    for (const word of words) exchange.text(word);
    exchange.done();
    exchange.end();
  },
  "done-then-open": (exchange) => {
    for (const word of words) exchange.text(word);
    exchange.finish();
    exchange.done();
  },
  "late-usage": async (exchange) => {
    for (const word of words) exchange.text(word);
    exchange.finish();
    await exchange.sleep(300);
    exchange.usage(21, words.length);
    exchange.done();
    exchange.end();
  },
  "usage-absurd": (exchange) => {
    exchange.text("Hello");
    exchange.finish();
    exchange.usage(-1, 2e9);
    exchange.done();
    exchange.end();
  },
  "json-completion": (exchange) =>
    exchange.json(200, {
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: words.join("") }, finish_reason: "stop" }],
      usage: { prompt_tokens: 21, completion_tokens: words.length },
    }),
  "utf8-split": async (exchange) => {
    const bytes = Buffer.from(`${exchange.textLine(multilingualText)}\n\n`);
    for (let index = 0; index < bytes.length; index += 7) {
      exchange.raw(bytes.subarray(index, index + 7));
      await exchange.sleep(1);
    }
    exchange.complete(1);
  },
  "crlf-bom": (exchange) => {
    exchange.raw("\uFEFF");
    for (const word of words) exchange.raw(`${exchange.textLine(word)}\r\n\r\n`);
    exchange.complete(words.length);
  },
  "cr-only": (exchange) => {
    for (const word of words) exchange.raw(`${exchange.textLine(word)}\r\r`);
    exchange.raw("data: [DONE]\r\r");
    exchange.end();
  },
  "odd-fields": (exchange) => {
    exchange.raw('data: {"__proto__":{"choices":[]},"constructor":1,"choices":[]}\n\n');
    for (const word of words) {
      const delta = { role: 7, content: word, tool_calls: [{ index: "__proto__", id: "__proto__", function: null }] };
      exchange.chunk({
        choices: [
          { index: "0", delta, finish_reason: null },
          { index: 1, delta: { content: canary } },
        ],
      });
    }
    exchange.complete(words.length);
  },
  length: (exchange) => exchange.answer(words, "length"),
  "length-empty": (exchange) => exchange.answer([], "length"),
  "content-filter": (exchange) => exchange.answer(words.slice(0, 3), "content_filter"),
  refusal: (exchange) => {
    exchange.chunk({ choices: [{ index: 0, delta: { refusal: `${canary} I will not` } }] });
    exchange.complete(1);
  },
  empty: (exchange) => exchange.answer([]),

  // Silent
  "never-headers": (exchange) => exchange.silence(),
  "headers-then-silence": (exchange) => {
    exchange.begin();
    return exchange.silence();
  },
  "comments-forever": async (exchange) => {
    while (!exchange.gone) {
      exchange.comment(canary);
      await exchange.sleep(20);
    }
  },
  "stall-after-3": (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    return exchange.silence();
  },
  "comments-after-3": async (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    while (!exchange.gone) {
      await exchange.sleep(20);
      exchange.comment(canary);
    }
  },
  "empty-deltas-after-3": async (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    while (!exchange.gone) {
      await exchange.sleep(20);
      exchange.text("");
    }
  },
  "slow-drip": async (exchange) => {
    while (!exchange.gone) {
      exchange.text("drip ");
      await exchange.sleep(20);
    }
  },

  // Cut
  "reset-before-headers": (exchange) => exchange.reset(),
  "end-without-done": (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    exchange.end();
  },
  "cut-fin": (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    return exchange.cut();
  },
  "cut-reset": (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    return exchange.reset();
  },
  "cut-before-text": (exchange) => {
    exchange.chunk({ choices: [{ index: 0, delta: { role: "assistant" } }] });
    exchange.end();
  },
  "cut-in-chunk": (exchange) => {
    exchange.text("The ");
    exchange.raw(exchange.textLine("quick ").slice(0, 40));
    exchange.end();
  },

  // Broken
  html: (exchange) => void exchange.response.writeHead(200, { "content-type": "text/html" }).end(`<h1>${canary}</h1>`),
  gzip: (exchange) => exchange.begin({ "content-encoding": "gzip" }),
  malformed: (exchange) => {
    exchange.event(`{"choices": ${canary}`);
    return exchange.silence();
  },
  "malformed-after-tokens": (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    exchange.event(`{"choices": ${canary}`);
    return exchange.silence();
  },
  "bad-chunk-size": async (exchange) => {
    exchange.text("The ");
    await exchange.sleep(20);
    exchange.response.socket?.write(`${canary}\r\n`);
    return exchange.silence();
  },
  "not-http": (exchange) => void exchange.response.socket?.end(`${canary}\r\n\r\n`),
  "huge-line": async (exchange) => {
    exchange.text("The ");
    exchange.raw("data: ");
    const filler = Buffer.alloc(64 * 1024, "x");
    while (!exchange.gone) {
      exchange.raw(filler);
      await exchange.sleep(1);
    }
  },
  endless: async (exchange) => {
    const piece = "endless ".repeat(1_000);
    while (!exchange.gone) {
      exchange.text(piece);
      if (exchange.response.writableNeedDrain) await exchange.sleep(5);
    }
  },

  // Errors
  "error-first": (exchange) => {
    exchange.event(JSON.stringify({ error: { message: canary, code: "rate_limit_exceeded" } }));
    return exchange.silence();
  },
  "error-event": (exchange) => {
    exchange.raw(`event: error\ndata: ${JSON.stringify({ message: canary, code: 503 })}\n\n`);
    return exchange.silence();
  },
  "error-field": (exchange) => {
    exchange.raw(`error: ${JSON.stringify({ code: 400, message: canary, type: "exceed_context_size_error" })}\n\n`);
    return exchange.silence();
  },
  "error-sentence": (exchange) => {
    exchange.event(JSON.stringify({ error: canary }));
    return exchange.silence();
  },
  "error-after-tokens": (exchange) => {
    for (const word of words.slice(0, 3)) exchange.text(word);
    exchange.event(JSON.stringify({ error: { message: canary, code: "rate_limit_exceeded" } }));
    return exchange.silence();
  },
  "not-found": (exchange) => exchange.error(404, { type: "invalid_request_error", code: "model_not_found" }),
  "not-found-in-stream": (exchange) => {
    exchange.event(JSON.stringify({ error: { message: canary, code: "model_not_found" } }));
    return exchange.silence();
  },
  forbidden: (exchange) => exchange.error(403),
  "no-access": (exchange) => exchange.error(403, { code: "model_not_found" }),
  "context-too-long": (exchange) => exchange.error(400, { code: "context_length_exceeded" }),
  "context-llama": (exchange) => exchange.error(400, { code: 400, type: "exceed_context_size_error" }),
  "context-vllm": (exchange) => exchange.error(400, { code: 400, type: "BadRequestError", param: "input_tokens" }),
  "rate-limited": (exchange) => exchange.error(429, { code: "rate_limit_exceeded" }, { "retry-after": "30" }),
  quota: (exchange) => exchange.error(429, { code: "insufficient_quota" }, { "retry-after": "7" }),
  "quota-spend-limit": (exchange) => exchange.error(429, { type: "project_spend_limit_exceeded" }),
  "rate-limited-briefly": (exchange) => exchange.error(429, { code: "rate_limit_exceeded" }, { "retry-after": "1" }),
  "do-not-retry": (exchange) => exchange.error(503, {}, { "x-should-retry": "false" }),
  "slow-down": (exchange) => exchange.error(429, { code: "slow_down" }, { "retry-after": "1" }),
  overloaded: (exchange) => exchange.error(503, { code: "server_is_overloaded" }),
  "prompt-filtered": (exchange) => exchange.error(400, { code: "content_filter" }),
  "error-in-list": (exchange) => exchange.json(429, [{ error: { message: canary, code: "insufficient_quota" } }]),
  "error-without-body": (exchange) => void exchange.response.writeHead(500).end(),
  "error-body-endless": async (exchange) => {
    exchange.response.writeHead(500, { "content-type": "text/plain" });
    while (!exchange.gone) {
      exchange.response.write(canary.repeat(100));
      if (exchange.response.writableNeedDrain) await exchange.sleep(5);
    }
  },
  "error-body-slow": (exchange) => {
    exchange.response.writeHead(503, { "content-type": "application/json" }).write(`{"error":{"message":"${canary}`);
    return exchange.silence();
  },
  redirect: (exchange) =>
    void exchange.response.writeHead(307, { location: `/v1/chat/completions?${canary}` }).end(canary),
};

/** Behaviours with numbers in their names. */
const families: readonly { readonly pattern: RegExp; script(numbers: readonly number[]): ProviderScript }[] = [
  // "401": answers with that status, and a body that holds nothing known
  {
    pattern: /^([2-5]\d\d)$/,
    script:
      ([status = 500]) =>
      (exchange) =>
        exchange.error(status),
  },
  // "paced-50-20": 50 tokens, one every 20 milliseconds
  {
    pattern: /^paced-(\d+)-(\d+)$/,
    script: ([tokens = 1, milliseconds = 1]) => {
      return async (exchange) => {
        exchange.begin();
        for (let index = 0; index < tokens && !exchange.gone; index += 1) {
          await exchange.sleep(milliseconds);
          exchange.text(words[index % words.length] as string);
        }
        exchange.complete(tokens);
      };
    },
  },
  // "burst-1000": that many tokens in one write
  {
    pattern: /^burst-(\d+)$/,
    script: ([tokens = 1]) => {
      return (exchange) => {
        const line = (_: unknown, index: number) => `${exchange.textLine(words[index % words.length] as string)}\n\n`;
        exchange.raw(Array.from({ length: tokens }, line).join(""));
        exchange.complete(tokens);
      };
    },
  },
];

/** "after-2-503": of every three requests two meet the model "503", and the third one is answered. */
const recovering = /^after-(?<failures>[1-9])-(?<name>.+)$/;

function recover(failures: number, fail: ProviderScript): ProviderScript {
  let asked = 0;
  return (exchange) => {
    asked += 1;
    return asked % (failures + 1) === 0 ? exchange.answer(words) : fail(exchange);
  };
}

const unknownModel: ProviderScript = (exchange) => exchange.error(404, { code: "model_not_found" });

export function findScript(model: string): ProviderScript {
  const named = Object.hasOwn(scripts, model) ? scripts[model] : undefined;
  if (named !== undefined) return named;
  const { failures, name } = recovering.exec(model)?.groups ?? {};
  if (name !== undefined) return recover(Number(failures), findScript(name));
  for (const { pattern, script } of families) {
    const match = pattern.exec(model);
    if (match !== null) return script(match.slice(1).map(Number));
  }
  return unknownModel;
}

/** The names of all models but the families', for tests that go through all of them. */
export const scriptNames: readonly string[] = Object.keys(scripts);
