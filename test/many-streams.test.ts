/** Many sessions stream at once: none waits for another. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, openSession, readHistory, textOf } from "./helpers/client.ts";
import { type FakeProvider, startFakeProvider } from "./helpers/fake-provider.ts";
import { type Service, startService } from "./helpers/service.ts";

const tokens = 40;
const tokensPerSecond = 20;

let provider: FakeProvider;
let service: Service;

beforeAll(async () => {
  provider = await startFakeProvider({ record: false });
  provider.model("paced", async (exchange) => {
    exchange.begin();
    for (let token = 0; token < tokens; token += 1) {
      exchange.text(`token ${token} `);
      await exchange.sleep(1_000 / tokensPerSecond);
    }
    exchange.complete(tokens);
  });
  service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "paced" });
});

afterAll(async () => {
  await service.end("SIGTERM");
  await provider.close();
});

async function streamAll(count: number): Promise<number> {
  const sessions = await Promise.all(Array.from({ length: count }, () => openSession(service.baseUrl)));
  const started = performance.now();
  const answer = Array.from({ length: tokens }, (_, token) => `token ${token} `).join("");
  await Promise.all(
    sessions.map(async ({ sessionId }) => {
      const events = await ask(service.baseUrl, sessionId, "Go!");
      expect(textOf(events)).toBe(answer);
      expect(events.at(-1)?.data["status"]).toBe("completed");
    }),
  );
  const elapsed = performance.now() - started;
  const stored = await Promise.all(sessions.map(({ sessionId }) => readHistory(service.baseUrl, sessionId)));
  expect(stored.every(([, message]) => message?.content === answer)).toBe(true);
  return elapsed;
}

test("200 sessions that stream at 20 tokens/s all finish in the time of one", async () => {
  const one = await streamAll(1);
  const many = await streamAll(200);
  // One after the other they would take 200 times as long. The slack is for this test's own 200 clients and a busy machine.
  expect(many / one).toBeLessThan(10);
});
