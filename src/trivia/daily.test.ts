import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { alice, bob, mine, ownerOf, playOut } from "../../test/helpers/players.ts";
import { openTestStorage } from "../../test/helpers/storage.ts";
import { openTestTrivia } from "../../test/helpers/trivia.ts";
import type { Storage } from "../storage/storage.ts";
import type { Games } from "./games.ts";
import type { TriviaOverview } from "./overview.ts";

let storage: Storage;
let games: Games;
let overview: TriviaOverview;
let now: number;

beforeEach(async () => {
  now = Date.parse("2026-11-28T12:00:00Z");
  storage = await openTestStorage(() => now);
  ({ games, overview } = openTestTrivia(storage.games, () => now));
});

afterEach(() => storage.close());

describe("the quiz of the day", () => {
  test("is the same for all, and another one on another day", async () => {
    const [one, other] = [await games.start(alice, { daily: true }), await games.start(bob, { daily: true })];
    expect(one).toMatchObject({ daily: "2026-11-28", questions: 10 });
    expect((await playOut(games, other, "b", ownerOf(bob))).verdicts.map(({ question }) => question)).toEqual(
      (await playOut(games, one)).verdicts.map(({ question }) => question),
    );
    now += 24 * 60 * 60_000;
    const next = await games.start(alice, { daily: true });
    expect(next.question?.question).not.toBe(one.question?.question);
  });

  test("is of no show and no difficulty, whatever is wished for besides", async () => {
    const game = await games.start(alice, { daily: true, show: "frasier", difficulty: "hard" });
    expect(game).toMatchObject({ daily: "2026-11-28", show: null, difficulty: null });
    await playOut(games, game);
    expect((await overview.leaderboard(mine, undefined)).entries).toHaveLength(1);
    expect((await overview.leaderboard(mine, "frasier")).entries).toEqual([]);
  });

  test("is played once a day by each, also by many tries at once, and whoever tries again is told which game it is", async () => {
    const tries = await Promise.allSettled([1, 2, 3].map(() => games.start(alice, { daily: true })));
    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const [game] = (await Array.fromAsync(storage.owners.games(alice))).flat();
    await expect(games.start(alice, { daily: true })).rejects.toMatchObject({
      code: "daily_already_played",
      detail: expect.stringContaining(game?.gameId ?? "no game"),
    });
    expect((await Array.fromAsync(storage.owners.games(alice))).flat()).toHaveLength(1);
  });

  test("whoever died between taking the day and beginning the game has not played it", async () => {
    await storage.games.takeDay(alice, "2026-11-28", "f".repeat(32));
    expect(await games.start(alice, { daily: true })).toMatchObject({ game_id: "f".repeat(32), answered: 0 });
  });

  test("with its key the start comes again, and gives the same game", async () => {
    const game = await games.start(alice, { daily: true }, "key");
    expect(await games.start(alice, { daily: true }, "key")).toEqual(game);
  });
});
