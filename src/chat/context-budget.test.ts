import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { silentLog } from "../../test/helpers/storage.ts";
import { budgetAfterRefusal, ContextBudget } from "./context-budget.ts";

const unknown = { window: undefined, promptTokens: undefined };

describe("the budget", () => {
  const modelOf = (contextWindow: number | undefined) => ({ name: "m", contextWindow });
  const budgetFor = (configured: number | undefined, window: number | undefined) =>
    new ContextBudget(configured, silentLog).for("s", modelOf(window));

  test.each([
    [undefined, undefined, 16_000],
    [undefined, 128_000, 16_000],
    [undefined, 16_385, 12_289],
    [undefined, 8_192, 6_144],
    [undefined, 4_096, 3_072],
    [500_000, undefined, 500_000],
    [500_000, 8_192, 500_000],
    [256, 128_000, 256],
  ])("with CONTEXT_TOKENS %s and a window of %s is %d tokens", (configured, window, budget) => {
    expect(budgetFor(configured, window)).toBe(budget);
  });

  describe("after a refusal", () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
    afterEach(() => void vi.useRealTimers());

    test("is what was worked out, for this session and model and for an hour", () => {
      const budget = new ContextBudget(undefined, silentLog);
      budget.learn({ sessionId: "s", model: "m", sizes: unknown, tokens: 3_000 });
      expect(budget.for("s", modelOf(undefined))).toBe(3_000);
      expect(budget.for("s", { name: "other", contextWindow: undefined })).toBe(16_000);
      expect(budget.for("other", modelOf(undefined))).toBe(16_000);
      vi.advanceTimersByTime(3_600_001);
      expect(budget.for("s", modelOf(undefined))).toBe(16_000);
    });

    test("is what the server stated, for every session", () => {
      const budget = new ContextBudget(20_000, silentLog);
      budget.learn({ sessionId: "s", model: "m", sizes: { window: 8_192, promptTokens: 12_000 }, tokens: 5_000 });
      expect(budget.for("s", modelOf(undefined))).toBe(5_000);
      expect(budget.for("other", modelOf(undefined))).toBe(6_144);
    });

    test("is told to the operator once a model", () => {
      const warn = vi.fn();
      const budget = new ContextBudget(undefined, { warn });
      for (const sessionId of ["one", "two"]) budget.learn({ sessionId, model: "m", sizes: unknown, tokens: 3_000 });
      expect(warn).toHaveBeenCalledTimes(1);
      expect(JSON.stringify(warn.mock.calls)).not.toContain("one");
    });
  });
});

describe("the budget for asking again", () => {
  test.each([
    [10_000, unknown, 5_000],
    // Our tokens are the server's.
    [10_000, { window: 8_192, promptTokens: 10_000 }, 6_144],
    [10_000, { window: 8_192, promptTokens: undefined }, 6_144],
    // The server finds twice as many tokens in a text as we do.
    [10_000, { window: 8_192, promptTokens: 20_000 }, 3_072],
    // Nonsense: it would have fitted.
    [10_000, { window: 1_000_000, promptTokens: 10 }, 5_000],
  ])("after sending %d tokens to a server that says %o is %d", (sent, sizes, budget) => {
    expect(budgetAfterRefusal(sent, sizes)).toBe(budget);
  });

  test("is always less than what was sent", () => {
    const size = fc.option(fc.integer({ min: 1, max: 1e9 }), { nil: undefined });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), size, size, (sent, window, promptTokens) => {
        const budget = budgetAfterRefusal(sent, { window, promptTokens });
        expect(budget).toBeLessThan(sent);
        expect(budget).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
