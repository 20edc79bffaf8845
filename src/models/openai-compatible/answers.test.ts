import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { multilingualText } from "../../../test/helpers/fake-provider/scripts.ts";
import { type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";

const fox = "The quick brown fox jumps over the lazy dog.";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

async function ask(models: string, options: Partial<Parameters<typeof openModel>[0]> = {}, prompt = "Hello") {
  const { model } = openModel({ baseUrl: provider.baseUrl, models, ...options });
  const started = performance.now();
  const answer = await collect(model, prompt);
  const milliseconds = performance.now() - started;
  await model.close();
  return { ...answer, milliseconds };
}

describe("an answer of an OpenAI-compatible server", () => {
  it("comes as text and one finish, which names the model that was asked and not the snapshot that answered", async () => {
    const answer = await ask("echo", {}, "Hello! 😀 What is\n your name?");
    expect(answer.error).toBeUndefined();
    expect(answer.text).toBe("Hello! 😀 What is\n your name?");
    expect(answer.finish).toEqual({
      type: "finish",
      finishReason: "stop",
      usage: { input_tokens: 21, output_tokens: 6 },
      model: "echo",
    });
  });

  it("comes piece by piece, as soon as each is there", async () => {
    const answer = await ask("paced-10-20");
    expect(answer.pieces).toHaveLength(10);
    expect(answer.finish?.finishReason).toBe("stop");
  });

  it("comes as few pieces when its tokens arrive together", async () => {
    const answer = await ask("burst-1000");
    expect(answer.text).toHaveLength(fox.length * 111 + "The ".length);
    expect(answer.pieces.length).toBeLessThan(20);
  });

  it.each([
    ["finish-without-done", "stop", null],
    ["done-without-finish", "unspecified", null],
    ["late-usage", "stop", { input_tokens: 21, output_tokens: 9 }],
    ["json-completion", "stop", { input_tokens: 21, output_tokens: 9 }],
    ["crlf-bom", "stop", { input_tokens: 21, output_tokens: 9 }],
    ["cr-only", "unspecified", null],
    ["length", "length", { input_tokens: 21, output_tokens: 9 }],
    ["done-then-open", "stop", null],
  ])("is whole where the server behaves like %s", async (name, finishReason, usage) => {
    const answer = await ask(name);
    expect(answer.error).toBeUndefined();
    expect(answer.text).toBe(fox);
    expect(answer.finish).toEqual({ type: "finish", finishReason, usage, model: name });
  });

  it("does not take an absurd count of tokens for one", async () => {
    const answer = await ask("usage-absurd");
    expect(answer.finish).toMatchObject({ finishReason: "stop", usage: null });
  });

  it("is not whole before the count of tokens had 2 seconds to come, and then is", async () => {
    const answer = await ask("finish-then-open");
    expect(answer.finish).toMatchObject({ finishReason: "stop", usage: null });
    expect(answer.milliseconds).toBeGreaterThan(1_900);
    expect(answer.milliseconds).toBeLessThan(4_000);
  });

  it("is whole at once when reason and count are there, whatever the server sends after", async () => {
    provider.model("count-then-open", (exchange) => {
      exchange.text("Hello");
      exchange.chunk({
        choices: [{ delta: {}, finish_reason: "stop" }],
        usage: { prompt_tokens: 1, completion_tokens: 1 },
      });
    });
    const answer = await ask("count-then-open");
    expect(answer.finish).toMatchObject({ usage: { input_tokens: 1, output_tokens: 1 } });
    expect(answer.milliseconds).toBeLessThan(1_000);
  });

  it("is not whole at a reason and a count that come with its first piece, as some gateways send them with each", async () => {
    provider.model("ends-early", async (exchange) => {
      for (const content of ["One ", "two ", "three"]) {
        exchange.chunk({
          choices: [{ delta: { content }, finish_reason: "stop" }],
          usage: { prompt_tokens: 1, completion_tokens: 1 },
        });
        await exchange.sleep(100);
      }
      exchange.done();
    });
    expect(await ask("ends-early")).toMatchObject({ text: "One two three", finish: { finishReason: "stop" } });
  });

  it("ends with length, not as too long a conversation, where thoughts used up its tokens", async () => {
    provider.model("thoughts-only", (exchange) => {
      exchange.chunk({ choices: [{ delta: { reasoning_content: "hmm" } }] });
      exchange.answer([], "length");
    });
    expect(await ask("thoughts-only")).toMatchObject({ text: "", finish: { finishReason: "length" } });
  });

  it("comes through exactly where characters are split over packets", async () => {
    expect((await ask("utf8-split")).text).toBe(multilingualText);
  });

  it("ends with content_filter where it was filtered, with the text so far, or refused, with none", async () => {
    expect(await ask("content-filter")).toMatchObject({
      text: "The quick brown ",
      finish: { finishReason: "content_filter" },
    });
    expect(await ask("refusal")).toMatchObject({ text: "", finish: { finishReason: "content_filter" } });
  });

  it.each(["error", "insufficient_system_resource", "abort"])(
    "is never whole when the server gave up with %s",
    async (reason) => {
      provider.model(`gave-up-${reason}`, (exchange) => {
        exchange.text("Half an ans");
        exchange.finish(reason);
        exchange.done();
      });
      const answer = await ask(`gave-up-${reason}`);
      expect(answer.text).toBe("Half an ans");
      expect(answer.finish).toBeUndefined();
      expect(answer.error).toMatchObject({ code: "upstream_error" });
    },
  );

  it.each([
    ["MAX_TOKENS", "length"],
    ["model_length", "length"],
    ["SAFETY", "content_filter"],
    ["end_turn", "stop"],
    ["sk-SECRETKEY", "unspecified"],
  ])("gives the reason %s in OpenAI's words, as %s", async (word, reason) => {
    provider.model(`ended-${word}`, (exchange) => {
      exchange.text("text");
      exchange.finish(word);
      exchange.done();
    });
    expect((await ask(`ended-${word}`)).finish?.finishReason).toBe(reason);
  });

  it("gives its connection back, so that the next one needs none of its own", async () => {
    const { model } = openModel({ baseUrl: provider.baseUrl, models: ["not-found", "end-after-a-while"] });
    provider.model("end-after-a-while", async (exchange) => {
      exchange.text("Hello");
      await exchange.sleep(10);
      exchange.finish();
      exchange.usage(1, 1);
      await exchange.sleep(10);
      exchange.done();
      exchange.end();
    });
    const before = provider.connectionCount;
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await collect(model)).finish).toMatchObject({ finishReason: "stop" });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(provider.connectionCount - before).toBe(1);
    await model.close();
  });

  it("closes the connection of a server that does not end the body a second after [DONE]", async () => {
    const { model } = openModel({ baseUrl: provider.baseUrl, models: "done-then-open" });
    const index = provider.requests.length;
    await collect(model);
    const request = await provider.request(index);
    await request.closed;
    expect(request.abortedAt).toBeDefined();
    await model.close();
  });
});

