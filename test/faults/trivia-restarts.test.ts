/** What a game survives: `kill -9` in the middle of answers, and requests that are sent until they are answered. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { AnsweredView, GameView, LeaderboardView, VerdictView } from "../../src/protocol/trivia.ts";
import { openRedisStorage } from "../../src/storage/redis/open.ts";
import { startRedisServer } from "../helpers/redis-server.ts";
import { seededRandom, seedOfRun } from "../helpers/seeded-random.ts";
import { type Service, startService } from "../helpers/service.ts";

const players = 6;
const kills = 3;
const seed = seedOfRun();

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function inFile(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-trivia-"));
  closers.push(() => rm(directory, { recursive: true }));
  return `sqlite:${path.join(directory, "chat.db")}`;
}

async function onRedis(): Promise<string> {
  const server = await startRedisServer();
  closers.push(() => server.close());
  return server.url;
}

test.each([
  ["in a file", inFile],
  ["on a Redis server", onRedis],
])(
  `J11, E9: games %s go on after kill -9: no answer that was given is lost, counted twice or judged anew (SEED=${seed})`,
  {
    timeout: 120_000,
  },
  async (_, makeStorage) => {
    const random = seededRandom(seed);
    const environment = { STORAGE_URL: await makeStorage() };
    let service: Service = await startService(environment);
    closers.push(() => service.end("SIGKILL"));
    const given = new Map<string, VerdictView[]>();

    /** Sends until there is an answer of a service that lives. */
    async function post<Body>(path: string, body: object, key: string): Promise<Body> {
      for (;;) {
        try {
          const response = await fetch(service.baseUrl + path, {
            method: "POST",
            headers: { "content-type": "application/json", "idempotency-key": key, ...authorization },
            body: JSON.stringify(body),
          });
          if (response.status < 500) {
            expect([path, response.status]).toEqual([path, path === "/trivia/games" ? 201 : 200]);
            return (await response.json()) as Body;
          }
        } catch (error) {
          // Killed in mid-answer, or not there again yet.
          if (!(error instanceof TypeError)) throw error;
        }
        await delay(20);
      }
    }

    let authorization: Record<string, string> = {};
    const first = await post<GameView & { token: string }>("/trivia/games", { username: "first" }, "first");
    authorization = { authorization: `Bearer ${first.token}` };

    async function play(username: string): Promise<GameView> {
      let game = await post<GameView>("/trivia/games", { username }, "start");
      const verdicts: VerdictView[] = [];
      given.set(game.game_id, verdicts);
      while (game.question !== null) {
        const { number } = game.question;
        const answer = { number, answer: random.pick(["a", "b", "c", "d"]) };
        const body = await post<AnsweredView>(`/trivia/games/${game.game_id}/answers`, answer, `answer ${number}`);
        expect(body.verdict).toMatchObject({ number, given: answer.answer });
        verdicts.push(body.verdict);
        game = body.game;
        await delay(random.between(0, 60));
      }
      return game;
    }

    const playing = Promise.all(Array.from({ length: players }, (_, index) => play(`Player ${index}`)));
    for (let kill = 0; kill < kills; kill += 1) {
      await delay(random.between(20, 250));
      await service.end("SIGKILL");
      service = await startService(environment);
    }
    const games = await playing;
    for (const game of games) {
      expect(game).toMatchObject({ status: "finished", answered: 10 });
      expect(game.verdicts).toEqual(given.get(game.game_id));
      expect(new Set(game.verdicts.map(({ question }) => question)).size).toBe(10);
      expect(await (await fetch(`${service.baseUrl}/trivia/games/${game.game_id}`)).json()).toEqual(game);
    }
    await countLater(environment.STORAGE_URL);
    const board = (await (await fetch(`${service.baseUrl}/trivia/leaderboard`)).json()) as LeaderboardView;
    const scores = games.map(({ username, score }) => ({ username, score, games: 1 }));
    expect(board.entries.map(({ rank: _, ...entry }) => entry).toSorted(byName)).toEqual(scores.toSorted(byName));
  },
);

/** What is done now and then: whoever died over counting a score on Redis is not waited for by anybody. */
async function countLater(url: string): Promise<void> {
  if (!url.startsWith("redis")) return;
  const onFatal = (error: Error) => {
    throw error;
  };
  const storage = await openRedisStorage({ url, clock: () => Date.now() + 120_000, onFatal });
  await storage.games.expire(new AbortController().signal);
  await storage.close();
}

function byName(one: { username: string }, other: { username: string }): number {
  return one.username < other.username ? -1 : 1;
}
