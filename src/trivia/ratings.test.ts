import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { alice, answer } from "../../test/helpers/players.ts";
import { openTestStorage } from "../../test/helpers/storage.ts";
import { answerMs, openTestTrivia } from "../../test/helpers/trivia.ts";
import type { GameStore } from "../storage/game-store.ts";
import type { Storage } from "../storage/storage.ts";
import type { Games } from "./games.ts";

let storage: Storage;
let games: Games;
let now: number;

beforeEach(async () => {
  now = Date.parse("2026-11-28T12:00:00Z");
  storage = await openTestStorage(() => now);
  games = gamesOver(storage.games);
});

afterEach(() => storage.close());

function gamesOver(store: GameStore): Games {
  return openTestTrivia(store, () => now).games;
}

describe("ratings", () => {
  const rated = async () => ({
    player: await storage.games.rating(alice),
    facts: await storage.games.factRatings("frasier"),
  });

  test("follow the answers: who is right goes up, and the fact down", async () => {
    const { game } = await answer(games, await games.start(alice, { show: "frasier" }));
    await expect.poll(async () => (await rated()).player.answers).toBe(1);
    expect((await rated()).player.rating).toBeGreaterThan(0);
    expect((await rated()).facts.get("frasier:1")?.rating).toBeLessThan(0);
    await answer(games, game, "b");
    await expect.poll(async () => (await rated()).player.answers).toBe(2);
    expect((await rated()).facts.get("frasier:2")?.rating).toBeGreaterThan(0);
  });

  test("are not moved by what comes too late or comes again", async () => {
    const game = await games.start(alice, { show: "frasier" });
    now += answerMs + 1;
    const { game: later } = await answer(games, game);
    const { game: last } = await answer(games, later, "a", 2, "key");
    await answer(games, later, "a", 2, "key");
    await answer(games, last, "Actor 3", 3);
    await expect.poll(async () => (await rated()).facts.has("frasier:3")).toBe(true);
    expect((await rated()).player.answers).toBe(2);
  });

  test("that cannot be stored take nothing from the answer", async () => {
    games = gamesOver({ ...storage.games, rate: () => Promise.reject(new Error("full")) });
    const { verdict } = await answer(games, await games.start(alice, { show: "frasier" }));
    expect(verdict.correct).toBe(true);
  });
});
