import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { alice, answer, bob, mine } from "../../test/helpers/players.ts";
import { openTestStorage } from "../../test/helpers/storage.ts";
import { openTestTrivia } from "../../test/helpers/trivia.ts";
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

describe("what comes again with its key", () => {
  test("E1: happens once, and is answered as it was the first time, whatever happened since", async () => {
    const game = await games.start(alice, { show: "frasier", questions: 3 }, "start");
    const helped = await games.hint(mine, game.game_id, { number: 1, kind: "hint" }, "key");
    const first = await answer(games, game, "a", 1, "key");
    now += 1_000;
    const second = await answer(games, first.game, "b", 2, "second");
    const stopped = await games.stop(mine, game.game_id, "key");
    const again = gamesOver(storage.games);
    expect(await again.start(alice, { show: "frasier", questions: 3 }, "start")).toEqual(game);
    expect(await again.hint(mine, game.game_id, { number: 1, kind: "hint" }, "key")).toEqual(helped);
    expect(await again.answer(mine, game.game_id, { number: 1, answer: "a" }, "key")).toEqual(first);
    expect(await again.answer(mine, game.game_id, { number: 2, answer: "b" }, "second")).toEqual(second);
    expect(await again.stop(mine, game.game_id, "key")).toEqual(stopped);
    expect(await storage.games.asked(alice)).toHaveProperty("size", 3);
  });

  test("E1: happens once when it comes many times at once", async () => {
    const begun = await Promise.all([1, 2, 3, 4].map(() => games.start(alice, { show: "frasier" }, "start")));
    expect(new Set(begun.map(({ game_id }) => game_id)).size).toBe(1);
    const [game] = begun;
    if (game === undefined) throw new Error("No game was begun");
    const answers = await Promise.all([1, 2, 3, 4].map(() => answer(games, game, "a", 1, "key")));
    for (const each of answers) expect(each).toEqual(answers[0]);
    expect((await games.read(mine, game.game_id)).answered).toBe(1);
  });

  test("E2: with something else in it is refused", async () => {
    const game = await games.start(alice, { show: "frasier" }, "key");
    await answer(games, game, "a", 1, "key");
    const reused = { code: "idempotency_key_reused" };
    await expect(answer(games, game, "b", 1, "key")).rejects.toMatchObject(reused);
    await expect(answer(games, game, "a", 2, "key")).rejects.toMatchObject(reused);
    await expect(games.start(alice, { show: "seinfeld" }, "key")).rejects.toMatchObject(reused);
    expect((await games.read(mine, game.game_id)).answered).toBe(1);
  });

  test("is another player's own, and another session's", async () => {
    const [one, other] = [await games.start(alice, {}, "key"), await games.start(bob, {}, "key")];
    expect(one.game_id).not.toBe(other.game_id);
  });
});

test("E9: a process that dies once an answer is stored has given it: the next one goes on from there", async () => {
  const lost = gamesOver({
    ...storage.games,
    async append(...given) {
      await storage.games.append(...given);
      throw new Error("killed");
    },
  });
  const game = await games.start(alice, { show: "frasier" });
  await expect(lost.answer(mine, game.game_id, { number: 1, answer: "a" }, "key")).rejects.toThrow("killed");
  const again = await games.answer(mine, game.game_id, { number: 1, answer: "a" }, "key");
  expect(again).toMatchObject({ verdict: { correct: true }, game: { answered: 1, question: { number: 2 } } });
  expect(await games.read(mine, game.game_id)).toEqual(again.game);
});
