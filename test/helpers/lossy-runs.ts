/**
 * Conversations over a network that cuts, stalls, lags and drips: a prompt and its answer, in which the client must not
 * lose, double or invent a character.
 */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { ChatClient, type ChatEvent, textAfter } from "../../client/index.ts";
import type { ProviderScript } from "./fake-provider.ts";
import { type SeededRandom, seededRandom } from "./seeded-random.ts";
import { randomPlan, startTcpProxy } from "./tcp-proxy.ts";

/** Whatever a model says, with all that makes trouble when it is cut: characters of any width, line ends, SSE fields. */
const scraps = [
  "a",
  "word ",
  "ö",
  "漢字",
  "😀",
  "👩‍👩‍👧",
  "\n",
  "\r\n",
  "\n\ndata: ",
  "event: end\n\n",
  '"',
  "\\",
  "\u2028",
  "é",
];

function randomText(random: SeededRandom): string {
  return Array.from({ length: random.between(1, 12) }, () => random.pick(scraps)).join("");
}

/** Says what the seed in its prompt makes it say, in pieces of any size, some at once and some after a pause. */
export const seededAnswers: ProviderScript = async (exchange) => {
  const random = seededRandom(Number(/\d+/.exec(exchange.prompt)?.[0]));
  exchange.begin();
  const pieces = random.between(20, 200);
  for (let piece = 0; piece < pieces; piece += 1) {
    exchange.text(`${piece}${randomText(random)}`);
    if (random.next() < 0.3) await exchange.sleep(random.between(1, 8));
  }
  exchange.complete(pieces);
};

export type LossyRuns = {
  /** Of a service whose model gives `seededAnswers`. */
  readonly baseUrl: string;
  readonly runs: number;
  readonly runsAtOnce: number;
  readonly seed: number;
};

/**
 * Holds so many conversations, each over a bad network of its own, and compares what its client was told with what is
 * stored. Gives how many connections and events there were.
 *
 * @throws Error naming the seed and the run, of the first that went wrong
 */
export async function converseOverBadNetworks({ baseUrl, runs, runsAtOnce, seed }: LossyRuns) {
  const direct = new ChatClient({ baseUrl });
  const counts = { connections: 0, events: 0 };

  async function run(number: number): Promise<void> {
    const random = seededRandom(seed + number);
    const proxy = await startTcpProxy(Number(new URL(baseUrl).port));
    try {
      proxy.plan(() => randomPlan(random, { withinBytes: 6_000, stalls: true }));
      const { session_id: sessionId } = await direct.openSession({ username: "TR" });
      const client = new ChatClient({ baseUrl: proxy.url, maxDelayMs: 20, silenceMs: 800, tries: 50 });
      const events: ChatEvent[] = await Array.fromAsync(await client.send(sessionId, `Say ${seed + number}!`));
      const told = events.reduce(textAfter, "");
      const facts = { seed, number, types: countsOf(events), hash: hash(told) };
      const { message_history: messages } = await direct.history(sessionId);
      // One prompt, however often it was sent, and its answer.
      expect(messages.map(({ role, turn }) => `${role} ${turn}`)).toEqual(["user 1", "assistant 1"]);
      expect(facts).toEqual({ ...facts, hash: hash(messages[1]?.content ?? "") });
      expect(facts.types).toMatchObject({ turn: 1, end: 1 });
      expect(events.at(-1)).toMatchObject({ type: "end", status: "completed" });
      expect(facts.types["reset"]).toBeUndefined();
      counts.connections += proxy.connectionCount;
      counts.events += events.length;
    } catch (error) {
      throw new Error(`With SEED=${seed}, run ${number}: ${(error as Error).message}`, { cause: error });
    } finally {
      await proxy.close();
    }
  }

  let started = 0;
  const runSome = async () => {
    while (started < runs) {
      started += 1;
      await run(started);
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce }, runSome));
  return counts;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function countsOf(events: readonly ChatEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
