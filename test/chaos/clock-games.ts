/** Games of which the questions have their time while a clock jumps: what is answered in time is, and what is late is late. */
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { AnsweredView, GameView } from "../../src/protocol/trivia.ts";
import { patiently } from "../helpers/client.ts";

type Running = {
  readonly gameId: string;
  readonly number: number;
  readonly askedAt: string;
  /** On the clock of `performance.now()`. */
  readonly since: number;
};

/** The service's clock may run so much faster or slower than time. */
const pace = 0.1;

export class ClockGames {
  readonly #baseUrls: readonly string[];
  readonly #answerSeconds: number;
  /** Whose first question is answered too late. */
  #slow: Running | undefined;
  #quick: Running | undefined;
  #requests = 0;

  /** @param baseUrls asked in turns */
  constructor(baseUrls: readonly string[], answerSeconds: number) {
    this.#baseUrls = baseUrls;
    this.#answerSeconds = answerSeconds;
  }

  async begin(): Promise<void> {
    this.#slow = { ...(await this.#start("Slow")), since: performance.now() };
  }

  /** A question that is there when the clock jumps. */
  async beforeJump(): Promise<void> {
    this.#quick = await this.#start(`Quick ${this.#requests}`);
  }

  /** It is answered in time, wherever the clock stands now, and the next one comes after it. */
  async afterJump(): Promise<void> {
    const { gameId, number, askedAt, since } = this.#quick as Running;
    const { verdict, game } = await this.#answer(gameId, number);
    const took = performance.now() - since;
    // A machine that is too busy may really be late.
    if (took * (1 + pace) < this.#answerSeconds * 1_000) expect(verdict.rule).not.toBe("too_late");
    const next = this.#runningFrom(game, 0);
    const between = Date.parse(next.askedAt) - Date.parse(askedAt);
    expect(between).toBeGreaterThanOrEqual(0);
    expect(between).toBeLessThan(took * (1 + pace) + 100);
  }

  /** What is answered after its time is late, also where the clock was set back. */
  async end(): Promise<void> {
    const { gameId, number, since } = this.#slow as Running;
    const late = since + (this.#answerSeconds * 1_000) / (1 - pace);
    await delay(Math.max(late - performance.now(), 0) + 500);
    expect((await this.#answer(gameId, number)).verdict.rule).toBe("too_late");
  }

  async #start(username: string): Promise<Running> {
    const since = performance.now();
    return this.#runningFrom(await this.#post<GameView>("/trivia/games", { username }), since);
  }

  #runningFrom({ game_id, question }: GameView, since: number): Running {
    if (question === null) throw new Error("The game is over");
    const { number, asked_at, answer_until } = question;
    expect(Date.parse(answer_until) - Date.parse(asked_at)).toBe(this.#answerSeconds * 1_000);
    return { gameId: game_id, number, askedAt: asked_at, since };
  }

  #answer(gameId: string, number: number): Promise<AnsweredView> {
    return this.#post<AnsweredView>(`/trivia/games/${gameId}/answers`, { number, answer: "a" });
  }

  async #post<Body>(route: string, body: object): Promise<Body> {
    const baseUrl = this.#baseUrls[this.#requests++ % this.#baseUrls.length];
    const response = await patiently(() =>
      fetch(`${baseUrl}${route}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
    if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  }
}
