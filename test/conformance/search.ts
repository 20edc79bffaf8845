import { beforeAll, describe, expect, test } from "vitest";
import { ask, authorized, openSession, problemOf } from "../helpers/client.ts";
import type { BaseUrl } from "./suite.ts";

type Found = {
  readonly session_id: string;
  readonly turn: number;
  readonly role: string;
  readonly snippet: string;
  readonly matches: readonly (readonly [number, number])[];
};

type Results = { readonly results: readonly Found[]; readonly next_cursor: string | null };

/** @param searches whether the service stores where messages can be searched */
export function searchConformance(baseUrl: BaseUrl, { searches }: { readonly searches: boolean }): void {
  const search = (token: string, query: Record<string, string>) =>
    fetch(`${baseUrl()}/sessions/search?${new URLSearchParams(query)}`, { headers: authorized(token) });

  async function results(token: string, query: Record<string, string>): Promise<Results> {
    const response = await search(token, query);
    expect(response.status).toBe(200);
    return (await response.json()) as Results;
  }

  describe("GET /sessions/search", () => {
    const words = "My zebra's café is in Zürich";
    let mine: { sessionId: string; token: string };

    beforeAll(async () => {
      mine = await openSession(baseUrl());
      if (searches) await ask(baseUrl(), mine.sessionId, words);
    });

    test("needs a token", async () => {
      const response = await fetch(`${baseUrl()}/sessions/search?q=word`);
      expect(await problemOf(response)).toMatchObject({ status: 401, code: "unauthenticated" });
    });

    test("takes no search without `q`", async () => {
      expect(await problemOf(await search(mine.token, {}))).toMatchObject({ status: 422, errors: [{ path: "q" }] });
    });

    test.runIf(!searches)("answers 501 and says why where messages are stored on a Redis server", async () => {
      const problem = await problemOf(await search(mine.token, { q: "word" }));
      expect(problem).toMatchObject({ status: 501, code: "search_unavailable", retryable: false });
      expect(problem["detail"]).toMatch(/Redis.*STORAGE_URL/);
    });

    describe.runIf(searches)("where there is an index", () => {
      test("gives the caller's messages that have the words, with where they stand", async () => {
        const { results: found, next_cursor } = await results(mine.token, { q: "CAFE zurich" });
        const prompt = found.find(({ role }) => role === "user");
        expect(prompt).toEqual({
          session_id: mine.sessionId,
          title: words,
          username: "TR",
          turn: 1,
          role: "user",
          created_at: expect.stringMatching(/^\d{4}-.*Z$/),
          snippet: words,
          matches: [
            [11, 15],
            [22, 28],
          ],
        });
        expect(next_cursor).toBeNull();
      });

      test("gives nobody else's, and only those of the username that is asked for", async () => {
        const stranger = await openSession(baseUrl());
        expect((await results(stranger.token, { q: "zebra" })).results).toEqual([]);
        expect((await results(mine.token, { q: "zebra", username: "Somebody" })).results).toEqual([]);
        expect((await results(mine.token, { q: "zebra", username: "TR" })).results.length).toBeGreaterThan(0);
      });

      test("F13: takes whatever is typed for words", async () => {
        const typed = ['"', "*", "NEAR(", "-", "\0", "'); DROP TABLE turns; --", "^a:b {c}", "x".repeat(8_000), ""];
        for (const q of typed) expect((await results(mine.token, { q })).results, q).toEqual([]);
        expect((await results(mine.token, { q: '-"zebra*' })).results.length).toBeGreaterThan(0);
      });

      test("A20: gives pages by a cursor that is of use for the same search of the same caller alone", async () => {
        const { sessionId, token } = await openSession(baseUrl());
        for (let turn = 1; turn <= 3; turn += 1) await ask(baseUrl(), sessionId, `Giraffe number ${turn}`);
        const query = { q: "giraffe number", limit: "1" };
        const turns: number[] = [];
        let page = await results(token, query);
        const first = page.next_cursor ?? "";
        for (;;) {
          turns.push(...page.results.filter(({ role }) => role === "user").map(({ turn }) => turn));
          if (page.next_cursor === null) break;
          page = await results(token, { ...query, cursor: page.next_cursor });
        }
        expect(turns).toEqual([3, 2, 1]);
        for (const response of [
          await search(mine.token, { ...query, cursor: first }),
          await search(token, { ...query, q: "giraffe", cursor: first }),
          await search(token, { ...query, cursor: "nonsense" }),
        ]) {
          expect(await problemOf(response)).toMatchObject({ status: 400, code: "invalid_cursor" });
        }
        expect((await search(token, { ...query, limit: "1e9" })).status).toBe(200);
      });

      test("finds nothing of a session that was deleted", async () => {
        const { sessionId, token } = await openSession(baseUrl());
        await ask(baseUrl(), sessionId, "An ephemeral okapi");
        expect((await results(token, { q: "okapi" })).results.length).toBeGreaterThan(0);
        const deleted = await fetch(`${baseUrl()}/sessions/${sessionId}`, {
          method: "DELETE",
          headers: authorized(token),
        });
        expect(deleted.status).toBe(204);
        expect((await results(token, { q: "okapi" })).results).toEqual([]);
      });
    });
  });
}
