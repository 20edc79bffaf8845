import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { difficultyOf, expectedScore, newFact, newPlayer, ratingsAfter } from "./difficulty.ts";

const four = { rating: 1_200, options: ["a", "b", "c", "d"].map((id) => ({ id, text: id })) };
const typed = { rating: 1_200, options: [] };

const anyRating = (least: number, most: number) =>
  fc.record({ value: fc.double({ min: least, max: most, noNaN: true }), answers: fc.nat(1_000) });

describe("how hard a question is, and how good a player", () => {
  test("points have a name each", () => {
    expect([900, 1_129, 1_130, 1_329, 1_330, 2_000].map(difficultyOf)).toEqual([
      "easy",
      "easy",
      "medium",
      "medium",
      "hard",
      "hard",
    ]);
  });

  test("equals are right every second time, and more often where they can guess", () => {
    expect(expectedScore(newPlayer, newFact, typed)).toBe(0.5);
    expect(expectedScore(newPlayer, newFact, four)).toBe(0.625);
  });

  test("a right answer lifts the player and makes the fact easier, a wrong one the other way round", () => {
    fc.assert(
      fc.property(anyRating(700, 2_300), anyRating(-500, 500), (player, fact) => {
        const right = ratingsAfter(player, fact, typed, true);
        expect(right.player.value).toBeGreaterThan(player.value);
        expect(right.fact.value).toBeLessThan(fact.value);
        const wrong = ratingsAfter(player, fact, typed, false);
        expect(wrong.player.value).toBeLessThan(player.value);
        expect(wrong.fact.value).toBeGreaterThan(fact.value);
        expect([right.player.answers, wrong.fact.answers]).toEqual([player.answers + 1, fact.answers + 1]);
      }),
    );
  });

  test("a surprise moves more than what was expected, and the first answers more than later ones", () => {
    const gain = (value: number, answers: number) =>
      ratingsAfter({ value, answers }, newFact, typed, true).player.value - value;
    expect(gain(900, 0)).toBeGreaterThan(gain(1_500, 0));
    expect(gain(1_200, 0)).toBeGreaterThan(gain(1_200, 50));
  });

  test("whoever guesses among four options ends where guessing is, not at the bottom of the scale", () => {
    let player = newPlayer;
    for (let answer = 0; answer < 2_000; answer += 1) {
      player = ratingsAfter(player, newFact, four, answer % 4 === 0).player;
    }
    expect(player.value).toBeGreaterThanOrEqual(600);
    expect(player.value).toBeLessThan(900);
  });

  test("no answers push a rating off the scale", () => {
    let ratings = { player: newPlayer, fact: newFact };
    for (let answer = 0; answer < 5_000; answer += 1) {
      ratings = ratingsAfter(ratings.player, ratings.fact, { ...typed, rating: 3_000 }, true);
    }
    expect(ratings.player.value).toBe(2_400);
    expect(ratings.fact.value).toBe(-600);
  });
});
