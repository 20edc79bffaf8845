/** What an operator sees at /metrics of the whole service. */
import { afterEach, describe, expect, test } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { type FakeProvider, startFakeProvider } from "./helpers/fake-provider.ts";

let app: TestApp;
let provider: FakeProvider | undefined;

afterEach(async () => {
  await app.close();
  await provider?.close();
  provider = undefined;
});

async function openSession(username: string): Promise<string> {
  const response = await fetch(`${app.baseUrl}/?username=${username}`);
  return ((await response.json()) as { session_id: string }).session_id;
}

async function ask(sessionId: string, headers: Record<string, string> = {}, prompt = "Hello!"): Promise<Response> {
  const response = await fetch(`${app.baseUrl}/chat/${sessionId}`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ payload: prompt }),
  });
  await response.text().catch(() => undefined);
  return response;
}

/** Every series and its value. A request is counted when its connection is done with it, so a little later. */
async function series(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${app.baseUrl}/metrics`)).text();
  return new Map(
    [...text.matchAll(/^(?<name>[^#\s]+(?:\{.*\})?) (?<value>\S+)$/gm)].map(({ groups }) => [
      groups?.["name"] ?? "",
      Number(groups?.["value"]),
    ]),
  );
}

async function waitForSeries(expected: Readonly<Record<string, number>>): Promise<void> {
  await expect.poll(async () => Object.fromEntries(await series())).toMatchObject(expected);
}

async function startWithProvider(model: string, environment: Record<string, string> = {}): Promise<void> {
  provider = await startFakeProvider();
  app = await startTestApp({
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "sk-1",
    OPENAI_MODEL: model,
    ...environment,
  });
}

describe("the metrics tell", () => {
  test("how answers end, with their tokens, times and pieces", async () => {
    app = await startTestApp({});
    const sessionId = await openSession("TR");
    await ask(sessionId);
    await ask(sessionId, { "idempotency-key": "k" });
    await ask(sessionId, { "idempotency-key": "k" });
    await waitForSeries({
      chat_turns_running: 0,
      'chat_turns_begun_total{how="asked"}': 2,
      'chat_turns_ended_total{status="completed",reason="none"}': 2,
      'chat_sends_total{outcome="begun"}': 2,
      'chat_sends_total{outcome="replayed"}': 1,
      chat_turn_duration_seconds_count: 2,
      chat_time_to_first_text_seconds_count: 2,
      'chat_http_requests_total{method="PUT",route="/chat/:session_id",status="2xx"}': 3,
      'chat_model_condition{server="first",condition="configured"}': 1,
    });
    const now = await series();
    expect(now.get('chat_tokens_total{model="demo",direction="output"}')).toBeGreaterThan(10);
    expect(now.get("chat_text_pieces_total")).toBeGreaterThan(10);
    expect(now.get("chat_storage_commit_writes_count")).toBeGreaterThan(4);
    expect(now.get("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  });

  test.each([
    ["refuses the key", "401", "upstream_auth", "open"],
    ["has no quota", "quota", "upstream_quota", "configured"],
  ])("D3, D12: that the model server %s", async (_, model, code, condition) => {
    await startWithProvider(model);
    await ask(await openSession("TR"));
    await waitForSeries({
      [`chat_upstream_attempts_total{model="${model}",outcome="${code}"}`]: 1,
      [`chat_turns_ended_total{status="failed",reason="${code}"}`]: 1,
      [`chat_model_condition{server="first",condition="${condition}"}`]: 1,
    });
  });

  test("that an answer was asked for again", async () => {
    await startWithProvider("500", { MODEL_RETRIES: "1" });
    await ask(await openSession("TR"));
    await waitForSeries({
      'chat_upstream_attempts_total{model="500",outcome="upstream_error"}': 2,
      'chat_upstream_retries_total{code="upstream_error"}': 1,
    });
  });

  test("that a prompt waited for another, and was refused", async () => {
    app = await startTestApp({ DEMO_WORD_DELAY_MS: "20" });
    const sessionId = await openSession("TR");
    const first = ask(sessionId);
    await waitForSeries({ chat_turns_running: 1, chat_streams_open: 1, chat_turns_waiting: 0 });
    await ask(sessionId);
    const second = ask(sessionId, { "if-busy": "queue" });
    await waitForSeries({ chat_turns_waiting: 1 });
    await Promise.all([first, second]);
    await waitForSeries({
      chat_turns_waiting: 0,
      'chat_problems_total{code="turn_in_progress"}': 1,
      'chat_sends_total{outcome="queued"}': 1,
      'chat_turns_begun_total{how="waited"}': 1,
      chat_streams_open: 0,
    });
  });

  test("what was done for answers, by the tool", async () => {
    app = await startTestApp({ DEMO_WORD_DELAY_MS: "0" });
    await ask(await openSession("TR"), {}, "Let us play a trivia game!");
    await waitForSeries({ 'chat_tool_calls_total{tool="start_trivia",outcome="done"}': 1 });
  });

  test("how large the database is", async () => {
    app = await startTestApp({
      STORAGE_URL: `sqlite:${process.env["TMPDIR"] ?? "/tmp"}/chat-metrics-${process.pid}.db`,
    });
    await openSession("TR");
    const now = await series();
    expect(now.get('chat_storage_bytes{file="write_ahead_log"}')).toBeGreaterThan(0);
    expect(now.get('chat_storage_bytes{file="database"}')).toBeGreaterThan(0);
  });
});

describe("H15: the number of series stays the same, however many", () => {
  async function make(sessions: number, prefix: string): Promise<void> {
    for (let index = 0; index < sessions; index += 1) {
      const name = `${prefix}${index}`;
      const sessionId = await openSession(name);
      if (index % 20 === 0) await ask(sessionId);
      await fetch(`${app.baseUrl}/${name}/${sessionId}?${name}`);
      await fetch(`${app.baseUrl}/chat/${name}`, { headers: { "x-request-id": name, "user-agent": name } });
    }
  }

  test("sessions, usernames, paths and request ids there are", async () => {
    app = await startTestApp({ DEMO_WORD_DELAY_MS: "0" });
    await make(20, "a");
    await waitForSeries({ chat_streams_open: 0 });
    const before = [...(await series()).keys()];
    await make(1_000, "b");
    await waitForSeries({ chat_streams_open: 0 });
    const after = [...(await series()).keys()];
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
    expect(after.join("\n")).not.toMatch(/\bb\d+\b|[0-9a-f]{32}/);
  }, 60_000);
});