describe("a request to an OpenAI-compatible server", () => {
  it("carries the messages, the key and the headers of a client that streams", async () => {
    const index = provider.requests.length;
    await ask("echo", {
      apiKey: "sk-test",
      extraBody: { temperature: 0 },
      baseUrl: `${provider.baseUrl}/?api-version=1`,
    });
    const request = await provider.request(index);
    expect(request.url).toBe("/v1/chat/completions?api-version=1");
    expect(request.body).toEqual({
      model: "echo",
      messages: [{ role: "user", content: "Hello" }],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
    });
    expect(request.headers).toMatchObject({
      authorization: "Bearer sk-test",
      accept: "text/event-stream",
      "accept-encoding": "identity",
      "content-type": "application/json",
      "user-agent": "chat-api-service",
    });
  });

  it("carries no authorization where there is no key", async () => {
    const index = provider.requests.length;
    await ask("echo");
    expect((await provider.request(index)).headers).not.toHaveProperty("authorization");
  });

  it("is not sent before somebody pulls", async () => {
    const before = provider.requestCount;
    const { model } = openModel({ baseUrl: provider.baseUrl, models: "echo" });
    model.generate({ messages: [], username: "TR" }, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(provider.requestCount).toBe(before);
    await model.close();
  });
});

describe("openOpenAiCompatibleModel", () => {
  it("refuses at once what could never work", () => {
    expect(() => openModel({ baseUrl: "ftp://example.org", models: "m" })).toThrow(TypeError);
    expect(() => openModel({ baseUrl: provider.baseUrl, models: "m", apiKey: "line\nbreak" })).toThrow(TypeError);
    expect(() => openModel({ baseUrl: provider.baseUrl, models: [], defaultModels: [] })).toThrow(TypeError);
  });
});
