/** P4: a send that is repeated happens once. */
import { expect, test } from "vitest";
import { ChatClient, readToEnd } from "../../client/index.ts";
import { readHistory } from "../helpers/client.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { type SeededRandom, seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { startService } from "../helpers/service.ts";
import { startTcpProxy } from "../helpers/tcp-proxy.ts";
import { size } from "./sizes.ts";

const sessions = 50;

const seed = seedOfRun();

/** Some connections are cut before a byte of an answer has passed, some in the headers, some in the answer. */
function loseAnswers(random: SeededRandom) {
  return () => {
    if (random.next() < 0.7) return {};
    return { cutAfterBytes: random.pick([0, 0, 100, 600, 1_500]), cutKind: random.pick(["reset", "end"] as const) };
  };
}

test(`P4, E1, E2: ${size.sends} prompts, nearly a third of them sent several times at once, through a network that swallows answers: each is stored, asked of the model and answered once (SEED=${seed})`, {
  timeout: 30 * 60_000,
}, async () => {
  const provider = await startFakeProvider({ record: false });
  const asked = new Map<string, number>();
  provider.model("once", async (exchange) => {
    asked.set(exchange.prompt, (asked.get(exchange.prompt) ?? 0) + 1);
    exchange.answer(["You said ", exchange.prompt, "."]);
  });
  const service = await startService({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "once" });
  const proxy = await startTcpProxy(Number(new URL(service.baseUrl).port));
  const random = seededRandom(seed);
  proxy.plan(loseAnswers(random));
  const client = new ChatClient({ baseUrl: proxy.url, tries: 30, maxDelayMs: 50, silenceMs: 5_000 });
  const direct = new ChatClient({ baseUrl: service.baseUrl });
  let replays = 0;

  /** One session's prompts, one after the other, as a person sends them. */
  async function converse(conversation: number): Promise<void> {
    const { session_id: sessionId } = await direct.openSession({ username: "TR" });
    const count = size.sends / sessions;
    for (let number = 0; number < count; number += 1) {
      const prompt = `${conversation}.${number}`;
      const copies = random.next() < 0.3 ? random.between(2, 5) : 1;
      const idempotencyKey = `key ${prompt}`;
      const answers = await Promise.all(
        Array.from({ length: copies }, async () => {
          const answer = await client.send(sessionId, prompt, { idempotencyKey });
          if (answer.replayed) replays += 1;
          return { turn: answer.turn, ...(await readToEnd(answer)) };
        }),
      );
      for (const answer of answers) {
        expect(answer).toMatchObject({ turn: number + 1, status: "completed", text: `You said ${prompt}.` });
      }
    }
    const history = await readHistory(service.baseUrl, sessionId);
    expect(history.map(({ role, content, turn, status }) => [role, content, turn, status])).toEqual(
      Array.from({ length: count }, (_, number) => [
        ["user", `${conversation}.${number}`, number + 1, "completed"],
        ["assistant", `You said ${conversation}.${number}.`, number + 1, "completed"],
      ]).flat(),
    );
  }

  try {
    await Promise.all(Array.from({ length: sessions }, (_, conversation) => converse(conversation)));
    expect(asked.size).toBe(size.sends);
    expect([...asked].filter(([, times]) => times !== 1)).toEqual([]);
    // Sends must have been repeated, or nothing has been proven.
    expect(replays).toBeGreaterThan(size.sends * 0.3);
  } finally {
    await proxy.close();
    expect(await service.end("SIGTERM")).toBe(0);
    await provider.close();
  }
});
