/** P8: a stop is final, from anywhere, even before the first token. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { openSession, receive, send, textOf } from "../helpers/client.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { startService } from "../helpers/service.ts";
import { size } from "./sizes.ts";

const atOnce = 25;

type Stopped = { readonly sessionId: string; readonly status: string; readonly answer: string };

type State = { readonly status: string; readonly answer: string };

const seed = seedOfRun();

test(`P8, E11, E14: ${size.stops} stops at random moments: each turn ends once, as its stop was told, with what its readers saw; the model's connection is closed within a second; nothing ever grows again (SEED=${seed})`, {
  timeout: 20 * 60_000,
}, async () => {
  const provider = await startFakeProvider();
  /** By prompt: the exchange that answers it, when it was begun. */
  provider.model("slow", async (exchange) => {
    const random = seededRandom(seed + Number(exchange.prompt));
    // A fifth is still silent when the stop comes.
    await exchange.sleep(random.next() < 0.2 ? 400 : random.between(0, 20));
    for (let word = 0; word < 30; word += 1) {
      exchange.text(`${exchange.prompt}.${word} `);
      await exchange.sleep(random.between(0, 20));
    }
    exchange.complete(30);
  });
  const service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "slow" });
  const { baseUrl } = service;
  const outcomes = { stopped: 0, completed: 0, beforeText: 0 };

  async function stopOne(number: number): Promise<Stopped> {
    const random = seededRandom(seed * 31 + number);
    const { sessionId } = await openSession(baseUrl);
    const response = await send(baseUrl, sessionId, String(number));
    const reading = Array.fromAsync(receive(response));
    await delay(random.between(0, 350));
    const path = random.next() < 0.5 ? sessionId : `${sessionId}/1`;
    const stop = () => fetch(`${baseUrl}/chat/${path}`, { method: "DELETE" });
    const stops = await Promise.all(random.next() < 0.1 ? [stop(), stop(), stop()] : [stop()]);
    const told = await Promise.all(stops.map(async (each) => (await each.json()) as State));
    const events = await reading;
    const [{ status, answer }] = told as [State];
    for (const each of told) expect(each).toEqual({ turn: 1, status, answer });
    expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
    expect(events.at(-1)?.data["status"]).toBe(status);
    expect(textOf(events)).toBe(answer);
    outcomes[status as "stopped" | "completed"] += 1;
    if (status === "stopped" && answer === "") outcomes.beforeText += 1;
    return { sessionId, status, answer };
  }

  const stopped: Stopped[] = [];
  for (let first = 0; first < size.stops; first += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, size.stops - first) }, (_, index) => first + index);
    stopped.push(...(await Promise.all(numbers.map(stopOne))));
  }

  // Whatever is still asked of the model was asked for nobody.
  await expect.poll(() => provider.openCount, { timeout: 1_000 }).toBe(0);
  const closings = await Promise.all(
    provider.requests.map(async ({ receivedAt, abortedAt, closed }) => {
      await closed;
      return abortedAt === undefined ? 0 : abortedAt - receivedAt;
    }),
  );
  // A whole answer takes less than a second, and a stop comes within a third of one.
  expect(Math.max(...closings)).toBeLessThan(2_000);
  for (const { sessionId, status, answer } of stopped) {
    const state = await fetch(`${baseUrl}/chat/${sessionId}/1`, { headers: { accept: "application/json" } });
    expect(await state.json()).toMatchObject({ status, answer });
  }
  expect(Object.keys(outcomes).sort()).toEqual(["beforeText", "completed", "stopped"]);
  expect(outcomes.stopped + outcomes.completed).toBe(size.stops);
  // The stops must have met answers at all stages, or nothing has been proven.
  expect(outcomes.stopped).toBeGreaterThan(size.stops * 0.3);
  expect(outcomes.completed).toBeGreaterThan(0);
  expect(outcomes.beforeText).toBeGreaterThan(size.stops * 0.05);
  expect(await service.end("SIGTERM")).toBe(0);
  await provider.close();
});
