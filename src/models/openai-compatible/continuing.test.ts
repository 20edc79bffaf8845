/** Going on with an answer, on real sockets; where the seam runs is tested beside continuation.ts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { type OpenModelOptions, openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";
import type { ModelMessage } from "../model.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
  provider.model("goes-on", (exchange) => exchange.answer([" brown", " fox"]));
  provider.model("repeats", (exchange) => exchange.answer(["The q", "uick", " brown", " fox"]));
  provider.model("repeats-as-json", (exchange) =>
    exchange.json(200, {
      choices: [{ index: 0, message: { role: "assistant", content: "The quick brown fox" }, finish_reason: "stop" }],
    }),
  );
  provider.model("repeats-only", (exchange) => exchange.answer(["The quick"]));
  provider.model("begins-alike", (exchange) => exchange.answer(["The ", "qu"]));
});
afterAll(() => provider.close());

const messages: readonly ModelMessage[] = [{ role: "user", content: "Tell me about foxes" }];

/** The rest of an answer, and the requests that it took. */
async function goOn(name: string, answerSoFar = "The quick", options: Partial<OpenModelOptions> = {}) {
  const before = provider.requestCount;
  const { model } = openModel({
    baseUrl: provider.baseUrl,
    models: name,
    prefill: "assistant",
    retries: 2,
    retryBaseMs: 5,
    ...options,
  });
  const answer = await collect(model, messages, undefined, answerSoFar);
  await model.close();
  return { ...answer, requests: provider.requests.slice(before) };
}

describe("an answer that has begun", () => {
  it("goes on from there: the server is given the beginning, and what comes is only the rest", async () => {
    const { text, finish, requests } = await goOn("goes-on");
    expect(text).toBe(" brown fox");
    expect(finish).toMatchObject({ finishReason: "stop", usage: { output_tokens: 2 }, model: "goes-on" });
    expect(requests.map((request) => request.messages)).toEqual([
      [...messages, { role: "assistant", content: "The quick" }],
    ]);
  });

  it("is given to the server in its own way", async () => {
    const { requests } = await goOn("goes-on", "The quick", { prefill: "vllm" });
    expect(requests[0]?.body).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
    const marked = await goOn("goes-on", "The quick", { prefill: "prefix" });
    expect(marked.requests[0]?.messages.at(-1)).toEqual({ role: "assistant", content: "The quick", prefix: true });
  });

  it.each(["repeats", "repeats-as-json"])("does not come twice where the server repeats it: %s", async (name) => {
    expect(await goOn(name)).toMatchObject({ text: " brown fox", finish: { finishReason: "stop" } });
  });

  it("keeps what only began like a repetition when the reply is whole", async () => {
    expect(await goOn("begins-alike")).toMatchObject({ text: "The qu", finish: { finishReason: "stop" } });
  });

  it("is sent without the white space at its end, which does not come twice", async () => {
    const { text, requests } = await goOn("goes-on", "The quick ");
    expect(text).toBe("brown fox");
    expect(requests[0]?.messages.at(-1)?.content).toBe("The quick");
  });

  it("of white space alone is asked for like any other", async () => {
    const { text, requests } = await goOn("goes-on", " ", { prefill: "vllm" });
    expect(text).toBe("brown fox");
    expect(requests[0]?.messages).toEqual(messages);
    expect(requests[0]?.body).not.toHaveProperty("continue_final_message");
    expect(await goOn("empty", " ")).toMatchObject({ error: { code: "empty_answer" } });
  });

  it.each(["empty", "repeats-only"])("may be whole, with nothing to add: %s", async (name) => {
    const { text, error, finish, requests } = await goOn(name);
    expect([text, error, finish?.finishReason, requests.length]).toEqual(["", undefined, "stop", 1]);
  });

  it("is not whole where the server only stops sending, or says no reason", async () => {
    expect(await goOn("cut-before-text")).toMatchObject({ error: { code: "upstream_truncated" } });
    provider.model("done-without-a-word", (exchange) => {
      exchange.done();
      exchange.end();
    });
    expect(await goOn("done-without-a-word")).toMatchObject({ error: { code: "empty_answer" } });
    expect(await goOn("length-empty")).toMatchObject({ error: { code: "context_too_long" } });
  });

  it("is asked for again with its beginning, where nothing new had come: also in the middle of a repetition", async () => {
    let asked = 0;
    provider.model("worse-at-first", (exchange) => {
      asked += 1;
      if (asked === 2) return exchange.error(503);
      if (asked === 3) return exchange.answer(["The quick", " brown", " fox"]);
      exchange.text("The q");
      return exchange.cut();
    });
    const { text, finish, requests } = await goOn("worse-at-first");
    expect([text, finish?.finishReason]).toEqual([" brown fox", "stop"]);
    expect(requests.map((request) => request.messages.at(-1)?.content)).toEqual([
      "The quick",
      "The quick",
      "The quick",
    ]);
  });

  it("is not asked for again once something new has come", async () => {
    provider.model("cut-behind-the-seam", (exchange) => {
      exchange.text("The quick brown");
      return exchange.cut();
    });
    const { text, error, requests } = await goOn("cut-behind-the-seam");
    expect({ text, error }).toMatchObject({ text: " brown", error: { code: "upstream_truncated" } });
    expect(requests).toHaveLength(1);
  });

  it("is refused by a server that cannot go on, and asked for once", async () => {
    const { error, requests } = await goOn("400");
    expect(error).toMatchObject({ code: "upstream_rejected" });
    expect(requests).toHaveLength(1);
  });

  it("cannot be handed to a model that is not set up for it", () => {
    const { model } = openModel({ baseUrl: provider.baseUrl, models: "goes-on" });
    expect(model.continuesAnswers).toBe(false);
    const signal = new AbortController().signal;
    expect(() => model.generate({ messages, username: "TR", answerSoFar: "The" }, signal)).toThrow(TypeError);
    expect(() => model.generate({ messages, username: "TR", answerSoFar: "" }, signal)).not.toThrow();
    expect(openModel({ baseUrl: provider.baseUrl, models: "m", prefill: "prefix" }).model.continuesAnswers).toBe(true);
  });
});
