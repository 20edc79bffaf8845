/**
 * P16, K4, K5, K6: what people say and what opens doors gets nowhere but where it belongs. Every input carries a word of its
 * own, at the highest level of logging; then everything that an operator sees is searched for all of them.
 */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type FakeProvider, canary as providerCanary, startFakeProvider } from "./helpers/fake-provider.ts";
import { openConnection } from "./helpers/http-socket.ts";
import { type RedisServer, startRedisServer } from "./helpers/redis-server.ts";
import { type Service, startService } from "./helpers/service.ts";

/** One for each way in; letters that no other text has. */
const canaries = {
  prompt: "zqprompt",
  username: "zqusername",
  title: "zqtitle",
  instructions: "zqinstructions",
  systemPrompt: "zqsystem",
  apiKey: "zqapikey",
  metricsToken: "zqmetricstoken0123",
  otlpHeader: "zqotlpheader",
  idempotencyKey: "zqidempotency",
  token: "zqtoken",
  cookie: "zqcookie",
  query: "zqquery",
  path: "zqpath",
  userAgent: "zqagent",
  forwarded: "zqforwarded",
  requestId: "zqrequestid",
  malformed: "zqmalformed",
  answer: "zqanswer",
} as const;

const redInTerminals = "\u001b[31m";

let provider: FakeProvider;
let redis: RedisServer;
let secrets: string;

beforeAll(async () => {
  provider = await startFakeProvider();
  provider.model("talks", (exchange) => exchange.answer([canaries.answer, " and more"]));
  redis = await startRedisServer();
  secrets = await mkdtemp(path.join(tmpdir(), "chat-secrets-"));
  await writeFile(path.join(secrets, "metrics"), `${canaries.metricsToken}\n`);
  await writeFile(path.join(secrets, "key"), `sk-${canaries.apiKey}\n`);
  await writeFile(path.join(secrets, "otlp"), `x-key=${canaries.otlpHeader}\n`);
});
afterAll(async () => {
  await provider.close();
  await redis.close();
  await rm(secrets, { recursive: true });
});

/** Everything that was sent to it, as text. */
async function startCollector(): Promise<{ readonly url: string; readonly bodies: readonly string[] }> {
  const bodies: string[] = [];
  const server = http.createServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()).toString());
    response.setHeader("content-type", "application/json").end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies };
}

/** Talks to the service in every way that can carry a word, and gives the problems that it answered. */
async function talk({ baseUrl }: Service): Promise<string[]> {
  const problems: string[] = [];
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(baseUrl + path, init);
    const text = await response.text();
    if (!response.ok) problems.push(text);
    return text;
  };
  const json = { "content-type": "application/json" };
  const headers = {
    ...json,
    cookie: `a=${canaries.cookie}`,
    "user-agent": canaries.userAgent,
    "x-forwarded-for": canaries.forwarded,
    "idempotency-key": canaries.idempotencyKey,
    "x-request-id": `${canaries.requestId} ${redInTerminals.slice(1)}`,
  };
  const opened = await ask("/sessions", {
    method: "POST",
    headers: json,
    body: JSON.stringify({
      username: canaries.username,
      title: canaries.title,
      instructions: canaries.instructions,
    }),
  });
  const { session_id: id, token } = JSON.parse(opened) as { session_id: string; token: string };
  const prompt = (payload: unknown) => ({ method: "PUT", headers, body: JSON.stringify({ payload }) });
  await ask(`/chat/${id}`, prompt(`${canaries.prompt}\r\n${redInTerminals}\u0000`));
  await ask(`/chat/${id}`, prompt(`another ${canaries.prompt}`));
  await ask(`/chat/${id}`, prompt({ [canaries.prompt]: 1 }));
  await ask(`/chat/${id}`, { method: "PUT", headers: json, body: `{"payload":"${canaries.malformed}` });
  await ask(`/chat_history/${id}?limit=${canaries.query}`);
  await ask(`/${canaries.path}?q=${canaries.query}`);
  await ask(`/chat/${id}/1?after=${canaries.query}`);
  await ask("/sessions?username=TR", { headers: { authorization: `Bearer ${canaries.token}` } });
  const authorized = { headers: { authorization: `Bearer ${token}` } };
  await ask(`/sessions?username=${canaries.username}`, authorized);
  await ask(`/sessions/search?q=${canaries.prompt}+${canaries.query}`, authorized);
  await ask(`/sessions/search?q=${canaries.query}&limit=${canaries.query}`, authorized);
  await ask("/metrics", { headers: { authorization: `Bearer ${canaries.metricsToken}x`, via: "1.1 a" } });
  return problems;
}

