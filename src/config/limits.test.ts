import { describe, expect, test } from "vitest";
import { load } from "../../test/helpers/config.ts";

const key = { OPENAI_API_KEY: "sk-test" };

describe("the tokens of all guests together", () => {
  test.each([
    [{}, undefined],
    [{ HOST: "0.0.0.0" }, undefined],
    [key, undefined],
    [{ ...key, HOST: "::1" }, undefined],
    [{ ...key, HOST: "0.0.0.0" }, 200_000],
    [{ OPENAI_BASE_URL: "http://127.0.0.1:11434/v1", HOST: "10.0.0.5" }, 200_000],
    [{ ...key, HOST: "0.0.0.0", GUEST_DAILY_TOKENS: "0" }, undefined],
    [{ ...key, HOST: "0.0.0.0", GUEST_DAILY_TOKENS: "5" }, 5],
    [{ GUEST_DAILY_TOKENS: "5" }, 5],
  ])("B25: with %j there may be %s on a day", (environment: Record<string, string>, tokens) => {
    expect(load(environment).limits.turns.guestDailyTokens).toBe(tokens);
  });
});

test("0 turns a limit off", () => {
  const { limits } = load({ TURNS_AT_ONCE: "0", STREAMS_AT_ONCE: "0", ADDRESS_REQUESTS_PER_MINUTE: "0" });
  expect(limits.turns.atOnce).toBeUndefined();
  expect(limits.streamsAtOnce).toBeUndefined();
  expect(limits.addressRequestsPerMinute).toBeUndefined();
});
