/** What the process does about an error that nobody handled: it says so, ends what can end, and leaves. */
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openSession, readHistory, send, startTurn, textOf } from "../helpers/client.ts";
import { type FakeProvider, startFakeProvider } from "../helpers/fake-provider.ts";
import { faultEnvironment } from "../helpers/faults.ts";
import { exitOf, getWith, type Service, startService } from "../helpers/service.ts";

let provider: FakeProvider;
let directory: string;
const running: Service[] = [];

beforeAll(async () => {
  provider = await startFakeProvider();
});
afterAll(() => provider.close());

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-errors-"));
});
afterEach(async () => {
  for (const service of running.splice(0)) await service.end("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<Service> {
  const service = await startService({
    OPENAI_BASE_URL: provider.baseUrl,
    STORAGE_URL: `sqlite:${directory}/chat.db`,
    ...environment,
  });
  running.push(service);
  return service;
}

describe("H1: an error that nobody handled", () => {
  /** Causes the fault and gives the exit code, and after how many milliseconds the process was gone. */
  async function causeFault(service: Service): Promise<{ code: number | null; milliseconds: number }> {
    const caused = performance.now();
    const code = await service.end("SIGUSR2");
    return { code, milliseconds: performance.now() - caused };
  }

  const fatal = (service: Service) => service.log.filter((line) => line.includes('"level":"fatal"'));

  test.for(["throws", "rejects"] as const)(
    "when something %s: it is logged as fatal, a running answer may end within 5 s, and the exit is 1",
    async (fault) => {
      const service = await start({ OPENAI_MODEL: "paced-40-30", ...faultEnvironment(fault) });
      const { sessionId, events } = await startTurn(service.baseUrl);
      const { code, milliseconds } = await causeFault(service);
      expect(code).toBe(1);
      expect(milliseconds).toBeLessThan(4_500);
      expect((await events).at(-1)?.data).toMatchObject({ status: "completed" });
      expect(fatal(service)).toHaveLength(1);
      expect(fatal(service)[0]).toMatch(/by a test/);

      const restarted = await start();
      expect(await readHistory(restarted.baseUrl, sessionId)).toMatchObject([{}, { status: "completed" }]);
      await restarted.end("SIGTERM");
    },
  );

  test("takes no new connection and no prompt any more, and an answer that needs longer does not hold up the exit", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip", ...faultEnvironment("throws") });
    const { baseUrl } = service;
    const other = await openSession(baseUrl);
    const { sessionId, events } = await startTurn(service.baseUrl);
    const caused = performance.now();
    service.process.kill("SIGUSR2");
    await expect.poll(() => fatal(service).length, { interval: 5 }).toBe(1);
    // The client's own idle connections may get an answer, a new one may not.
    const agent = new http.Agent({ keepAlive: false });
    await expect(getWith(agent, `${baseUrl}/healthz`)).rejects.toThrow();
    const status = await send(baseUrl, other.sessionId, "Now?").then(
      (response) => response.status,
      () => "refused",
    );
    expect([503, "refused"]).toContain(status);
    expect(await exitOf(service)).toBe(1);
    expect(performance.now() - caused).toBeLessThan(6_500);

    const restarted = await start({ RECOVERY: "interrupt" });
    const [asked, answer] = await readHistory(restarted.baseUrl, sessionId);
    expect(asked?.status).not.toBe("completed");
    expect(answer?.content.startsWith(textOf(await events))).toBe(true);
    expect(await readHistory(restarted.baseUrl, other.sessionId)).toEqual([]);
    await restarted.end("SIGTERM");
  });

  test("again and again while the process stops: the exit comes all the sooner, and the log stays short", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip", ...faultEnvironment("keeps-throwing") });
    const { events } = await startTurn(service.baseUrl);
    const { code, milliseconds } = await causeFault(service);
    expect(code).toBe(1);
    expect(milliseconds).toBeLessThan(3_000);
    expect(fatal(service).length).toBeLessThan(15);
    await events;
  });

  test("while the service drains: the exit comes within 5 s and is 1", async () => {
    const service = await start({ OPENAI_MODEL: "slow-drip", DRAIN_SECONDS: "60", ...faultEnvironment("throws") });
    const { events } = await startTurn(service.baseUrl);
    service.process.kill("SIGTERM");
    await expect.poll(() => service.log.some((line) => line.includes("Shutting down")), { interval: 5 }).toBe(true);
    const { code, milliseconds } = await causeFault(service);
    expect(code).toBe(1);
    expect(milliseconds).toBeLessThan(6_500);
    await events;
  });
});
