import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

describe("RetryBudget", () => {
  it("lets a quiet service retry, ten times in ten seconds", () => {
    let now = 0;
    const budget = new RetryBudget(() => now);
    expect(Array.from({ length: 12 }, () => budget.take())).toEqual([...Array(10).fill(true), false, false]);
    now = 10_000;
    expect(budget.take()).toBe(true);
  });

  it("adds a fifth of what was asked", () => {
    const budget = new RetryBudget(() => 0);
    for (let call = 0; call < 100; call += 1) budget.countCall();
    let taken = 0;
    while (budget.take()) taken += 1;
    expect(taken).toBe(30);
  });

  it("never lets more retries through than 20 % of the calls and 1 a second, in any window of its size", () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), calls: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let now = 0;
        const budget = new RetryBudget(() => now);
        const calls: number[] = [];
        const retries: number[] = [];
        for (const { waitMs, calls: made } of steps) {
          now += waitMs;
          for (let call = 0; call < made; call += 1) {
            budget.countCall();
            calls.push(now);
          }
          const inWindow = (times: readonly number[]) =>
            times.filter((time) => Math.floor(time / 1_000) > Math.floor(now / 1_000) - 10).length;
          // Everybody who was asked wants to be asked again.
          for (let wish = 0; wish < made + 5; wish += 1) {
            if (!budget.take()) continue;
            retries.push(now);
            expect(inWindow(retries)).toBeLessThanOrEqual(inWindow(calls) * 0.2 + 10);
          }
        }
      }),
    );
  });
});
