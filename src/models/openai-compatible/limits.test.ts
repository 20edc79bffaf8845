import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect } from "../../../test/helpers/fake-provider/collect.ts";
import { openModel } from "../../../test/helpers/fake-provider/open-model.ts";
import { type FakeProvider, startFakeProvider } from "../../../test/helpers/fake-provider.ts";
import type { Timeouts } from "./deadlines.ts";

let provider: FakeProvider;
beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

async function ask(models: string, timeouts: Partial<Timeouts>, baseUrl = provider.baseUrl) {
  const { model } = openModel({ baseUrl, models, timeouts });
  const started = performance.now();
  const answer = await collect(model);
  const milliseconds = performance.now() - started;
  await model.close();
  return { ...answer, milliseconds };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("the time limits of an answer", () => {
  it("end one that gets no connection, handshake included", async () => {
    const sockets: net.Socket[] = [];
    const silent = net.createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const baseUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`;
    const answer = await ask("m", { connectMs: 150 }, baseUrl);
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect(answer.error).toMatchObject({ code: "upstream_unreachable" });
    expect(answer.milliseconds).toBeGreaterThan(140);
    expect(answer.milliseconds).toBeLessThan(1_500);
  });

  it.each([
    ["never-headers", { headersMs: 150 }, "upstream_timeout", ""],
    ["headers-then-silence", { headersMs: 50, firstTokenMs: 150 }, "first_token_timeout", ""],
    ["comments-forever", { firstTokenMs: 150 }, "first_token_timeout", ""],
    ["stall-after-3", { firstTokenMs: 50, gapMs: 150 }, "upstream_stalled", "The quick brown "],
    ["slow-drip", { gapMs: 100, turnMs: 200 }, "turn_time_limit", undefined],
  ])("end one of a server like %s with %j as %s", async (name, timeouts, code, text) => {
    const answer = await ask(name, timeouts);
    expect(answer.error).toMatchObject({ code, model: name });
    if (text !== undefined) expect(answer.text).toBe(text);
    expect(answer.finish).toBeUndefined();
    expect(answer.milliseconds).toBeGreaterThan(140);
    expect(answer.milliseconds).toBeLessThan(1_500);
  });

  it.each(["comments-after-3", "empty-deltas-after-3"])(
    "let signs of life hold the gap open, but only ten in a row: %s",
    async (name) => {
      // One every 20 ms: without the ten, the gap would end after 150 ms; without their limit, never.
      const answer = await ask(name, { gapMs: 150, turnMs: 5_000 });
      expect(answer.error).toMatchObject({ code: "upstream_stalled" });
      expect(answer.milliseconds).toBeGreaterThan(300);
      expect(answer.milliseconds).toBeLessThan(2_000);
    },
  );

  it("leave an answer alone that keeps coming", async () => {
    const answer = await ask("paced-20-20", { headersMs: 200, firstTokenMs: 200, gapMs: 200 });
    expect(answer.error).toBeUndefined();
    expect(answer.milliseconds).toBeGreaterThan(390);
  });

  it("close the connection", async () => {
    const index = provider.requests.length;
    const { model } = openModel({ baseUrl: provider.baseUrl, models: "stall-after-3", timeouts: { gapMs: 50 } });
    await collect(model);
    const request = await provider.request(index);
    await request.closed;
    expect(request.abortedAt).toBeDefined();
    await model.close();
  });

  it("count the wait for a free connection", async () => {
    const { model } = openModel({
      baseUrl: provider.baseUrl,
      models: "paced-100-20",
      maxConnections: 1,
      timeouts: { headersMs: 200 },
    });
    const stop = new AbortController();
    const first = collect(model, "Hello", stop.signal);
    await pause(50);
    const second = await collect(model);
    expect(second.error).toMatchObject({ code: "upstream_timeout" });
    stop.abort();
    await first;
    await model.close();
  });
});

describe("an answer that nobody pulls", () => {
  const size = 900_000;

  async function pullSlowly(firstWaitMs: number, timeouts: Partial<Timeouts>) {
    provider.model("flood", async (exchange) => {
      const piece = "x".repeat(9_000);
      for (let sent = 0; sent < size; sent += piece.length) {
        exchange.text(piece);
        await exchange.sleep(1);
      }
      exchange.complete(1);
    });
    const { model } = openModel({ baseUrl: provider.baseUrl, models: "flood", timeouts });
    const pieces: string[] = [];
    let finished = false;
    const request = { messages: [{ role: "user", content: "Hello" } as const], username: "TR" };
    for await (const event of model.generate(request, new AbortController().signal)) {
      if (event.type === "finish") finished = true;
      else if (event.type === "text") pieces.push(event.text);
      if (pieces.length === 1) await pause(firstWaitMs);
    }
    await model.close();
    return { pieces, finished };
  }

  it("gathers 64 KiB and one read more at most, then makes the server wait, and loses nothing", async () => {
    const { pieces, finished } = await pullSlowly(600, {});
    expect(finished).toBe(true);
    expect(pieces.join("")).toHaveLength(size);
    expect(pieces[1]?.length).toBeGreaterThanOrEqual(64 * 1024);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(2 * 64 * 1024);
  });

  it("is not called stalled for it", async () => {
    expect(await pullSlowly(600, { gapMs: 300 })).toMatchObject({ finished: true });
  });
});
