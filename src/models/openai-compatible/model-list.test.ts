import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { canary, type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";

let provider: FakeProvider;
beforeEach(async () => {
  provider = await startFakeProvider();
});
afterEach(() => provider.close());

const asked = () => provider.requests.map(({ model }) => model);

describe("a list of models", () => {
  it("passes over a model that the server does not know, in the same answer, and remembers", async () => {
    const { model, log } = openModel({ baseUrl: provider.baseUrl, models: ["gone", "not-found", "echo"] });
    expect(model.name).toBe("gone");
    expect(await collect(model)).toMatchObject({ text: "Hello", finish: { model: "echo" } });
    expect(model.name).toBe("echo");
    await collect(model);
    expect(asked()).toEqual(["gone", "not-found", "echo", "echo"]);
    expect(log.map(({ fields }) => fields)).toEqual([{ model: "gone" }, { model: "not-found" }]);
    await model.close();
  });

  it("passes over a model that is refused inside the stream", async () => {
    const { model } = openModel({ baseUrl: provider.baseUrl, models: ["not-found-in-stream", "echo"] });
    expect(await collect(model)).toMatchObject({ text: "Hello", finish: { model: "echo" } });
    await model.close();
  });

  it.each(["400", "401", "429", "500", "cut-reset"])(
    "does not pass over a model that fails otherwise: %s",
    async (name) => {
      const { model } = openModel({ baseUrl: provider.baseUrl, models: [name, "echo"] });
      expect((await collect(model)).error).toMatchObject({ model: name });
      expect(asked()).toEqual([name]);
      expect(model.name).toBe(name);
      await model.close();
    },
  );

  it("ends in model_not_found when all are refused, and tries all again at the next request", async () => {
    const { model } = openModel({ baseUrl: provider.baseUrl, models: ["gone", "lost"] });
    expect((await collect(model)).error).toMatchObject({ code: "model_not_found", model: "lost" });
    expect(model.name).toBe("gone");
    provider.model("lost", (exchange) => exchange.answer(["found"]));
    expect(await collect(model)).toMatchObject({ text: "found", finish: { model: "lost" } });
    expect(model.name).toBe("lost");
    await collect(model);
    expect(asked()).toEqual(["gone", "lost", "gone", "lost", "lost"]);
    await model.close();
  });

  it("has one limit for the first token, however many models are asked", async () => {
    provider.model("slow-refusal", async (exchange) => {
      await exchange.sleep(200);
      exchange.error(404);
    });
    const { model } = openModel({
      baseUrl: provider.baseUrl,
      models: ["slow-refusal", "headers-then-silence"],
      timeouts: { firstTokenMs: 300 },
    });
    const started = performance.now();
    expect((await collect(model)).error).toMatchObject({ code: "first_token_timeout", model: "headers-then-silence" });
    expect(performance.now() - started).toBeLessThan(450);
    await model.close();
  });
});

describe("a server whose model is not configured", () => {
  it("is asked which models it has, and its first one answers", async () => {
    provider.listModels(["word-list", "echo"]);
    const { model, log } = openModel({ baseUrl: provider.baseUrl, models: undefined, defaultModels: ["gone"] });
    expect(await collect(model)).toMatchObject({ finish: { model: "word-list" } });
    expect(model.name).toBe("word-list");
    expect(log).toEqual([
      {
        level: "info",
        fields: { model: "word-list", server: new URL(provider.baseUrl).origin },
        message: "Using the first model that the model server lists",
      },
    ]);
    await model.close();
  });

  it("is asked in the background, before the first prompt", async () => {
    provider.listModels(["word-list"]);
    const { model } = openModel({ baseUrl: provider.baseUrl, models: undefined });
    await expect.poll(() => model.name).toBe("word-list");
    await model.close();
  });

  it.each<[string, Parameters<FakeProvider["listModels"]>[0]]>([
    ["lists none", []],
    ["has no such route", (response) => void response.writeHead(404).end(canary)],
    ["answers no JSON", (response) => void response.end(`<h1>${canary}</h1>`)],
    ["lists a model whose name cannot be shown", ["two\nlines"]],
    ["drops the connection", (response) => void response.socket?.resetAndDestroy()],
  ])("falls back to the defaults where it %s, says so once, and asks again at the next prompt", async (_, answer) => {
    provider.listModels(answer);
    const { model, log } = openModel({ baseUrl: provider.baseUrl, models: undefined, defaultModels: ["gone", "echo"] });
    expect(await collect(model)).toMatchObject({ text: "Hello", finish: { model: "echo" } });
    expect(await collect(model)).toMatchObject({ text: "Hello", finish: { model: "echo" } });
    const warnings = log.filter(({ message }) => message.includes("defaults"));
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(log)).not.toContain("CANARY");
    provider.listModels(["word-list"]);
    expect(await collect(model)).toMatchObject({ finish: { model: "word-list" } });
    await model.close();
  });

  it("holds an answer up for 3 seconds at most", { timeout: 10_000 }, async () => {
    provider.listModels(() => {});
    const { model } = openModel({ baseUrl: provider.baseUrl, models: undefined });
    const started = performance.now();
    expect(await collect(model)).toMatchObject({ text: "Hello", finish: { model: "echo" } });
    expect(performance.now() - started).toBeGreaterThan(2_900);
    expect(performance.now() - started).toBeLessThan(4_500);
    await model.close();
  });

  it("tells the window that is listed with it, else the one that is known by its name", async () => {
    provider.listModels((response) =>
      response.end(JSON.stringify({ data: [{ id: "gpt-4", max_model_len: 4_000 }, { id: "echo" }] })),
    );
    const { model } = openModel({ baseUrl: provider.baseUrl, models: undefined });
    expect(model.contextWindow).toBeUndefined();
    await model.ready();
    expect(model.contextWindow).toBe(4_000);
    await model.close();
    const { model: configured } = openModel({ baseUrl: provider.baseUrl, models: ["gpt-4", "echo"] });
    expect(configured.contextWindow).toBe(8_192);
    await collect(configured);
    expect(configured.name).toBe("echo");
    expect(configured.contextWindow).toBeUndefined();
    await configured.close();
  });

  it("is asked again when the model it listed is gone", async () => {
    provider.listModels(["first"]);
    provider.model("first", (exchange) => exchange.answer(["one"]));
    const { model } = openModel({ baseUrl: provider.baseUrl, models: undefined });
    expect(await collect(model)).toMatchObject({ text: "one" });
    provider.model("first", (exchange) => exchange.error(404));
    provider.listModels(["echo"]);
    expect((await collect(model)).error).toMatchObject({ code: "model_not_found" });
    expect(await collect(model)).toMatchObject({ text: "Hello", finish: { model: "echo" } });
    await model.close();
  });
});
