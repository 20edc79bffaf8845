/** Limits as the environment sets them, for one process and for replicas. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { problemOf, send } from "./helpers/client.ts";
import { type RedisServer, startRedisServer } from "./helpers/redis-server.ts";

const home = "203.0.113.7";
const elsewhere = "198.51.100.9";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());

const places: Readonly<Record<string, () => { readonly url: string; readonly count: number }>> = {
  "one process": () => ({ url: "sqlite::memory:", count: 1 }),
  "two replicas on Redis": () => ({ url: redis.url, count: 2 }),
};

test.each(Object.keys(places))("B21, B25: they hold for %s", async (name) => {
  const { url, count } = places[name]?.() ?? { url: "", count: 0 };
  const environment = { TRUSTED_PROXY_HOPS: "1", ADDRESS_REQUESTS_PER_MINUTE: "6", GUEST_DAILY_TOKENS: "1" };
  const apps: TestApp[] = [];
  for (let index = 0; index < count; index += 1) {
    apps.push(await startTestApp({ ...environment, STORAGE_URL: url, ALLOW_WEAK_REDIS: "1" }));
  }
  try {
    const [first, last] = [apps[0]?.baseUrl ?? "", apps.at(-1)?.baseUrl ?? ""];
    const from = (address: string) => ({ "x-forwarded-for": address });
    const opened = await fetch(`${first}/?username=TR`, { headers: from(home) });
    const { session_id: sessionId } = (await opened.json()) as { session_id: string };
    const headers = { ...from(home), accept: "application/json" };
    expect((await send(first, sessionId, "Hello!", { headers })).status).toBe(200);
    const code = async () => (await problemOf(await send(last, sessionId, "Again!", { headers })))["code"];
    await expect.poll(code).toBe("budget_exhausted");
    const statuses: number[] = [];
    for (let index = 0; index < 10; index += 1) {
      const { baseUrl } = apps[index % count] ?? { baseUrl: "" };
      statuses.push((await fetch(`${baseUrl}/sessions/${sessionId}`, { headers: from(elsewhere) })).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429, 429, 429]);
  } finally {
    for (const app of apps) await app.close();
  }
});