/** Bytes that no client library would send: line breaks and escapes in what a log line might quote. */
async function sendRaw({ baseUrl }: Service): Promise<void> {
  const { port } = new URL(baseUrl);
  for (const line of [
    `GET /${canaries.path}${redInTerminals}%0d%0a{"level":"fatal"} HTTP/1.1`,
    `GET /%zz${canaries.path} HTTP/1.1`,
    `${canaries.path.toUpperCase()} / HTTP/1.1`,
  ]) {
    const connection = await openConnection(Number(port));
    connection.send(
      `${line}\r\nHost: localhost\r\nX-Request-Id: ${canaries.requestId}${redInTerminals}\r\nConnection: close\r\n\r\n`,
    );
    await connection.waitFor("HTTP/1.1 4");
    connection.socket.destroy();
  }
}

type Seen = Readonly<Record<"log" | "metrics" | "readiness" | "problems" | "traces", string>>;

/** What an operator sees after all of that. */
async function everythingSeen(environment: Record<string, string>): Promise<Seen> {
  const collector = await startCollector();
  const service = await startService({
    LOG_LEVEL: "trace",
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_MODEL: "talks",
    OPENAI_API_KEY_FILE: path.join(secrets, "key"),
    METRICS_TOKEN_FILE: path.join(secrets, "metrics"),
    OTEL_EXPORTER_OTLP_HEADERS_FILE: path.join(secrets, "otlp"),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    SYSTEM_PROMPT: canaries.systemPrompt,
    ...environment,
  });
  const problems = await talk(service);
  await sendRaw(service);
  const metrics = await (await fetch(`${service.baseUrl}/metrics`)).text();
  const readiness = await (await fetch(`${service.baseUrl}/readyz`)).text();
  await service.end("SIGTERM");
  return {
    log: service.log.join("\n"),
    metrics,
    readiness,
    problems: problems.join("\n"),
    traces: collector.bodies.join("\n"),
  };
}

/** Where which of the canaries were found; a problem may quote what its client put into the path. */
function leaks(seen: Partial<Seen>): string[] {
  const words = [...Object.values(canaries), providerCanary, "\u001b", "sk-"];
  return Object.entries(seen).flatMap(([place, text]) =>
    words
      .filter((word) => text.toLowerCase().includes(word.toLowerCase()))
      .map((word) => `${place}: ${JSON.stringify(word)}`),
  );
}

function checkLines(log: string): void {
  const lines = log.split("\n").map((line) => JSON.parse(line) as { level: string; msg: string });
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.filter(({ level }) => level === "fatal")).toEqual([]);
  expect(lines.map(({ msg }) => msg)).toContain("Turn ended");
}

describe("P16, K4, K5, K6: nothing of what people say, and no secret, gets into logs, metrics, problems or traces", () => {
  test.each([
    ["an answer", "sqlite", "talks"],
    ["an answer", "redis", "talks"],
    ["a model server that refuses the key, and quotes it", "sqlite", "401"],
    ["a model server that fails", "sqlite", "error-in-list"],
  ])("after %s, with %s", async (_, kind, model) => {
    const storage = kind === "redis" ? { STORAGE_URL: redis.url } : {};
    const seen = await everythingSeen({ OPENAI_MODEL: model, ...storage });
    expect(leaks(seen)).toEqual([]);
    checkLines(seen.log);
    expect(seen.metrics).toContain("chat_turns_ended_total{");
    expect(seen.traces).toContain("gen_ai.request.model");
    expect(seen.problems.length).toBeGreaterThan(500);
  });

  test("and the search would find them", () => {
    const words = [...Object.values(canaries), providerCanary];
    for (const word of words) expect(leaks({ log: `{"msg":"${word.toUpperCase()}"}` })).not.toEqual([]);
  });
});

test("K4: a start that is refused shows no secret", async () => {
  const failing = startService({
    METRICS_TOKEN: `too short ${canaries.metricsToken}`,
    OPENAI_API_KEY: `sk ${canaries.apiKey}`,
  });
  const error = (await failing.then(
    () => new Error("It started"),
    (reason: unknown) => reason,
  )) as Error;
  expect(error.message).toContain("METRICS_TOKEN must be at least 16");
  expect(leaks({ log: error.message })).toEqual([]);
});
