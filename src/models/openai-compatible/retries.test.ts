/** Retries, breaker and budget at work on real sockets; each rule alone is tested beside its file. */
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { type OpenModelOptions, openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

function open(models: string | readonly string[], options: Partial<OpenModelOptions> = {}) {
  return openModel({ baseUrl: provider.baseUrl, models, retries: 2, retryBaseMs: 5, ...options });
}

/** One answer, and how many requests it took. */
async function ask(models: string | readonly string[], options: Partial<OpenModelOptions> = {}) {
  const before = provider.requestCount;
  const { model, log } = open(models, options);
  const answer = await collect(model);
  await model.close();
  return { ...answer, log, requests: provider.requestCount - before };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const sentence = "The quick brown fox jumps over the lazy dog.";

describe("a failure before any text", () => {
  it.each([
    ["after-1-503", 2],
    ["after-2-503", 3],
    ["after-2-reset-before-headers", 3],
    ["after-2-408", 3],
    ["after-2-429", 3],
    ["after-2-overloaded", 3],
    ["after-2-error-event", 3],
    ["after-1-malformed", 2],
    ["after-1-cut-before-text", 2],
    ["after-1-empty", 2],
  ])("is made good by asking again: %s, with %i requests, and the text comes once", async (name, requests) => {
    expect(await ask(name)).toMatchObject({ error: undefined, text: sentence, finish: { model: name }, requests });
  });

  it.each([
    ["503", 3, "upstream_error"],
    ["malformed", 2, "upstream_malformed"],
    ["cut-before-text", 2, "upstream_truncated"],
    ["empty", 2, "empty_answer"],
    ["do-not-retry", 1, "upstream_error"],
    ["rate-limited", 1, "upstream_rate_limited"],
    ["400", 1, "upstream_rejected"],
    ["quota", 1, "upstream_quota"],
  ])("that stays is the answer's: %s, after %i requests", async (name, requests, code) => {
    expect(await ask(name)).toMatchObject({ error: { code }, text: "", requests });
  });

  it("ends with what the last try met", async () => {
    const codes = [500, 408, 429];
    let asked = 0;
    provider.model("worse-and-worse", (exchange) => exchange.error(codes[asked++] ?? 500));
    expect(await ask("worse-and-worse")).toMatchObject({ error: { code: "upstream_rate_limited" }, requests: 3 });
  });

  it("is told to the log, in our words", async () => {
    const { log } = await ask("after-1-503");
    expect(log).toMatchObject([{ level: "info", fields: { err: { code: "upstream_error" } } }]);
  });

  it("is asked again of the model that failed, and the list goes on only where a model is missing", async () => {
    const answer = await ask(["not-found", "after-1-503", "echo"]);
    expect(answer).toMatchObject({ finish: { model: "after-1-503" }, text: sentence, requests: 3 });
  });

  it("is waited for as Retry-After says, once it is worth that", async () => {
    const started = performance.now();
    expect(await ask("after-1-rate-limited-briefly")).toMatchObject({ text: sentence, requests: 2 });
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  it("ends in time: the first text is due from the first asking on, whatever is tried", async () => {
    const started = performance.now();
    const answer = await ask("never-headers", { timeouts: { headersMs: 200, firstTokenMs: 350 } });
    expect(answer).toMatchObject({ error: { code: "upstream_timeout" }, requests: 2 });
    expect(performance.now() - started).toBeGreaterThan(340);
    expect(performance.now() - started).toBeLessThan(1_500);
    const silent = await ask("headers-then-silence", { timeouts: { firstTokenMs: 200 } });
    expect(silent).toMatchObject({ error: { code: "first_token_timeout" }, requests: 1 });
  });
});

describe("after text", () => {
  it.each(["cut-fin", "cut-reset", "malformed-after-tokens", "error-after-tokens"])(
    "nothing is asked again: %s",
    async (name) => {
      expect(await ask(name)).toMatchObject({ text: "The quick brown ", requests: 1 });
    },
  );
});

describe("stopping while an answer waits to be asked again", () => {
  it("ends the wait at once and asks nothing more", async () => {
    const { model } = open("rate-limited-briefly");
    const controller = new AbortController();
    const index = provider.requests.length;
    const answer = collect(model, "Hello", controller.signal);
    await (await provider.request(index)).closed;
    await pause(100);
    const stoppedAt = performance.now();
    controller.abort();
    expect((await answer).error).toBe(controller.signal.reason);
    expect(performance.now() - stoppedAt).toBeLessThan(500);
    await pause(1_200);
    expect(provider.requests.length - index).toBe(1);
    await model.close();
  });
});

describe("a kept connection that the server has closed", () => {
  /** Answers the first request of each connection, and resets the connection when a second one comes on it. */
  async function startForgetfulServer() {
    const sockets = new Set<net.Socket>();
    const requests = { answered: 0, reset: 0 };
    const event = 'data: {"choices":[{"delta":{"content":"Hello"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${event.length}\r\n\r\n`;
    const server = net.createServer((socket) => {
      sockets.add(socket);
      let heads = 0;
      socket.on("error", () => {});
      socket.on("data", (data) => {
        if (!data.includes("POST ")) return;
        heads += 1;
        requests[heads === 1 ? "answered" : "reset"] += 1;
        if (heads === 1) socket.write(head + event);
        else socket.resetAndDestroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const close = () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    };
    return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests, close };
  }

  it("is no failure: the answer is asked for again at once, even where there are no retries", async () => {
    const server = await startForgetfulServer();
    const { model } = open("m", { baseUrl: server.baseUrl, retries: 0 });
    // More than open a breaker, were they counted.
    for (let answer = 0; answer < 12; answer += 1) {
      expect(await collect(model)).toMatchObject({ text: "Hello", error: undefined });
    }
    expect(server.requests.reset).toBeGreaterThanOrEqual(5);
    expect(model.condition).toBe("configured");
    await model.close();
    server.close();
  });

  it("is forgiven once, and not where the connection was made for it", async () => {
    const listener = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.resetAndDestroy());
    });
    let connections = 0;
    listener.on("connection", () => {
      connections += 1;
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const baseUrl = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/v1`;
    const { model } = open("m", { baseUrl, retries: 0 });
    expect((await collect(model)).error).toMatchObject({ code: "upstream_unreachable" });
    expect(connections).toBe(1);
    await model.close();
    listener.close();
  });
});

describe("a server that is down", () => {
  it("is asked no more than the budget allows, however many answers want their retries", async () => {
    const { model } = open("moody", { clock: () => 0 });
    provider.model("moody", (exchange) =>
      exchange.prompt === "fail" ? exchange.error(503) : exchange.answer(["Hello"]),
    );
    const good = await Promise.all(Array.from({ length: 100 }, () => collect(model)));
    expect(good.filter(({ error }) => error !== undefined)).toEqual([]);
    const before = provider.requestCount;
    const bad = await Promise.all(Array.from({ length: 40 }, () => collect(model, "fail")));
    expect(bad.every(({ error }) => (error as { code?: string }).code === "upstream_error")).toBe(true);
    // Too few of all calls fail for the breaker; the budget is a fifth of 140 and ten.
    expect(model.condition).toBe("configured");
    expect(provider.requestCount - before).toBe(40 + 38);
    await model.close();
  });

  it("is left alone by the answers that are under way, once its breaker is open", async () => {
    const { model } = open("500", { retryBaseMs: 300 });
    const before = provider.requestCount;
    await Promise.all(Array.from({ length: 10 }, () => collect(model)));
    expect(model.condition).toBe("open");
    expect(provider.requestCount - before).toBeLessThan(20);
    await model.close();
  });

  it("keeps nobody waiting for a retry that its breaker will not let through", async () => {
    provider.model("come-back-later", (exchange) => exchange.error(503, {}, { "retry-after": "9" }));
    const { model, log } = open("come-back-later");
    const controller = new AbortController();
    const waiting = Array.from({ length: 4 }, () => collect(model, "Hello", controller.signal));
    await expect.poll(() => log).toHaveLength(4);
    const started = performance.now();
    expect((await collect(model)).error).toMatchObject({ code: "upstream_error", retryAfterSeconds: 9 });
    expect(performance.now() - started).toBeLessThan(5_000);
    controller.abort();
    await Promise.all(waiting);
    await model.close();
  });

  it("D40: gets a single answer to prove itself with, when 20 want one at the same moment", async () => {
    let now = 0;
    provider.model("recovering", (exchange) =>
      now === 0 ? exchange.error(500) : exchange.answer(["Hello ", "again"]),
    );
    const { model } = open("recovering", { retries: 0, clock: () => now });
    for (let answer = 0; answer < 5; answer += 1) await collect(model);
    expect(() => model.admit()).toThrow("upstream_unavailable");
    expect((await collect(model)).error).toMatchObject({ code: "upstream_unavailable", retryAfterSeconds: 10 });
    now = 10_000;
    const before = provider.requestCount;
    const answers = await Promise.all(Array.from({ length: 20 }, () => collect(model)));
    expect(answers.filter(({ text }) => text === "Hello again")).toHaveLength(1);
    expect(provider.requestCount - before).toBe(1);
    expect(model.condition).toBe("configured");
    expect(await collect(model)).toMatchObject({ text: "Hello again" });
    await model.close();
  });

  it("gets no second try where its probe fails", async () => {
    let now = 0;
    const { model } = open("500", { clock: () => now });
    await Promise.all(Array.from({ length: 5 }, () => collect(model)));
    now = 10_000;
    const before = provider.requestCount;
    expect((await collect(model)).error).toMatchObject({ code: "upstream_error" });
    expect(provider.requestCount - before).toBe(1);
    expect(() => model.admit()).toThrow("upstream_unavailable");
    await model.close();
  });

  it.each([
    ["stopped before it began", async (iterator: AsyncIterator<unknown>) => void (await iterator.return?.())],
    [
      "left while it waited",
      async (iterator: AsyncIterator<unknown>) => {
        const pulled = iterator.next();
        await iterator.return?.();
        await pulled;
      },
    ],
  ])("keeps no place for an answer that was %s", async (_how, leave) => {
    let now = 0;
    const { model } = open("500", { retries: 0, clock: () => now });
    for (let answer = 0; answer < 5; answer += 1) await collect(model);
    now = 10_000;
    const request = { messages: [{ role: "user", content: "Hello" } as const], username: "TR" };
    const admission = model.admit();
    const { signal } = new AbortController();
    await leave(model.generate(request, signal, admission)[Symbol.asyncIterator]());
    admission.release();
    model.admit().release();
    await model.close();
  });
});
