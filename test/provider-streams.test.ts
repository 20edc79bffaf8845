/** What real servers send (test/fixtures/provider-streams), through the whole service: nothing is lost, nothing added. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { ask, openSession, readHistory, send, textOf } from "./helpers/client.ts";
import { type FakeProvider, type ProviderExchange, startFakeProvider } from "./helpers/fake-provider.ts";
import { type ProviderStream, readProviderStreams } from "./helpers/provider-streams.ts";

const streams = readProviderStreams();

let provider: FakeProvider;
/** Serves all the streams that end well; what fails has a service of its own, for failures may have consequences. */
let shared: TestApp;

beforeAll(async () => {
  provider = await startFakeProvider();
  // The prompt names the stream.
  provider.model("recorded", (exchange) => {
    const stream = streams.find(({ name }) => name === exchange.prompt);
    return writeInPieces(exchange, stream?.bytes ?? new Uint8Array());
  });
  shared = await startApp("recorded");
});

afterAll(async () => {
  await closeApp(shared);
  await provider.close();
});

function startApp(model: string, environment: Record<string, string> = {}): Promise<TestApp> {
  return startTestApp({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: model, ...environment });
}

async function closeApp(app: TestApp): Promise<void> {
  await app.close();
  expect(app.log.join("")).not.toContain("CANARY");
}

/** About ten writes of any size, each likely to be a read of its own. */
async function writeInPieces(exchange: ProviderExchange, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(Math.random() * (bytes.length / 5));
    exchange.raw(bytes.subarray(at, end));
    await exchange.sleep(2);
    at = end;
  }
  exchange.end();
}

async function storedAnswer(app: TestApp, sessionId: string): Promise<string> {
  const history = await readHistory(app.baseUrl, sessionId);
  return history.find(({ role }) => role === "assistant")?.content ?? "";
}

async function expectAnswer(app: TestApp, { name, expected }: ProviderStream): Promise<void> {
  const [streaming, waiting] = await Promise.all([openSession(app.baseUrl), openSession(app.baseUrl)]);
  const [events, response] = await Promise.all([
    ask(app.baseUrl, streaming.sessionId, name),
    send(app.baseUrl, waiting.sessionId, name, { accept: "application/json" }),
  ]);
  const body = (await response.json()) as Record<string, unknown>;
  expect(JSON.stringify([events, body])).not.toContain("CANARY");

  expect(textOf(events)).toBe(expected.text);
  expect(await storedAnswer(app, streaming.sessionId)).toBe(expected.text);
  expect(body["answer"] ?? "").toBe(expected.text);
  expect(await storedAnswer(app, waiting.sessionId)).toBe(expected.text);

  const { status, reason, error, finish_reason, usage } = expected;
  const told = reason === undefined ? { status } : { status, reason };
  expect(events.at(-1)).toMatchObject({ type: "end", data: { ...told, finish_reason: error ? null : finish_reason } });
  expect(events.find(({ type }) => type === "error")?.data["code"]).toBe(error);
  expect(body).toMatchObject(status === "failed" ? { code: error } : told);
  if (error === undefined && usage !== null) expect(events.at(-1)?.data["usage"]).toMatchObject(usage);
}

const endingWell = streams.filter(({ expected }) => expected.status === "completed");
const others = streams.filter(({ expected }) => expected.status !== "completed");

test.concurrent.for(endingWell)("$name comes to a client that streams and to one that waits, and is stored", (stream) =>
  expectAnswer(shared, stream),
);

test.concurrent.for(others)("$name is told as what it is, with the text that came", async (stream) => {
  const app = await startApp("recorded");
  await expectAnswer(app, stream);
  await closeApp(app);
});

test("a model that thinks for longer than the first token may take is not late while it thinks", async () => {
  provider.model("thinker", async (exchange) => {
    for (let thought = 0; thought < 25; thought += 1) {
      exchange.chunk({ choices: [{ index: 0, delta: { content: null, reasoning_content: "hmm " } }] });
      await exchange.sleep(100);
    }
    exchange.answer(["42"]);
  });
  const app = await startApp("thinker", { MODEL_FIRST_TOKEN_TIMEOUT_SECONDS: "1.5" });
  const { sessionId } = await openSession(app.baseUrl);
  const events = await ask(app.baseUrl, sessionId, "What is it?");
  expect(textOf(events)).toBe("42");
  expect(events.at(-1)?.data["status"]).toBe("completed");
  expect(await storedAnswer(app, sessionId)).toBe("42");
  await closeApp(app);
});

test("a model that stops in the middle of a thought is stalled", async () => {
  provider.model("lost-in-thought", (exchange) => {
    exchange.chunk({ choices: [{ index: 0, delta: { content: null, reasoning_content: "hmm " } }] });
    return exchange.silence();
  });
  const app = await startApp("lost-in-thought", { MODEL_GAP_TIMEOUT_SECONDS: "0.4" });
  const { sessionId } = await openSession(app.baseUrl);
  const events = await ask(app.baseUrl, sessionId, "What is it?");
  expect(events.find(({ type }) => type === "error")?.data["code"]).toBe("upstream_stalled");
  expect(events.at(-1)?.data["status"]).toBe("failed");
  await closeApp(app);
});
