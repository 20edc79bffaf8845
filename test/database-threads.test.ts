/** The database's own faults: a thread that dies, and a version that must not be used (faults.md, F9 and F11). */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSession, problemOf, readHistory, send } from "./helpers/client.ts";
import { faultEnvironment } from "./helpers/faults.ts";
import { type Service, startService } from "./helpers/service.ts";

let directory: string;
const running: Service[] = [];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "chat-threads-"));
});
afterEach(async () => {
  for (const service of running.splice(0)) await service.end("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<Service> {
  const service = await startService({
    STORAGE_URL: `sqlite:${directory}/chat.db`,
    DEMO_WORD_DELAY_MS: "0",
    ...environment,
  });
  running.push(service);
  return service;
}

test("F9: a SQLite that can damage its file is refused at start, with a sentence that names the version that is needed", async () => {
  const failure = await start(faultEnvironment("has-an-old-database")).then(
    () => expect.unreachable("The service started"),
    (error: Error) => error.message,
  );
  expect(failure).toMatch(/^The service exited with 1:/);
  const { msg } = JSON.parse(failure.trim().split("\n").at(-1) ?? "") as { msg: string };
  expect(msg).toBe("The service cannot start: SQLite 3.51.2 can damage its file; 3.51.3 is needed.");
});

test("F11: when a database thread dies, nothing that is under way is acknowledged, the process exits with 70, and what was acknowledged is there after a restart", async () => {
  const service = await start(faultEnvironment("loses-its-writer"));
  const { baseUrl } = service;
  const sessionIds: string[] = [];
  for (let index = 0; index < 20; index += 1) sessionIds.push((await openSession(baseUrl)).sessionId);
  const acknowledged = new Map<string, string[]>(sessionIds.map((id) => [id, []]));
  const refused: Response[] = [];
  let count = 0;
  const sendUntilGone = async (sessionId: string) => {
    for (;;) {
      count += 1;
      const prompt = `Prompt ${count}`;
      const response = await send(baseUrl, sessionId, prompt);
      if (response.status === 200) acknowledged.get(sessionId)?.push(prompt);
      else refused.push(response.clone());
      await response.text();
    }
  };
  const sending = sessionIds.map((id) => sendUntilGone(id).catch(() => undefined));
  await expect.poll(() => count, { timeout: 10_000 }).toBeGreaterThan(60);
  const gone = once(service.process, "exit");
  service.process.kill("SIGUSR2");
  const [code] = await gone;
  expect(code).toBe(70);
  await Promise.all(sending);
  for (const response of refused) expect((await problemOf(response))["code"]).toMatch(/^storage_|^turn_in_progress$/);
  expect(service.log.join("\n")).toMatch(/"level":"fatal".*Ended by a test/);

  const restarted = await start();
  for (const [sessionId, prompts] of acknowledged) {
    const history = await readHistory(restarted.baseUrl, sessionId);
    expect(history.map(({ content }) => content)).toEqual(expect.arrayContaining(prompts));
  }
  expect(await restarted.end("SIGTERM")).toBe(0);
});
