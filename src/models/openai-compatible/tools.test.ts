import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import {
  canary,
  type FakeProvider,
  type ProviderExchange,
  startFakeProvider,
} from "../../../test/helpers/fake-provider.ts";
import type { Model, ModelError, ModelEvent, ModelMessage, OfferedTools } from "../model.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

const lookUp = {
  name: "look_up",
  description: "Looks a word up.",
  parameters: { type: "object", properties: { word: { type: "string" } } },
};
const tools: OfferedTools = {
  tools: [lookUp],
  rules: { callFor: () => undefined, sentencesFor: () => "" },
};
const hello: readonly ModelMessage[] = [{ role: "user", content: "Hello" }];

type Told = { readonly events: readonly ModelEvent[]; readonly error: ModelError | undefined };

async function generate(model: Model, messages = hello, offered: "tools" | "none" = "tools"): Promise<Told> {
  const events: ModelEvent[] = [];
  try {
    const request = { messages, username: "TR", ...(offered === "tools" && { tools }) };
    for await (const event of model.generate(request, AbortSignal.timeout(10_000))) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error: error as ModelError };
  }
}

async function withModel<T>(models: string | readonly string[], use: (model: Model) => Promise<T>): Promise<T> {
  const { model } = openModel({ baseUrl: provider.baseUrl, models });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

const ask = (model: string, messages = hello) => withModel(model, (opened) => generate(opened, messages));

function call(exchange: ProviderExchange, pieces: readonly object[], finishReason = "tool_calls"): void {
  exchange.chunk({ choices: [{ index: 0, delta: { tool_calls: pieces } }] });
  exchange.complete(7, finishReason);
}

function piece(index: number, word: string): object {
  return { index, id: `c${index}`, function: { name: "look_up", arguments: JSON.stringify({ word }) } };
}

function lastBody() {
  return provider.requests.at(-1)?.body ?? {};
}

describe("tools that are offered to a server", () => {
  it("go up as they are, and only when there are any", async () => {
    await ask("echo");
    expect(lastBody()).toEqual({
      model: "echo",
      messages: hello,
      tools: [{ type: "function", function: lookUp }],
      stream: true,
      stream_options: { include_usage: true },
    });
    await withModel("echo", (model) => generate(model, hello, "none"));
    expect(lastBody()).not.toHaveProperty("tools");
  });

  it("may be called: after the text and before the finish, all at once", async () => {
    provider.model("caller", (exchange) => {
      exchange.text("One moment. ");
      call(exchange, [piece(0, "one"), piece(1, "two")]);
    });
    const { events, error } = await ask("caller");
    expect(error).toBeUndefined();
    expect(events).toEqual([
      { type: "text", text: "One moment. " },
      {
        type: "tool_calls",
        calls: [
          { name: "look_up", arguments: '{"word":"one"}' },
          { name: "look_up", arguments: '{"word":"two"}' },
        ],
      },
      { type: "finish", finishReason: "tool_calls", usage: { input_tokens: 21, output_tokens: 7 }, model: "caller" },
    ]);
  });

  it("are called by an answer that comes whole, too", async () => {
    provider.model("whole-caller", (exchange) =>
      exchange.json(200, {
        choices: [{ index: 0, message: { content: null, tool_calls: [piece(0, "one")] }, finish_reason: "tool_calls" }],
      }),
    );
    const { events } = await ask("whole-caller");
    expect(events.map(({ type }) => type)).toEqual(["tool_calls", "finish"]);
  });

  it("are called by nobody to whom they were not offered", async () => {
    provider.model("unasked-caller", (exchange) => {
      exchange.text("Hello");
      call(exchange, [piece(0, "one")]);
    });
    const { events } = await withModel("unasked-caller", (model) => generate(model, hello, "none"));
    expect(events.map(({ type }) => type)).toEqual(["text", "finish"]);
  });

  it.each(["length", "content_filter"])("are not called by an answer that ends by %s", async (reason) => {
    provider.model(`cut-by-${reason}`, (exchange) => call(exchange, [piece(0, "one")], reason));
    const { events } = await ask(`cut-by-${reason}`);
    expect(events).toMatchObject([{ type: "finish", finishReason: reason }]);
  });

  it.each([
    [
      "more than 16 of them",
      (exchange: ProviderExchange) =>
        call(
          exchange,
          Array.from({ length: 17 }, (_, i) => piece(i, "w")),
        ),
    ],
    ["more than 64 Ki characters", (exchange: ProviderExchange) => call(exchange, [piece(0, "w".repeat(64 * 1024))])],
  ])("fail the answer when it asks for %s", async (name, script) => {
    provider.model(name, script);
    expect((await ask(name)).error).toMatchObject({ code: "answer_too_large" });
  });

  it("are told what came of calls, each under its id, with what the server wants back", async () => {
    const extra = { google: { thought_signature: "s" } };
    const calls = [{ id: "call00001", name: "look_up", arguments: '{"word":"one"}' }];
    await ask("echo", [
      ...hello,
      { role: "assistant", content: "", calls: calls.map((made) => ({ ...made, extra })) },
      { role: "tool", callId: "call00001", content: "It means one." },
      { role: "assistant", content: "And then? ", calls },
      { role: "tool", callId: "call00001", content: "Two." },
    ]);
    const called = { id: "call00001", type: "function", function: { name: "look_up", arguments: '{"word":"one"}' } };
    expect(lastBody()["messages"]).toEqual([
      ...hello,
      { role: "assistant", content: null, tool_calls: [{ ...called, extra_content: extra }] },
      { role: "tool", tool_call_id: "call00001", content: "It means one." },
      { role: "assistant", content: "And then? ", tool_calls: [called] },
      { role: "tool", tool_call_id: "call00001", content: "Two." },
    ]);
  });
});

describe("a server that refuses tools", () => {
  it.each([
    [400, { error: { message: "registry.ollama.ai/library/gemma3:4b does not support tools", type: "api_error" } }],
    [400, { error: "hf.co/some/model does not support tools" }],
    [404, { error: { message: "No endpoints found that support tool use. To learn more …", code: 404 } }],
    [
      400,
      { object: "error", message: '"auto" tool choice requires --enable-auto-tool-choice', type: "BadRequestError" },
    ],
    [400, { error: { message: "`tool calling` is not supported with this model", type: "invalid_request_error" } }],
    [400, { error: { message: "deepseek-reasoner does not support Function Calling" } }],
    [400, { error: { message: "Unrecognized request argument supplied: tools", code: null, param: null } }],
    [422, { detail: [{ loc: ["body", "tools"], msg: "Extra inputs are not permitted", type: "extra_forbidden" }] }],
    [500, { error: { code: 500, message: "tools param requires --jinja flag", type: "server_error" } }],
    [500, { error: { code: 500, message: "Unsupported param: tools", type: "server_error" } }],
  ])("is known by a %i like %j, is not asked with them again, and is asked without", async (status, body) => {
    const name = `refuser ${JSON.stringify(body)}`;
    provider.model(name, (exchange) =>
      exchange.request.body["tools"] === undefined
        ? exchange.answer(["Hello"])
        : exchange.json(status, { ...body, [canary]: canary }),
    );
    await withModel(name, async (model) => {
      const before = provider.requestCount;
      const first = await generate(model);
      expect(first).toMatchObject({
        events: [],
        error: { refusesTools: true, code: "upstream_rejected", model: name },
      });
      expect(String(first.error?.cause)).not.toContain(canary);
      expect(await generate(model)).toMatchObject({ events: [], error: { refusesTools: true } });
      expect(provider.requestCount - before).toBe(1);
      expect((await generate(model, hello, "none")).events).toMatchObject([{ text: "Hello" }, { type: "finish" }]);
      expect(model.condition).toBe("configured");
    });
  });

  it.each([
    [401, { error: { message: "no tools for this key" } }, "upstream_auth"],
    [429, { error: { message: "too many tools" } }, "upstream_rate_limited"],
    [404, { error: { message: "no model with tools", code: "model_not_found" } }, "model_not_found"],
    [400, { error: { message: "17 tokens in tools", code: "context_length_exceeded" } }, "context_too_long"],
    [400, { error: { message: "no such toolset" } }, "upstream_rejected"],
    [500, { error: { message: "the tools parser crashed" } }, "upstream_error"],
  ])("is none that answers %i with %j", async (status, body, code) => {
    const name = `other ${status} ${code}`;
    provider.model(name, (exchange) => exchange.json(status, body));
    expect((await ask(name)).error).toMatchObject({ code, refusesTools: false });
  });

  it("is forgotten for nobody else: another model of the same list may take them", async () => {
    provider.model("gone", (exchange) => exchange.error(404, { code: "model_not_found" }));
    provider.model("taker", (exchange) => call(exchange, [piece(0, "one")]));
    await withModel(["gone", "taker"], async (model) => {
      expect((await generate(model)).events.map(({ type }) => type)).toEqual(["tool_calls", "finish"]);
    });
  });

  it("is not thought to be one when it refuses only the results of calls that it made", async () => {
    provider.model("forgetful", (exchange) => exchange.json(400, { error: { message: "tools: no signature" } }));
    const results: readonly ModelMessage[] = [
      ...hello,
      { role: "assistant", content: "", calls: [{ id: "call00001", name: "look_up", arguments: "{}" }] },
      { role: "tool", callId: "call00001", content: "one" },
    ];
    await withModel("forgetful", async (model) => {
      const before = provider.requestCount;
      expect((await generate(model, results)).error).toMatchObject({ code: "upstream_rejected" });
      await generate(model);
      expect(provider.requestCount - before).toBe(2);
    });
  });

  it("is asked again after ten minutes", async () => {
    provider.model("refuser", (exchange) => exchange.json(400, { error: { message: "does not support tools" } }));
    let now = 0;
    const { model } = openModel({ baseUrl: provider.baseUrl, models: "refuser", clock: () => now });
    const before = provider.requestCount;
    await generate(model);
    now = 10 * 60_000 - 1;
    await generate(model);
    expect(provider.requestCount - before).toBe(1);
    now += 1;
    await generate(model);
    expect(provider.requestCount - before).toBe(2);
    await model.close();
  });
});
