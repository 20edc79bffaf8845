/** P8: a stop is final, from anywhere, even before the first token. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { ChatClient } from "../../client/index.ts";
import { patiently, receive, send, textOf } from "../helpers/client.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { startService } from "../helpers/service.ts";
import { size } from "./sizes.ts";

const atOnce = 25;

type Stopped = {
  readonly sessionId: string;
  readonly prompt: string;
  readonly status: string;
  readonly answer: string;
  /** Milliseconds since the epoch: when whoever stopped it was told that it had ended. */
  readonly toldAt: number;
};

type State = { readonly status: string; readonly answer: string };

const seed = seedOfRun();

test(`P8, E11, E14: ${size.stops} stops at random moments: each turn ends once, as its stop was told, with what its readers saw; the model's connection is closed within a second; nothing ever grows again (SEED=${seed})`, {
  timeout: 20 * 60_000,
}, async () => {
  const provider = await startFakeProvider();
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
  const client = new ChatClient({ baseUrl });
  const outcomes = { stopped: 0, completed: 0, beforeText: 0, modelWasQuicker: 0 };

  async function stopOne(number: number): Promise<Stopped> {
    const random = seededRandom(seed * 31 + number);
    const { session_id: sessionId } = await client.openSession({ username: "TR" });
    const response = await patiently(() => send(baseUrl, sessionId, String(number)));
    const reading = Array.fromAsync(receive(response));
    await delay(random.between(0, 350));
    const path = random.next() < 0.5 ? sessionId : `${sessionId}/1`;
    const stop = () => fetch(`${baseUrl}/chat/${path}`, { method: "DELETE" });
    const stops = await Promise.all(random.next() < 0.1 ? [stop(), stop(), stop()] : [stop()]);
    const toldAt = Date.now();
    const told = await Promise.all(stops.map(async (each) => (await each.json()) as State));
    const events = await reading;
    const [{ status, answer }] = told as [State];
    for (const each of told) expect(each).toEqual({ turn: 1, status, answer });
    expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
    expect(events.at(-1)?.data["status"]).toBe(status);
    expect(textOf(events)).toBe(answer);
    outcomes[status as "stopped" | "completed"] += 1;
    if (status === "stopped" && answer === "") outcomes.beforeText += 1;
    return { sessionId, prompt: String(number), status, answer, toldAt };
  }

  const stopped: Stopped[] = [];
  for (let first = 0; first < size.stops; first += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, size.stops - first) }, (_, index) => first + index);
    stopped.push(...(await Promise.all(numbers.map(stopOne))));
  }

  const requests = new Map(provider.requests.map((request) => [request.messages.at(-1)?.content, request]));
  for (const { prompt, status, toldAt } of stopped) {
    const request = requests.get(prompt);
    if (status !== "stopped" || request === undefined) continue;
    await Promise.race([request.closed, delay(1_000)]);
    // The model may have said its last word just before the stop.
    if (request.abortedAt === undefined) outcomes.modelWasQuicker += 1;
    else expect(request.abortedAt - toldAt).toBeLessThan(1_000);
  }
  expect(provider.openCount).toBe(0);
  for (const { sessionId, status, answer } of stopped) {
    const state = await fetch(`${baseUrl}/chat/${sessionId}/1`, { headers: { accept: "application/json" } });
    expect(await state.json()).toMatchObject({ status, answer });
  }
  expect(outcomes.modelWasQuicker).toBeLessThan(size.stops * 0.1);
  expect(outcomes.stopped + outcomes.completed).toBe(size.stops);
  // The stops must have met answers at all stages, or nothing has been proven.
  expect(outcomes.stopped).toBeGreaterThan(size.stops * 0.3);
  expect(outcomes.completed).toBeGreaterThan(0);
  expect(outcomes.beforeText).toBeGreaterThan(size.stops * 0.05);
  expect(await service.end("SIGTERM")).toBe(0);
  await provider.close();
});
