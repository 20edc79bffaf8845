import { getEventListeners } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";
import type { ModelEvent } from "../model.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

const prompt = { messages: [{ role: "user", content: "Hello" } as const], username: "TR" };
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function generate(models: string) {
  const { model } = openModel({ baseUrl: provider.baseUrl, models });
  const controller = new AbortController();
  const iterator = model.generate(prompt, controller.signal)[Symbol.asyncIterator]();
  return { model, controller, iterator };
}

describe("stopping an answer", () => {
  it.each(["never-headers", "headers-then-silence", "stall-after-3", "paced-1000-5", "endless", "error-body-slow"])(
    "throws the signal's reason and closes the connection of %s within a second",
    async (models) => {
      const index = provider.requests.length;
      const { model, controller } = generate(models);
      const reason = new Error("stopped by the user");
      const answer = collect(model, "Hello", controller.signal);
      const request = await provider.request(index);
      // Endless would be over by itself soon; the others never.
      if (models !== "endless") await pause(50);
      const stoppedAt = Date.now();
      controller.abort(reason);
      expect((await answer).error).toBe(reason);
      expect((await answer).finish).toBeUndefined();
      await request.closed;
      expect(request.abortedAt).toBeDefined();
      expect((request.abortedAt ?? Number.POSITIVE_INFINITY) - stoppedAt).toBeLessThan(1_000);
      await model.close();
    },
  );

  it("sends nothing at all when the signal had fired before", async () => {
    const before = provider.requestCount;
    const { model, controller } = generate("echo");
    controller.abort();
    const answer = await collect(model, "Hello", controller.signal);
    expect(answer.error).toBe(controller.signal.reason);
    await pause(30);
    expect(provider.requestCount).toBe(before);
    await model.close();
  });

  it("wins over text and a finish that came but were not pulled", async () => {
    const { model, controller, iterator } = generate("paced-3-10");
    expect(await iterator.next()).toMatchObject({ value: { type: "text" } });
    await pause(200);
    controller.abort();
    await expect(iterator.next()).rejects.toBe(controller.signal.reason);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await model.close();
  });

  it("comes too late for a finish that was handed out", async () => {
    const { model, controller, iterator } = generate("echo");
    let last: IteratorResult<ModelEvent> = await iterator.next();
    while (last.done !== true && last.value.type !== "finish") last = await iterator.next();
    controller.abort();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await model.close();
  });

  it("works during the lookup of a model, and sends nothing after it", async () => {
    const own = await startFakeProvider();
    own.listModels(() => {});
    const { model } = openModel({ baseUrl: own.baseUrl, models: undefined });
    const controller = new AbortController();
    const answer = collect(model, "Hello", controller.signal);
    await pause(50);
    controller.abort();
    expect((await answer).error).toBe(controller.signal.reason);
    await model.close();
    await pause(50);
    expect(own.requestCount).toBe(0);
    await own.close();
  });

  it.each(["echo", "500", "stall-after-3"])("leaves no listener on the signal after %s", async (models) => {
    const { model, controller, iterator } = generate(models);
    const pulled = iterator.next();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    await pulled.catch(() => {});
    if (models === "stall-after-3") await iterator.return?.();
    else await pause(100);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    await model.close();
  });
});

describe("leaving an answer", () => {
  it("closes the connection when the loop is broken out of", async () => {
    const index = provider.requests.length;
    const { model, controller } = generate("paced-1000-5");
    for await (const event of model.generate(prompt, controller.signal)) {
      if (event.type === "text") break;
    }
    const leftAt = Date.now();
    const request = await provider.request(index);
    await request.closed;
    expect((request.abortedAt ?? Number.POSITIVE_INFINITY) - leftAt).toBeLessThan(1_000);
    await model.close();
  });

  it("ends a pull that is under way, and every later one", async () => {
    const { model, iterator } = generate("headers-then-silence");
    const pulled = iterator.next();
    await pause(30);
    await iterator.return?.();
    expect(await pulled).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    await model.close();
  });

  it("refuses a second pull while the first one waits", async () => {
    const { model, iterator } = generate("headers-then-silence");
    const pulled = iterator.next();
    await expect(iterator.next()).rejects.toThrow("awaited");
    await iterator.return?.();
    await pulled;
    await model.close();
  });

  it("is what close() does to all of them", async () => {
    const index = provider.requests.length;
    const { model, iterator } = generate("stall-after-3");
    expect(await iterator.next()).toMatchObject({ value: { text: "The quick brown " } });
    await model.close();
    await expect(iterator.next()).rejects.toMatchObject({ code: "upstream_truncated" });
    await (await provider.request(index)).closed;
  });
});
