import { describe, expect, it } from "vitest";
import { ModelError } from "../model.ts";
import { failure, type UpstreamCode } from "./failures.ts";
import { type Circumstances, type Failure, pauseBeforeRetry } from "./retry-policy.ts";

const answered: Circumstances = { responded: true, refusesRetry: false, staleConnection: false };
const settings = { retries: 2, baseMs: 500 };

function pause(code: UpstreamCode, facts: Partial<Failure> = {}, retryAfterSeconds?: number, random = 0.5) {
  const error = failure(code, "m", { retryAfterSeconds });
  const whole = { error, circumstances: answered, retries: 0, remainingMs: 60_000, ...facts };
  return pauseBeforeRetry(whole, settings, () => random);
}

/** How often a failure that stays the same is asked again. */
function timesOf(code: UpstreamCode, circumstances = answered, most = settings): number {
  let retries = 0;
  const facts = () => ({ error: failure(code, "m"), circumstances, retries, remainingMs: 60_000 });
  while (retries < 50 && pauseBeforeRetry(facts(), most) !== undefined) retries += 1;
  return retries;
}

describe("how often", () => {
  it.each<[UpstreamCode, number]>([
    ["upstream_unreachable", 2],
    ["upstream_timeout", 2],
    ["upstream_rate_limited", 2],
    ["upstream_overloaded", 2],
    ["upstream_error", 2],
    ["upstream_truncated", 1],
    ["upstream_malformed", 1],
    ["empty_answer", 1],
    ["first_token_timeout", 1],
    ["upstream_tls", 0],
    ["upstream_auth", 0],
    ["upstream_forbidden", 0],
    ["model_not_found", 0],
    ["upstream_rejected", 0],
    ["upstream_quota", 0],
    ["upstream_redirect", 0],
    ["upstream_protocol", 0],
    ["context_too_long", 0],
    ["content_filter", 0],
    ["answer_too_large", 0],
    ["turn_time_limit", 0],
  ])("%s is asked again for: %i", (code, times) => {
    expect(timesOf(code)).toBe(times);
  });

  it("a server that sends nothing at all is asked again once, one that says 408 twice", () => {
    expect(timesOf("upstream_timeout", { ...answered, responded: false })).toBe(1);
  });

  it("MODEL_RETRIES is the most of all, and 0 turns every retry off", () => {
    expect(timesOf("upstream_error", answered, { ...settings, retries: 5 })).toBe(5);
    expect(timesOf("upstream_malformed", answered, { ...settings, retries: 5 })).toBe(1);
    for (const code of ["upstream_error", "upstream_malformed", "upstream_unreachable"] as const) {
      expect(timesOf(code, answered, { ...settings, retries: 0 })).toBe(0);
    }
  });

  it("D15: never, when the server says that it does not help", () => {
    expect(pause("upstream_error", { circumstances: { ...answered, refusesRetry: true } })).toBeUndefined();
  });

  it("never for what is no failure of a model server", () => {
    const error = new ModelError("internal", "Ours.", { model: "m" });
    const facts = { error, circumstances: answered, retries: 0, remainingMs: 60_000 };
    expect(pauseBeforeRetry(facts, settings)).toBeUndefined();
  });
});

describe("the pause", () => {
  it("is random between nothing and half a second, then one second, then two, at most eight", () => {
    const most = (retries: number) =>
      pauseBeforeRetry(
        { error: failure("upstream_error", "m"), circumstances: answered, retries, remainingMs: 60_000 },
        { retries: 10, baseMs: 500 },
        () => 1,
      );
    expect([0, 1, 2, 3, 4, 5, 9].map(most)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    expect(pause("upstream_error", {}, undefined, 0)).toBe(0);
    expect(pause("upstream_error", {}, undefined, 0.25)).toBe(125);
  });

  it("D10: is at least what Retry-After says, up to ten seconds", () => {
    expect(pause("upstream_rate_limited", {}, 10)).toBe(10_250);
    expect(pause("upstream_rate_limited", {}, 11)).toBeUndefined();
  });

  it("ends before the first text is due, or there is none", () => {
    expect(pause("upstream_error", { remainingMs: 251 })).toBe(250);
    expect(pause("upstream_error", { remainingMs: 250 })).toBeUndefined();
    expect(pause("upstream_rate_limited", { remainingMs: 5_000 }, 5)).toBeUndefined();
    expect(pause("first_token_timeout", { remainingMs: 0 }, undefined, 0)).toBeUndefined();
  });
});
