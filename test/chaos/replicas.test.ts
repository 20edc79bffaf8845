/** P1, P4, P6, P15 with several replicas on one Redis server: what survives the end of any of them. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { ChatClient, type ChatEvent, textAfter } from "../../client/index.ts";
import { type Replicas, startReplicas } from "../helpers/replicas.ts";
import { seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { size } from "./sizes.ts";
import { answerInWords, startWordsProvider } from "./words-provider.ts";

const { liveStreams } = size;

/** Milliseconds that a deployment gives a process to end. */
const longestEnd = 30_000;
const words = 60;

const seed = seedOfRun();

/** Sends and reads without end, until told to stop; every answer has to be whole, unbroken, stored, and there once. */
class Senders {
  readonly counts = { answers: 0, reconnected: 0, replayed: 0, reset: 0 };
  readonly #client: ChatClient;
  readonly #random = seededRandom(seed);
  readonly #loops: Promise<void>[];
  #stopping = false;

  constructor(baseUrl: string, count: number) {
    this.#client = new ChatClient({ baseUrl, tries: 1_000, maxDelayMs: 500 });
    this.#loops = Array.from({ length: count }, (_, sender) => this.#loop(sender));
    for (const loop of this.#loops) loop.catch(() => undefined);
  }

  /** Resolves when every answer that was begun is there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#loops);
  }

  async #loop(sender: number): Promise<void> {
    await delay(this.#random.between(0, 2_000));
    for (let round = 0; !this.#stopping; round += 1) await this.#send(`${sender}-${round}`);
  }

  /** A person would ask again, too; opening twice does no harm, so the client leaves that to whoever uses it. */
  async #openSession(): Promise<string> {
    for (;;) {
      try {
        return (await this.#client.openSession({ username: "TR" })).session_id;
      } catch {
        await delay(100);
      }
    }
  }

  async #send(prompt: string): Promise<void> {
    const sessionId = await this.#openSession();
    let connections = 0;
    const answer = await this.#client.send(sessionId, prompt, {
      onConnection: () => {
        connections += 1;
      },
    });
    const events: ChatEvent[] = await Array.fromAsync(answer);
    const whole = answerInWords(prompt, words);
    expect(events.reduce(textAfter, "")).toBe(whole);
    expect(events.filter(({ type }) => type === "turn")).toHaveLength(1);
    expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: "end", status: "completed" });
    const { message_history: history } = await this.#client.history(sessionId);
    expect(history.map(({ content }) => content)).toEqual([prompt, whole]);
    this.counts.answers += 1;
    if (connections > 0) this.counts.reconnected += 1;
    if (answer.replayed) this.counts.replayed += 1;
    if (events.some(({ type }) => type === "reset")) this.counts.reset += 1;
  }
}

async function withReplicas(
  environment: Record<string, string>,
  run: (replicas: Replicas, senders: Senders) => Promise<void>,
): Promise<Senders["counts"]> {
  const provider = await startWordsProvider({ words, pieceLength: 11, pauseMs: 40 });
  const replicas = await startReplicas({
    environment: { OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "words", ...environment },
  });
  try {
    const senders = new Senders(replicas.baseUrl, liveStreams);
    await delay(3_000);
    await run(replicas, senders);
    await senders.stop();
    return senders.counts;
  } catch (error) {
    const logs = replicas.services.flatMap(({ log }) => log.filter((line) => /"level":"(error|fatal)"/.test(line)));
    throw new Error(`With SEED=${seed}: ${(error as Error).message}\n${logs.slice(-20).join("\n")}`, { cause: error });
  } finally {
    await replicas.close();
    await provider.close();
  }
}

test(`G13, P6, P15: ${size.rollingRestarts} rolling restarts with ${liveStreams} live streams: every client ends with one complete text (SEED=${seed})`, {
  timeout: 60 * 60_000,
}, async () => {
  const counts = await withReplicas({ MODEL_PREFILL: "assistant", DRAIN_SECONDS: "1" }, async (replicas) => {
    for (let restart = 0; restart < size.rollingRestarts; restart += 1) {
      const oldest = replicas.services[restart];
      const told = performance.now();
      expect(await oldest?.end("SIGTERM")).toBe(0);
      expect(performance.now() - told).toBeLessThan(longestEnd);
      await replicas.add();
    }
  });
  // The restarts must have hit answers, or nothing has been proven.
  expect(counts.answers).toBeGreaterThan(liveStreams);
  expect(counts.reconnected).toBeGreaterThan(size.rollingRestarts);
});

test(`G13, G14, P1: replicas that are killed or paused ${size.replicaKills} times under ${liveStreams} live streams: every client ends with one complete text (SEED=${seed})`, {
  timeout: 60 * 60_000,
}, async () => {
  const counts = await withReplicas({}, async (replicas) => {
    const random = seededRandom(seed);
    for (let kill = 0; kill < size.replicaKills; kill += 1) {
      const victim = replicas.services[kill];
      if (kill % 2 === 0) {
        await victim?.end("SIGKILL");
        await replicas.add();
      } else {
        // Longer than its leases last: it wakes up to turns that others have taken over.
        victim?.process.kill("SIGSTOP");
        await delay(12_000 + random.between(0, 1_000));
        victim?.process.kill("SIGCONT");
      }
      await delay(random.between(0, 2_000));
    }
  });
  expect(counts.reconnected).toBeGreaterThan(size.replicaKills);
  expect(counts.reset).toBeGreaterThan(0);
});
