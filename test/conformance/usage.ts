import { describe, expect, test } from "vitest";
import { ask, authorized, openSession, problemOf, receive, send } from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

type Usage = {
  readonly usage: readonly Readonly<Record<string, unknown>>[];
  readonly has_more: boolean;
};

export function usageConformance(baseUrl: BaseUrl): void {
  const usageOf = async (token: string, query = "") =>
    (await (await fetch(`${baseUrl()}/usage${query}`, { headers: authorized(token) })).json()) as Usage;

  describe("GET /usage", () => {
    test("tells the caller's tokens by day and username, and nobody else's", async () => {
      const [mine, other] = await Promise.all([openSession(baseUrl(), "TR"), openSession(baseUrl(), "TR")]);
      await ask(baseUrl(), mine.sessionId, "Hello!");
      await ask(baseUrl(), mine.sessionId, "Hello again!");
      const { usage, has_more } = await usageOf(mine.token);
      expect(has_more).toBe(false);
      expect(usage).toEqual([
        expect.objectContaining({
          day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
          username: "TR",
          turns: 2,
          input_tokens: expect.any(Number),
          output_tokens: expect.any(Number),
        }),
      ]);
      expect(Number(usage[0]?.["input_tokens"])).toBeGreaterThan(0);
      expect(Number(usage[0]?.["output_tokens"])).toBeGreaterThan(0);
      expect((await usageOf(other.token)).usage).toEqual([]);
      expect((await usageOf(mine.token, "?username=TR")).usage).toEqual(usage);
      expect((await usageOf(mine.token, "?username=somebody%20else")).usage).toEqual([]);
      expect((await usageOf(mine.token, "?from=2020-01-01&to=2020-12-31")).usage).toEqual([]);
    });

    test("B25: counts what a stopped turn has produced, also once its session is deleted", async () => {
      const { sessionId, token } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, longPrompt);
      let texts = 0;
      for await (const { type } of receive(response)) {
        if (type === "text") texts += 1;
        if (texts === 3) break;
      }
      await fetch(`${baseUrl()}/chat/${sessionId}`, { method: "DELETE" });
      const { usage } = await usageOf(token);
      expect(usage).toMatchObject([{ turns: 1, estimated: true }]);
      expect(Number(usage[0]?.["output_tokens"])).toBeGreaterThan(0);
      await fetch(`${baseUrl()}/sessions/${sessionId}`, { method: "DELETE", headers: authorized(token) });
      expect((await usageOf(token)).usage).toEqual(usage);
    });

    test("needs the token", async () => {
      expect(await problemOf(await fetch(`${baseUrl()}/usage`))).toMatchObject({
        status: 401,
        code: "unauthenticated",
      });
    });

    test.each([
      ["?from=2026-02-30", "from"],
      ["?from=yesterday", "from"],
      ["?from=2026-01-01&from=2026-01-02", "from"],
      ["?from=2026-01-02&to=2026-01-01", "from"],
      ["?from=2024-01-01&to=2026-01-01", "from"],
      ["?to=", "to"],
      ["?username=", "username"],
    ])("%s is refused, with the field named", async (query, path) => {
      const { token } = await openSession(baseUrl());
      const response = await fetch(`${baseUrl()}/usage${query}`, { headers: authorized(token) });
      expect(await problemOf(response)).toMatchObject({ status: 422, code: "invalid_request", errors: [{ path }] });
    });
  });
}
