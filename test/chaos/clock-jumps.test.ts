/** P20: the machine's clock is set while the service runs, by hours and by moments; nothing that was promised depends on it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { openSession, patiently, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type FakeClock, removeSharedMemory, startFakeClock } from "../helpers/fake-clock.ts";
import { type RedisServer, startRedisServer } from "../helpers/redis-server.ts";
import { type Service, startService } from "../helpers/service.ts";
import { ClockGames } from "./clock-games.ts";
import { suspiciousLines } from "./service-condition.ts";
import { size } from "./sizes.ts";
import { answerInWords, startWordsProvider } from "./words-provider.ts";

const hour = 3_600;

/** Where the clock is set to, one after the other, in seconds from the real time. */
const jumps = [hour, 0, -hour, 0.4, -0.4, 2, 0, -hour];

/** Milliseconds between two jumps; an answer takes longer. */
const pause = 1_100;
const words = 24;
const pieceLength = 11;
const talkers = 6;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const limits = { TRUSTED_PROXY_HOPS: "1", ADDRESS_REQUESTS_PER_MINUTE: "0", NOT_FOUND_PER_MINUTE: "3" };
const answerSeconds = 8;

async function startProvider(): Promise<Record<string, string>> {
  const provider = await startWordsProvider({ words, pieceLength, pauseMs: 50 });
  closers.push(() => provider.close());
  return { OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "words" };
}

async function clockAt(seconds: number): Promise<FakeClock> {
  const clock = await startFakeClock(seconds);
  closers.push(() => clock.close());
  return clock;
}

async function startWith(environment: Record<string, string>, clock: FakeClock | undefined): Promise<Service> {
  const service = await startService({
    ...limits,
    TRIVIA_ANSWER_SECONDS: String(answerSeconds),
    // A question in the model's own words would take its time.
    TRIVIA_MODEL: "off",
    RETENTION_GUEST_DAYS: "1",
    ...environment,
    ...clock?.environment,
  });
  closers.push(async () => {
    await service.end("SIGKILL");
    await removeSharedMemory(service.process.pid);
  });
  return service;
}

async function hello(baseUrl: string, sessionId: string, headers: Record<string, string> = {}): Promise<void> {
  const response = await patiently(() => send(baseUrl, sessionId, "Hello", { headers }));
  expect(response.status).toBe(200);
  await response.text();
}

/** Sends one prompt after the other into one session, each of them twice and sometimes two at once, until told to stop. */
async function talk(services: readonly Service[], talker: number, isOver: () => boolean): Promise<number> {
  const service = (round: number) => services[(talker + round) % services.length] as Service;
  const { sessionId } = await openSession(service(0).baseUrl);
  let turns = 0;
  for (let round = 0; !isOver(); round += 1) {
    const prompts = round % 2 === 0 ? [`${talker}-${round}`] : [`${talker}-${round}`, `${talker}-${round}-waits`];
    const sendOnce = (prompt: string, place: number) =>
      patiently(() =>
        send(service(round + place).baseUrl, sessionId, prompt, {
          headers: { "idempotency-key": prompt, "if-busy": "queue" },
        }),
      );
    const read = async (prompt: string, response: Response) => {
      expect(response.status).toBe(200);
      const events = await Array.fromAsync(receive(response));
      expect(textOf(events)).toBe(answerInWords(prompt, words));
      expect(events.filter(({ type }) => type === "reset")).toEqual([]);
      expect(events.filter(({ type }) => type === "turn")).toHaveLength(1);
      expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({ type: "end", data: { status: "completed" } });
      const positions = events.flatMap(({ id }) => (id === undefined ? [] : [Number(id.split(".").at(-1))]));
      expect(positions.every((position, index) => position > (positions[index - 1] ?? -1))).toBe(true);
    };
    const responses: Response[] = [];
    // In their order, so that their turns are, too.
    for (const [place, prompt] of prompts.entries()) responses.push(await sendOnce(prompt, place));
    const numbers = responses.map(({ headers }) => Number(headers.get("x-turn")));
    expect(numbers).toEqual(prompts.map((_, place) => turns + place + 1));
    await Promise.all(prompts.map((prompt, place) => read(prompt, responses[place] as Response)));
    const again = await sendOnce(prompts[0] ?? "", 1);
    expect([again.headers.get("x-turn"), again.headers.get("idempotency-replayed")]).toEqual([
      String(numbers[0]),
      "true",
    ]);
    await read(prompts[0] ?? "", again);
    turns += prompts.length;
  }
  const history = await readHistory(service(0).baseUrl, sessionId);
  expect(history.filter(({ role, status }) => role === "assistant" && status === "completed")).toHaveLength(turns);
  return turns;
}

