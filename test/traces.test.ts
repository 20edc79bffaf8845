/** Traces, as a receiver of OTLP over HTTP gets them from the whole service. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { hashOfSession } from "../src/log.ts";
import { openTraces } from "../src/traces/open.ts";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { openSession, send } from "./helpers/client.ts";
import { type FakeProvider, startFakeProvider } from "./helpers/fake-provider.ts";
import { silentLog } from "./helpers/storage.ts";

type Attribute = {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
};
type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly events?: readonly { readonly name: string }[];
  readonly status: { readonly code?: number };
};

type Receiver = {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly headers: readonly http.IncomingHttpHeaders[];
  /** Spans of the largest request. */
  readonly largest: number;
};

let app: TestApp | undefined;
let provider: FakeProvider | undefined;

afterEach(async () => {
  await app?.close();
  await provider?.close();
  app = undefined;
  provider = undefined;
});

async function startReceiver(answer: (response: http.ServerResponse) => void): Promise<Receiver> {
  const received = { spans: [] as ReceivedSpan[], headers: [] as http.IncomingHttpHeaders[], largest: 0 };
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    expect(request.url).toBe("/v1/traces");
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
    const spans = resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: ReceivedSpan[] }[] }) =>
      scopeSpans.flatMap((scope) => scope.spans),
    );
    received.spans.push(...spans);
    received.headers.push(request.headers);
    received.largest = Math.max(received.largest, spans.length);
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(received, { url: `http://127.0.0.1:${port}` });
}

const takesAll = (response: http.ServerResponse) =>
  void response.setHeader("content-type", "application/json").end("{}");

async function start(receiver: Pick<Receiver, "url">, environment: Record<string, string> = {}): Promise<TestApp> {
  provider = await startFakeProvider();
  app = await startTestApp({
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "sk-1",
    OPENAI_MODEL: "echo",
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    ...environment,
  });
  return app;
}

function attributesOf({ attributes }: ReceivedSpan): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]));
}

/** The request, its turn and its call of the model server. */
async function spansOfAnswer(receiver: Receiver): Promise<readonly ReceivedSpan[]> {
  const names = ["PUT /chat/:session_id", "turn", "chat"];
  const find = () => names.flatMap((name) => receiver.spans.find((span) => span.name === name) ?? []);
  await expect.poll(() => find().length, { timeout: 10_000 }).toBe(3);
  return find();
}

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

describe("where OTEL_EXPORTER_OTLP_ENDPOINT names a receiver", () => {
  test("a request, its turn and its call of the model server are spans of the client's trace", async () => {
    const receiver = await startReceiver(takesAll);
    const { baseUrl } = await start(receiver, { OTEL_EXPORTER_OTLP_HEADERS: "x-key=secret%20word" });
    const { sessionId } = await openSession(baseUrl);
    await (await send(baseUrl, sessionId, "Hello!", { headers: { traceparent } })).text();
    const [request, turn, call] = await spansOfAnswer(receiver);
    expect(request).toMatchObject({ traceId, parentSpanId: "00f067aa0ba902b7" });
    expect(turn).toMatchObject({ traceId, parentSpanId: request?.spanId, events: [{ name: "first text" }] });
    expect(call).toMatchObject({ traceId, parentSpanId: turn?.spanId, events: [{ name: "first text" }] });
    expect(turn && attributesOf(turn)).toMatchObject({
      session: hashOfSession(sessionId),
      turn: 1,
      status: "completed",
    });
    expect(call && attributesOf(call)).toMatchObject({ "gen_ai.request.model": "echo", outcome: "answered" });
    expect(JSON.stringify(receiver.spans)).not.toMatch(new RegExp(`${sessionId}|Hello`));
    expect(receiver.headers[0]).toMatchObject({ "x-key": "secret word" });
  });

  test("a client without a trace, or with nonsense for one, gets one of its own", async () => {
    const receiver = await startReceiver(takesAll);
    const { baseUrl } = await start(receiver);
    const { sessionId } = await openSession(baseUrl);
    const headers = { traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` };
    await (await send(baseUrl, sessionId, "Hello!", { headers })).text();
    const [request] = await spansOfAnswer(receiver);
    expect(request?.traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(request?.parentSpanId ?? "").toBe("");
    await fetch(`${baseUrl}/healthz`);
    await app?.close();
    app = undefined;
    expect(receiver.spans.map(({ name }) => name)).not.toContain("GET /healthz");
  });

  test("what failed says so, with its code", async () => {
    const receiver = await startReceiver(takesAll);
    const { baseUrl } = await start(receiver, { OPENAI_MODEL: "401" });
    const { sessionId } = await openSession(baseUrl);
    await (await send(baseUrl, sessionId, "Hello!")).text();
    const [, turn, call] = await spansOfAnswer(receiver);
    for (const span of [turn, call]) {
      expect(span?.status.code).toBe(2);
      expect(span && attributesOf(span)).toMatchObject({ "error.type": "upstream_auth" });
    }
  });

  test("the model server is told of the trace only where the operator says so", async () => {
    const receiver = await startReceiver(takesAll);
    for (const [setting, expected] of [
      ["false", undefined],
      ["true", expect.stringMatching(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))],
    ] as const) {
      const { baseUrl } = await start(receiver, { TRACE_MODEL_SERVER: setting });
      const { sessionId } = await openSession(baseUrl);
      await (await send(baseUrl, sessionId, "Hello!", { headers: { traceparent } })).text();
      const { headers } = (await provider?.request()) ?? {};
      expect(headers?.["traceparent"]).toEqual(expected);
      await app?.close();
      await provider?.close();
    }
  });
});

describe("a receiver that does not take them", () => {
  test.each([
    ["is not there", undefined],
    [
      "answers 500 with words of its own",
      (response: http.ServerResponse) => void response.writeHead(500).end("CANARY"),
    ],
    ["never answers", () => undefined],
  ])("and %s harms nothing", async (_, answer) => {
    const receiver = answer === undefined ? { url: "http://127.0.0.1:9" } : await startReceiver(answer);
    const { baseUrl, log } = await start(receiver);
    const { sessionId } = await openSession(baseUrl);
    for (let turn = 0; turn < 3; turn += 1) {
      const text = await (await send(baseUrl, sessionId, "Hello!")).text();
      expect(text).toContain('"status":"completed"');
    }
    const startedAt = performance.now();
    await app?.close();
    app = undefined;
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(log.join("")).not.toContain("CANARY");
  });

  test("gets them in batches; of those that come too fast a bounded number waits", async () => {
    const receiver = await startReceiver(takesAll);
    const tracer = openTraces({ endpoint: receiver.url, headers: {}, serviceName: "x", version: "1", log: silentLog });
    const end = (name: string) => tracer.begin(name, undefined, {}).end({});
    for (let span = 0; span < 20_000; span += 1) end("early");
    await expect.poll(() => receiver.spans.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2_048);
    // They come in order, so whatever waited before it has come when this one has.
    end("late");
    await expect.poll(() => receiver.spans.map(({ name }) => name), { timeout: 15_000 }).toContain("late");
    await tracer.close();
    expect(receiver.largest).toBeLessThanOrEqual(512);
    expect(receiver.spans.length).toBeLessThanOrEqual(2_048 + 512 + 1);
  });
});

test("nothing of it is loaded where there is no receiver", () => {
  const source = readFileSync(path.join(import.meta.dirname, "../src/app.ts"), "utf8");
  expect(source).toContain('await import("./traces/open.ts")');
  expect(source).not.toMatch(/from "\.\/traces\//);
});
