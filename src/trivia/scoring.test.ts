import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { difficulties } from "./question.ts";
import { type Answered, pointsFor } from "./scoring.ts";

const right: Answered = {
  correct: true,
  difficulty: "easy",
  streak: 0,
  helped: { hint: false, fiftyFifty: false },
  tookMs: 60_000,
  allowedMs: 60_000,
};

const anyAnswer = fc.record({
  correct: fc.boolean(),
  difficulty: fc.constantFrom(...difficulties),
  streak: fc.nat(60),
  helped: fc.record({ hint: fc.boolean(), fiftyFifty: fc.boolean() }),
  tookMs: fc.integer({ min: -1_000, max: 600_000 }),
  allowedMs: fc.integer({ min: 1_000, max: 600_000 }),
});

describe("points for an answer", () => {
  test.each([
    ["the last moment of an easy question", {}, 100],
    ["a medium one", { difficulty: "medium" }, 150],
    ["a hard one", { difficulty: "hard" }, 200],
    ["half of the time", { tookMs: 30_000 }, 125],
    ["no time at all", { tookMs: 0 }, 150],
    ["the third in a row", { streak: 2 }, 120],
    ["the twentieth in a row", { streak: 19 }, 150],
    ["a hint", { helped: { hint: true, fiftyFifty: false } }, 75],
    ["50:50", { helped: { hint: false, fiftyFifty: true } }, 50],
    ["both", { helped: { hint: true, fiftyFifty: true } }, 38],
    ["a clock that went backwards", { tookMs: -5_000 }, 150],
    ["everything at once", { difficulty: "hard", streak: 5, tookMs: 0 }, 400],
  ] as const)("for %s", (_, change, points) => {
    expect(pointsFor({ ...right, ...change })).toBe(points);
  });

  test("are none for a wrong answer, and whole, never more than 400 and never none for a right one", () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const points = pointsFor(answer);
        expect(Number.isInteger(points)).toBe(true);
        if (answer.correct) {
          expect(points).toBeGreaterThanOrEqual(38);
          expect(points).toBeLessThanOrEqual(400);
        } else expect(points).toBe(0);
      }),
    );
  });

  test("never fall with a longer streak or less help, nor rise with more time taken", () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const points = pointsFor(answer);
        expect(pointsFor({ ...answer, streak: answer.streak + 1 })).toBeGreaterThanOrEqual(points);
        expect(pointsFor({ ...answer, helped: { hint: false, fiftyFifty: false } })).toBeGreaterThanOrEqual(points);
        expect(pointsFor({ ...answer, tookMs: answer.tookMs + 1_000 })).toBeLessThanOrEqual(points);
      }),
    );
  });
});
