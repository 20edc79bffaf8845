import { describe, expect, test } from "vitest";
import { ask, authorized, openSession } from "../helpers/client.ts";
import type { BaseUrl } from "./suite.ts";

export function titleConformance(baseUrl: BaseUrl): void {
  async function titleOf(sessionId: string): Promise<unknown> {
    const response = await fetch(`${baseUrl()}/sessions/${sessionId}`);
    return ((await response.json()) as { title: unknown }).title;
  }

  function rename(sessionId: string, token: string, title: string | null): Promise<Response> {
    return fetch(`${baseUrl()}/sessions/${sessionId}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", ...authorized(token) },
      body: JSON.stringify({ title }),
    });
  }

  describe("titles that nobody gave", () => {
    test("are the first words of the first prompt, on one line, and stay so", async () => {
      const { sessionId } = await openSession(baseUrl());
      expect(await titleOf(sessionId)).toBeNull();
      await ask(baseUrl(), sessionId, "Hello!\n\tWhat is your\u200b name?");
      expect(await titleOf(sessionId)).toBe("Hello! What is your name?");
      await ask(baseUrl(), sessionId, "What is my name?");
      expect(await titleOf(sessionId)).toBe("Hello! What is your name?");
    });

    test("take no longer than 60 characters, and none where the prompt has no letters", async () => {
      const [long, silent] = [await openSession(baseUrl()), await openSession(baseUrl())];
      await ask(baseUrl(), long.sessionId, "Hello, and good morning to you, ".repeat(10));
      expect(await titleOf(long.sessionId)).toBe("Hello, and good morning to you, Hello, and good morning to…");
      await ask(baseUrl(), silent.sessionId, "1 + 1 = ?");
      expect(await titleOf(silent.sessionId)).toBeNull();
    });

    test("give way to the user's, also to none at all", async () => {
      const { sessionId, token } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      for (const title of ["Mine", null]) {
        expect((await rename(sessionId, token, title)).status).toBe(200);
        await ask(baseUrl(), sessionId, "What is my name?");
        expect(await titleOf(sessionId)).toBe(title);
      }
    });
  });
}
