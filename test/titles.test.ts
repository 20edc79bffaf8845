/** `AUTO_TITLE` from the environment to the list, with a model server that has to be asked. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ask, openSession } from "./helpers/client.ts";
import { type FakeProvider, startFakeProvider } from "./helpers/fake-provider.ts";
import { type Service, startService } from "./helpers/service.ts";

const prompt = "How does a heat pump work?";

describe("AUTO_TITLE", () => {
  let provider: FakeProvider;
  let services: Service[];
  let titleFails: boolean;

  beforeEach(async () => {
    services = [];
    titleFails = false;
    provider = await startFakeProvider();
    provider.model("m", (exchange) => {
      const isTitle = exchange.request.messages[0]?.content.startsWith("You name conversations") ?? false;
      if (isTitle && titleFails) exchange.error(500);
      else exchange.answer([isTitle ? '"How pumps move heat"' : "It moves heat."]);
    });
  });

  afterEach(async () => {
    for (const service of services) await service.end("SIGTERM");
    await provider.close();
  });

  async function start(environment: Record<string, string>): Promise<Service> {
    const service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "m", ...environment });
    services.push(service);
    return service;
  }

  async function titleOf(service: Service, sessionId: string): Promise<unknown> {
    return ((await (await fetch(`${service.baseUrl}/sessions/${sessionId}`)).json()) as { title: unknown }).title;
  }

  const titleRequests = () =>
    provider.requests.filter(({ messages }) => messages[0]?.content.startsWith("You name conversations"));

  test("model: the first words until the model has named the session, which it is asked for once", async () => {
    const service = await start({ AUTO_TITLE: "model" });
    const { sessionId } = await openSession(service.baseUrl);
    await ask(service.baseUrl, sessionId, prompt);
    await vi.waitFor(async () => expect(await titleOf(service, sessionId)).toBe("How pumps move heat"), 10_000);
    await ask(service.baseUrl, sessionId, prompt);
    expect(titleRequests()).toHaveLength(1);
    expect(service.log.join("\n")).not.toContain("pump");
  });

  test("model: a failure is asked for again once, and no later process does so", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "chat-titles-"));
    const environment = { AUTO_TITLE: "model", STORAGE_URL: `sqlite:${path.join(directory, "chat.db")}` };
    titleFails = true;
    const first = await start({ ...environment, MODEL_RETRIES: "5" });
    const { sessionId } = await openSession(first.baseUrl);
    await ask(first.baseUrl, sessionId, prompt);
    await vi.waitFor(() => expect(titleRequests()).toHaveLength(2), 20_000);
    await first.end("SIGKILL");
    titleFails = false;
    const second = await start(environment);
    await ask(second.baseUrl, sessionId, prompt);
    await second.end("SIGTERM");
    expect(titleRequests()).toHaveLength(2);
    const third = await start(environment);
    expect(await titleOf(third, sessionId)).toBe(prompt);
    await third.end("SIGTERM");
    await rm(directory, { recursive: true });
  });

  test.each([
    ["words", prompt],
    ["off", null],
  ])("%s: the title is %j, and the model is asked for none", async (mode, title) => {
    const service = await start({ AUTO_TITLE: mode });
    const { sessionId } = await openSession(service.baseUrl);
    await ask(service.baseUrl, sessionId, prompt);
    await ask(service.baseUrl, sessionId, prompt);
    expect(await titleOf(service, sessionId)).toBe(title);
    expect(titleRequests()).toHaveLength(0);
  });
});
