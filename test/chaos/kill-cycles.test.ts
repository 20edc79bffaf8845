/** P1, P4, P6: what survives `kill -9`: everything that was acknowledged, and everything that anybody saw. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { ChatClient, type ChatEvent, textAfter } from "../../client/index.ts";
import { seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { type Service, startService } from "../helpers/service.ts";
import { startTcpProxy } from "../helpers/tcp-proxy.ts";
import { size } from "./sizes.ts";
import { answerInWords, startWordsProvider } from "./words-provider.ts";

const sendersPerCycle = 10;
const words = 40;

const seed = seedOfRun();

test(`P1, P4, P6, F1: ${size.killCycles} times kill -9 in the middle of answers, and again while they are taken up: no prompt is lost or doubled, every client gets one whole, unbroken answer and one end (SEED=${seed})`, {
  timeout: 60 * 60_000,
}, async () => {
  const random = seededRandom(seed);
  const provider = await startWordsProvider({ words, pieceLength: 7, pauseMs: 4 });
  const directory = await mkdtemp(path.join(tmpdir(), "chat-kill-"));
  const file = path.join(directory, "chat.db");
  const outcomes = { cut: 0, restarted: 0, wentOn: 0, repeatedSends: 0 };
  let service: Service;

  async function start(cycle: number): Promise<Service> {
    const prefill = cycle % 2 === 0 ? "none" : "assistant";
    return startService({
      STORAGE_URL: `sqlite:${file}`,
      OPENAI_BASE_URL: provider.baseUrl,
      OPENAI_MODEL: "words",
      MODEL_PREFILL: prefill,
    });
  }

  service = await start(0);
  const proxy = await startTcpProxy(Number(new URL(service.baseUrl).port));
  const client = new ChatClient({ baseUrl: proxy.url, tries: 1_000, maxDelayMs: 100 });

  /** Kills the service, looks into what it left, and starts it again. */
  async function kill(cycle: number): Promise<void> {
    await service.end("SIGKILL");
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
    service = await start(cycle);
    proxy.target(Number(new URL(service.baseUrl).port));
  }

  async function sendOne(prompt: string, sessionId: string, afterMs: number): Promise<void> {
    await delay(afterMs);
    let connections = 0;
    const onConnection = () => {
      connections += 1;
    };
    const answer = await client.send(sessionId, prompt, { onConnection });
    if (answer.replayed) outcomes.repeatedSends += 1;
    const events: ChatEvent[] = await Array.fromAsync(answer);
    const whole = answerInWords(prompt, words);
    expect(events.reduce(textAfter, "")).toBe(whole);
    expect(events.filter(({ type }) => type === "turn")).toHaveLength(1);
    expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: "end", status: "completed" });
    const { message_history: history } = await client.history(sessionId);
    expect(history.map(({ content }) => content)).toEqual([prompt, whole]);
    const hasReset = events.some(({ type }) => type === "reset");
    if (connections === 0) return;
    outcomes.cut += 1;
    if (hasReset) outcomes.restarted += 1;
    else outcomes.wentOn += 1;
  }

  try {
    for (let cycle = 1; cycle <= size.killCycles; cycle += 1) {
      const open = () => client.openSession({ username: "TR" });
      const sessions = await Promise.all(Array.from({ length: sendersPerCycle }, open));
      const sending = sessions.map(({ session_id: sessionId }, sender) =>
        sendOne(`${cycle}-${sender}`, sessionId, random.between(0, 200)),
      );
      const all = Promise.all(sending);
      all.catch(() => undefined);
      await delay(random.between(0, 500));
      await kill(cycle);
      // Now and then once more, while the answers are being taken up.
      if (random.next() < 0.3) {
        await delay(random.between(0, 200));
        await kill(cycle);
      }
      await all;
      expect(service.log.filter((line) => line.includes("poisoned"))).toEqual([]);
    }
    // The kills must have hit answers, in every way, or nothing has been proven.
    expect(outcomes.cut).toBeGreaterThan(size.killCycles);
    expect(outcomes.restarted).toBeGreaterThan(size.killCycles);
    expect(outcomes.wentOn).toBeGreaterThan(size.killCycles);
    expect(await service.end("SIGTERM")).toBe(0);
    const database = new DatabaseSync(file, { readOnly: true });
    const open = database.prepare("SELECT count(*) AS count FROM turns WHERE status IN ('queued', 'running')").get();
    const turns = database.prepare("SELECT count(*) AS count FROM turns").get();
    database.close();
    expect([open, turns]).toEqual([{ count: 0 }, { count: size.killCycles * sendersPerCycle }]);
  } catch (error) {
    throw new Error(`With SEED=${seed}: ${(error as Error).message}\n${service.log.slice(-5).join("\n")}`, {
      cause: error,
    });
  } finally {
    await proxy.close();
    service.process.kill("SIGKILL");
    await provider.close();
    await rm(directory, { recursive: true, force: true });
  }
});
