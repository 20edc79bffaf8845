import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ask, openSession, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

export function secondThoughtsConformance(baseUrl: BaseUrl): void {
  const post = (sessionId: string, verb: string, init: RequestInit = {}) =>
    fetch(`${baseUrl()}/chat/${sessionId}/${verb}`, { method: "POST", ...init });
  const stop = (path: string) => fetch(`${baseUrl()}/chat/${path}`, { method: "DELETE" });

  /** A turn that ended before its answer was whole, with some text. */
  async function stopInTheMiddle(sessionId: string): Promise<string> {
    for (let turn = 1; turn <= 5; turn += 1) {
      const response = await send(baseUrl(), sessionId, longPrompt);
      const seen: string[] = [];
      for await (const { type, data } of receive(response)) {
        if (type !== "text") continue;
        seen.push(String(data["text"]));
        if (seen.length === 3) await stop(sessionId);
      }
      const state = await fetch(`${baseUrl()}/chat/${sessionId}/${turn}`, { headers: { accept: "application/json" } });
      const { status, answer } = (await state.json()) as { status: string; answer: string };
      if (status === "stopped" && answer !== "") return answer;
    }
    throw new Error("No answer could be stopped in its middle");
  }

  describe("replaces", () => {
    test("a prompt takes the place of a turn and of all after it, which stay where they are but leave history", async () => {
      const { sessionId } = await openSession(baseUrl());
      for (const prompt of ["One", "Two", "Three"]) await ask(baseUrl(), sessionId, prompt);
      const old = await Array.fromAsync(receive(await fetch(`${baseUrl()}/chat/${sessionId}/2`)));
      const events = await Array.fromAsync(receive(await send(baseUrl(), sessionId, "Two, better", { replaces: 2 })));
      expect(events[0]).toMatchObject({ type: "turn", data: { turn: 4, replaces: 2 } });
      const history = await readHistory(baseUrl(), sessionId);
      expect(history.filter(({ role }) => role === "user").map(({ content, turn }) => [content, turn])).toEqual([
        ["One", 1],
        ["Two, better", 4],
      ]);
      const still = await Array.fromAsync(receive(await fetch(`${baseUrl()}/chat/${sessionId}/2`)));
      expect(textOf(still)).toBe(textOf(old));
    });

    test("of a turn that is not in history is 409, and nothing is stored", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "One");
      await Array.fromAsync(receive(await send(baseUrl(), sessionId, "One, better", { replaces: 1 })));
      for (const replaces of [1, 3]) {
        const response = await send(baseUrl(), sessionId, "?", { replaces });
        expect(await problemOf(response)).toMatchObject({ status: 409, code: "stale_turn", turn: 2 });
      }
      expect(await readHistory(baseUrl(), sessionId)).toHaveLength(2);
    });

    test.each([0, -1, 1.5, "1", null])("%j is 422 and names the field", async (replaces) => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, "?", { replaces: replaces as number });
      expect(await problemOf(response)).toMatchObject({ status: 422, errors: [{ path: "replaces" }] });
    });
  });

  describe("POST /chat/{session_id}/regenerate", () => {
    test("asks the last prompt again in a new turn, which takes the old one's place", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "One");
      await ask(baseUrl(), sessionId, "Two");
      const response = await post(sessionId, "regenerate");
      expect([response.status, response.headers.get("x-turn")]).toEqual([200, "3"]);
      const events = await Array.fromAsync(receive(response));
      expect(events[0]?.data).toMatchObject({ turn: 3, replaces: 2 });
      const history = await readHistory(baseUrl(), sessionId);
      expect(history.map(({ role, turn }) => [role, turn])).toEqual([
        ["user", 1],
        ["assistant", 1],
        ["user", 3],
        ["assistant", 3],
      ]);
      expect(history.at(-2)?.content).toBe("Two");
      expect(history.at(-1)?.content).toBe(textOf(events));
    });

    test("has nothing to ask in a session without a turn, and is 409 while a turn runs", async () => {
      const { sessionId } = await openSession(baseUrl());
      expect(await problemOf(await post(sessionId, "regenerate"))).toMatchObject({
        status: 404,
        code: "turn_not_found",
      });
      const running = await send(baseUrl(), sessionId, longPrompt);
      expect(await problemOf(await post(sessionId, "regenerate"))).toMatchObject({
        status: 409,
        code: "turn_in_progress",
      });
      await stop(sessionId);
      await running.body?.cancel();
    });

    test.each([
      ["without a body", {}],
      ["with a body of any kind", { body: "x=1", headers: { "content-type": "application/x-www-form-urlencoded" } }],
      ["with a JSON type and nothing else", { headers: { "content-type": "application/json" } }],
    ])("takes a request %s, and gives the answer in the shape that Accept chooses", async (_, init) => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "One");
      const headers = { accept: "application/json", ...("headers" in init ? init.headers : {}) };
      const response = await post(sessionId, "regenerate", { ...init, headers });
      expect(await response.json()).toMatchObject({ turn: 2, status: "completed" });
    });
  });

  describe("POST /chat/{session_id}/continue", () => {
    test("goes on with an answer that was stopped, in a new turn; history shows both texts as one answer", async () => {
      const { sessionId } = await openSession(baseUrl());
      const half = await stopInTheMiddle(sessionId);
      const before = await readHistory(baseUrl(), sessionId);
      const turn = before.at(-1)?.turn ?? 0;
      const response = await post(sessionId, "continue");
      expect(response.headers.get("x-turn")).toBe(`${turn + 1}`);
      const events = await Array.fromAsync(receive(response));
      expect(events[0]?.data).toMatchObject({ turn: turn + 1, continues: turn });
      expect(events.at(-1)?.data["status"]).toBe("completed");
      const history = await readHistory(baseUrl(), sessionId);
      expect(history).toHaveLength(before.length);
      expect(history.at(-1)).toMatchObject({
        role: "assistant",
        turn,
        continued_by: turn + 1,
        status: "completed",
        content: half + textOf(events),
      });
      const log = await Array.fromAsync(receive(await fetch(`${baseUrl()}/chat/${sessionId}/${turn}`)));
      expect(textOf(log)).toBe(half);
      const page = await fetch(`${baseUrl()}/chat_history/${sessionId}?limit=1`);
      const { message_history } = (await page.json()) as { message_history: unknown[] };
      expect(message_history).toEqual(history.slice(-2));
    });

    test("is 409 after an answer that is whole, without an answer, and while a turn runs", async () => {
      const { sessionId } = await openSession(baseUrl());
      expect(await problemOf(await post(sessionId, "continue"))).toMatchObject({
        status: 409,
        code: "not_continuable",
      });
      await ask(baseUrl(), sessionId, "Hello!");
      expect(await problemOf(await post(sessionId, "continue"))).toMatchObject({
        status: 409,
        code: "not_continuable",
      });
      const running = await send(baseUrl(), sessionId, longPrompt);
      await delay(50);
      expect(await problemOf(await post(sessionId, "continue"))).toMatchObject({
        status: 409,
        code: "turn_in_progress",
      });
      await stop(sessionId);
      await running.body?.cancel();
    });
  });
}