/** Somebody who asks for what is not there until that is one too many. */
class Prowler {
  readonly #baseUrl: string;
  readonly #address: string;
  /** When the minute ends, at the earliest and at the latest, on the clock of `performance.now()`. */
  #end = { earliest: 0, latest: Number.POSITIVE_INFINITY };

  constructor(baseUrl: string, place: number) {
    this.#baseUrl = baseUrl;
    this.#address = `203.0.113.${place}`;
  }

  async begin(): Promise<void> {
    expect((await this.#ask()).status).toBe(404);
  }

  async beRefused(): Promise<void> {
    await expect.poll(async () => (await this.#ask()).status, { interval: 20, timeout: 20_000 }).toBe(429);
    await this.expectNoLonger();
  }

  /** Wherever the clock stands, a refusal says no more than what is left of the minute. */
  async expectNoLonger(): Promise<void> {
    const asked = performance.now();
    const response = await this.#ask();
    const answered = performance.now();
    if (response.status === 404) return;
    expect(response.status).toBe(429);
    const seconds = Number(response.headers.get("retry-after"));
    expect(seconds).toBeLessThanOrEqual(60);
    // It was rounded up.
    const end = { earliest: asked + (seconds - 1) * 1_000, latest: answered + seconds * 1_000 };
    // Where a machine takes a minute for all this, the next one may have begun.
    if (answered < this.#end.earliest) expect(end.earliest).toBeLessThanOrEqual(this.#end.latest);
    this.#end = end;
  }

  async expectThrough(): Promise<void> {
    await delay(Math.max(this.#end.latest - performance.now(), 0));
    expect((await this.#ask()).status).toBe(404);
  }

  #ask(): Promise<Response> {
    return fetch(`${this.#baseUrl}/chat_history/${"0".repeat(32)}`, {
      headers: { "x-forwarded-for": this.#address },
    });
  }
}

/** Uses the oldest of somebody's sessions, which has then to be the first of their list. */
class Sessions {
  readonly #ids: string[] = [];
  #headers: Record<string, string> = {};

  async open(baseUrl: string): Promise<void> {
    for (let count = 0; count < 3; count += 1) {
      const response = await patiently(() => fetch(`${baseUrl}/?username=Lister`, { headers: this.#headers }));
      const { session_id, token } = (await response.json()) as { session_id: string; token?: string };
      this.#ids.push(session_id);
      if (token !== undefined) this.#headers = { authorization: `Bearer ${token}` };
    }
  }

  async expectInOrder(baseUrl: string): Promise<void> {
    const used = this.#ids.shift() ?? "";
    this.#ids.push(used);
    await hello(baseUrl, used, this.#headers);
    const response = await fetch(`${baseUrl}/sessions?username=Lister`, { headers: this.#headers });
    const { sessions } = (await response.json()) as { sessions: readonly { session_id: string }[] };
    expect(sessions.map(({ session_id }) => session_id)).toEqual([...this.#ids].reverse());
  }
}

/** Milliseconds of CPU that a process has used. */
async function cpuOf({ process: { pid } }: Service): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Sets the clock again and again while everything is used that time has to do with. */
async function useDuringJumps(services: readonly Service[], clock: FakeClock): Promise<void> {
  const isJumping = { now: true };
  const [first, last] = [services[0], services.at(-1)] as [Service, Service];
  const talking = Array.from({ length: talkers }, (_, talker) => talk(services, talker, () => !isJumping.now));
  for (const each of talking) each.catch(() => undefined);
  const prowlers = [new Prowler(last.baseUrl, 1)];
  await prowlers[0]?.beRefused();
  const sessions = new Sessions();
  await sessions.open(last.baseUrl);
  const games = new ClockGames([last.baseUrl, first.baseUrl], answerSeconds);
  await games.begin();
  for (const [index, seconds] of jumps.entries()) {
    // Whose minute has begun before the jump, and who is refused after it.
    const newest = new Prowler(last.baseUrl, index + 2);
    prowlers.push(newest);
    await Promise.all([games.beforeJump(), newest.begin()]);
    await clock.set(seconds);
    const jumped = performance.now();
    await Promise.all([
      games.afterJump(),
      sessions.expectInOrder((index % 2 === 0 ? last : first).baseUrl),
      newest.beRefused(),
      ...prowlers.map((prowler) => prowler.expectNoLonger()),
    ]);
    await delay(Math.max(jumped + pause - performance.now(), 0));
  }
  await games.end();
  isJumping.now = false;
  const turns = await Promise.all(talking);
  // Enough of them ran while the clock jumped.
  expect(Math.min(...turns)).toBeGreaterThan(2);
  if (size.jumpsWaitForLimits) await Promise.all(prowlers.map((prowler) => prowler.expectThrough()));
  for (const service of services) {
    const before = await cpuOf(service);
    await delay(1_000);
    expect((await cpuOf(service)) - before).toBeLessThan(500);
    expect((await fetch(`${service.baseUrl}/readyz`)).status).toBe(200);
    expect(suspiciousLines(service.log)).toEqual([]);
  }
}

test("P20, on SQLite: a clock that jumps by an hour and by moments loses no turn, holds nobody up and makes nothing old or new", {
  timeout: 3 * 60_000,
}, async () => {
  const directory = await mkdtemp(path.join(tmpdir(), "chat-clock-jumps-"));
  closers.push(() => rm(directory, { recursive: true }));
  const environment = { ...(await startProvider()), STORAGE_URL: `sqlite:${directory}/chat.db` };
  // What was used 23.5 hours ago is kept for half an hour more; what was used 25 hours ago is not.
  const used = async (hoursAgo: number) => {
    const clock = await clockAt(-hoursAgo * hour);
    const service = await startWith(environment, clock);
    const { sessionId } = await openSession(service.baseUrl);
    await hello(service.baseUrl, sessionId);
    await service.end("SIGTERM");
    return sessionId;
  };
  const outlived = await used(25);
  const kept = await used(23.5);
  const clock = await clockAt(0);
  const service = await startWith(environment, clock);
  // Before the first look for what is to be deleted, which is a second after the start.
  await clock.set(hour);
  const statusOf = async (sessionId: string) => (await fetch(`${service.baseUrl}/sessions/${sessionId}`)).status;
  await expect.poll(() => statusOf(outlived), { timeout: 10_000 }).toBe(404);
  expect(await statusOf(kept)).toBe(200);
  await useDuringJumps([service], clock);
  expect(await statusOf(kept)).toBe(200);
  expect(await service.end("SIGTERM")).toBe(0);
});

test("P20, on Redis: of two replicas one has a clock that jumps, and all goes by the server's", {
  timeout: 3 * 60_000,
}, async () => {
  const redis: RedisServer = await startRedisServer();
  closers.push(() => redis.close());
  const environment = { ...(await startProvider()), STORAGE_URL: redis.url };
  const clock = await clockAt(-hour);
  const services = [await startWith(environment, undefined), await startWith(environment, clock)];
  await useDuringJumps(services, clock);
  // An hour behind, as it is now, it would have the session deleted an hour too early.
  const { baseUrl } = services[1] as Service;
  const { sessionId } = await openSession(baseUrl);
  await hello(baseUrl, sessionId);
  const left = async () => Number(await redis.command("PTTL", `chat:{${sessionId}}`)) / 1_000;
  await expect.poll(left).toBeGreaterThan(0);
  expect(Math.abs((await left()) - 24 * hour)).toBeLessThan(30);
  for (const service of services) expect(await service.end("SIGTERM")).toBe(0);
});
