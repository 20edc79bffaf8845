/** What programs written for Open Trivia DB ask, and what they look at. */
import { describe, expect, test } from "vitest";
import type { OpenTriviaResults } from "../../src/protocol/open-trivia.ts";
import { problemOf } from "../helpers/client.ts";
import type { BaseUrl } from "./suite.ts";

type Categories = { readonly trivia_categories: readonly { readonly id: number; readonly name: string }[] };
type Token = { readonly response_code: number; readonly token?: string };

export function openTriviaConformance(baseUrl: BaseUrl): void {
  async function get<Body>(path: string): Promise<Body> {
    const response = await fetch(baseUrl() + path);
    expect(response.status, path).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    return (await response.json()) as Body;
  }

  const questions = (query: string) => get<OpenTriviaResults>(`/api.php?${query}`);
  const newToken = async () => (await get<Token>("/api_token.php?command=request")).token ?? "";

  describe("for clients of Open Trivia DB", () => {
    test("ten questions as such a client asks for them", async () => {
      const { response_code, results } = await questions("amount=10&category=9&type=multiple&encode=url3986");
      expect(response_code).toBe(0);
      expect(results).toHaveLength(10);
      for (const result of results) {
        expect(Object.keys(result).slice(0, 6)).toEqual([
          "type",
          "difficulty",
          "category",
          "question",
          "correct_answer",
          "incorrect_answers",
        ]);
        expect(result.type).toBe("multiple");
        expect(result.incorrect_answers).toHaveLength(3);
        expect(result.incorrect_answers).not.toContain(result.correct_answer);
        expect(decodeURIComponent(result.question)).toMatch(/\?$/);
        expect(result.question).not.toContain(" ");
        expect(decodeURIComponent(result.source.url)).toMatch(/^https:/);
      }
    });

    test("statements, of one show and difficulty, in base64", async () => {
      const { trivia_categories } = await get<Categories>("/api_category.php");
      const show = trivia_categories.find(({ name }) => name === "Seinfeld");
      expect(show).toBeDefined();
      const query = `amount=3&category=${show?.id}&difficulty=easy&type=boolean&encode=base64`;
      const { results } = await questions(query);
      const plain = (text: string) => Buffer.from(text, "base64").toString();
      expect(results).toHaveLength(3);
      for (const { type, difficulty, category, correct_answer: right, incorrect_answers: wrong } of results) {
        expect([type, difficulty, category].map(plain)).toEqual(["boolean", "easy", "Seinfeld"]);
        expect([right, ...wrong].map(plain).sort()).toEqual(["False", "True"]);
      }
    });

    test("texts with HTML entities, where nothing else is asked for", async () => {
      const { results } = await questions("amount=50");
      expect(results).toHaveLength(50);
      const texts = results.flatMap((result) => [result.question, result.correct_answer, ...result.incorrect_answers]);
      for (const text of texts) expect(text).toMatch(/^(?:[^\u0080-\uffff<>"'&]|&(?:quot|amp|lt|gt|#\d+);)+$/);
      expect(texts.join("")).toContain("&");
    });

    test("no fact twice with a token, and anew after a reset", async () => {
      const token = await newToken();
      expect(token).toMatch(/^[0-9a-f]{64}$/);
      const asked = async () => {
        const { results } = await questions(`amount=50&category=Frasier&type=boolean&token=${token}`);
        return results.map(({ question }) => question);
      };
      const first = await asked();
      expect(first).toHaveLength(50);
      let [rest, code] = [[] as string[], 0];
      while (code === 0) {
        const more = await questions(`amount=1&category=Frasier&type=boolean&token=${token}`);
        rest = [...rest, ...more.results.map(({ question }) => question)];
        code = more.response_code;
      }
      expect(code).toBe(4);
      expect(new Set([...first, ...rest]).size).toBe(first.length + rest.length);
      expect(await get<Token>(`/api_token.php?command=reset&token=${token}`)).toEqual({ response_code: 0, token });
      expect(await asked()).toHaveLength(50);
    });

    test.each([
      ["", 2],
      ["amount=0", 2],
      ["amount=five", 2],
      ["amount=-1", 2],
      ["amount=1&category=99", 2],
      ["amount=1&difficulty=impossible", 2],
      ["amount=1&type=text", 2],
      ["amount=1&encode=rot13", 2],
      [`amount=1&token=${"0".repeat(64)}`, 3],
      ["amount=1&token=mine", 3],
      ["amount=50&category=NewsRadio&difficulty=hard&type=boolean", 1],
    ])("response codes: %s is %i", async (query, code) => {
      expect(await questions(query)).toEqual({ response_code: code, results: [] });
    });

    test.each([
      ["", 2],
      ["command=forget", 2],
      ["command=reset", 2],
      ["command=reset&token=mine", 3],
    ])("response codes of tokens: %s is %i", async (query, code) => {
      expect(await get(`/api_token.php?${query}`)).toEqual({ response_code: code });
    });

    test("what forms leave empty was left out", async () => {
      expect(await questions("amount=1&category=&difficulty=&type=&encode=&token=")).toMatchObject({
        response_code: 0,
      });
    });

    test("HEAD takes nothing from a token", async () => {
      const token = await newToken();
      for (const path of [`/api.php?amount=50&token=${token}`, "/api_token.php?command=request"]) {
        const response = await fetch(baseUrl() + path, { method: "HEAD" });
        expect([response.status, await response.text()]).toEqual([200, ""]);
      }
    });

    test("B7: their token is the one that may stand in a URL, and here alone", async () => {
      for (const path of ["/api.php?amount=1&access_token=a", "/api_token.php?api_key=a", "/trivia/shows?token=a"]) {
        expect(await problemOf(await fetch(baseUrl() + path))).toMatchObject({
          status: 400,
          code: "credential_in_url",
        });
      }
    });
  });
}
