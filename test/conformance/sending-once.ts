import { describe, expect, test } from "vitest";
import { openSession, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

export function sendingOnceConformance(baseUrl: BaseUrl): void {
  const sendKeyed = (sessionId: string, key: string, payload = "Hello!", accept = "text/event-stream", more = {}) =>
    send(baseUrl(), sessionId, payload, { accept, headers: { "idempotency-key": key, ...more } });
  const isReplay = (response: Response) => response.headers.get("idempotency-replayed") === "true";

  describe("Idempotency-Key", () => {
    test("E1: the same request again is answered by the same turn, from its beginning, in every shape", async () => {
      const { sessionId } = await openSession(baseUrl());
      const first = await sendKeyed(sessionId, "one");
      expect(isReplay(first)).toBe(false);
      const events = await Array.fromAsync(receive(first));
      const again = await sendKeyed(sessionId, "one");
      expect(again.status).toBe(200);
      expect(isReplay(again)).toBe(true);
      expect(again.headers.get("x-turn")).toBe("1");
      const replayed = await Array.fromAsync(receive(again));
      expect(textOf(replayed)).toBe(textOf(events));
      expect(replayed.at(-1)).toEqual(events.at(-1));

      const text = await sendKeyed(sessionId, "one", "Hello!", "text/plain");
      expect(isReplay(text)).toBe(true);
      expect(await text.text()).toBe(textOf(events));
      const json = await sendKeyed(sessionId, "one", "Hello!", "application/json");
      expect(isReplay(json)).toBe(true);
      expect(await json.json()).toMatchObject({ turn: 1, answer: textOf(events) });
      expect((await readHistory(baseUrl(), sessionId)).filter(({ role }) => role === "user")).toHaveLength(1);
    });

    test("E2: the same request while the turn runs attaches to it", async () => {
      const { sessionId } = await openSession(baseUrl());
      const first = await sendKeyed(sessionId, "k", longPrompt);
      const second = await sendKeyed(sessionId, "k", longPrompt);
      expect([first.status, second.status]).toEqual([200, 200]);
      expect([isReplay(first), isReplay(second)]).toEqual([false, true]);
      const [one, other] = await Promise.all([first, second].map((each) => Array.fromAsync(receive(each))));
      expect(textOf(other ?? [])).toBe(textOf(one ?? []));
      expect(other?.at(-1)).toEqual(one?.at(-1));
    });

    test("E6, P4: of many at the same moment one makes the turn, and all get its answer", async () => {
      const { sessionId } = await openSession(baseUrl());
      const responses = await Promise.all(Array.from({ length: 20 }, () => sendKeyed(sessionId, "k")));
      expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200));
      expect(responses.filter((response) => !isReplay(response))).toHaveLength(1);
      const texts = await Promise.all(responses.map(async (each) => textOf(await Array.fromAsync(receive(each)))));
      expect(new Set(texts).size).toBe(1);
      expect((await readHistory(baseUrl(), sessionId)).filter(({ role }) => role === "user")).toHaveLength(1);
    });

    test("E3: with another body it is 422, and nothing is stored", async () => {
      const { sessionId } = await openSession(baseUrl());
      await Array.fromAsync(receive(await sendKeyed(sessionId, "k")));
      for (const response of [
        await sendKeyed(sessionId, "k", "Something else"),
        await send(baseUrl(), sessionId, "Hello!", { replaces: 1, headers: { "idempotency-key": "k" } }),
      ]) {
        expect(await problemOf(response)).toMatchObject({ status: 422, code: "idempotency_key_reused" });
      }
      expect(await readHistory(baseUrl(), sessionId)).toHaveLength(2);
    });

    test.each([
      ["empty", ""],
      ["too long", "k".repeat(256)],
      ["not ASCII", "kl\u00fcssel"],
      ["with a tab inside", "a\tb"],
    ])("E4: one that is %s is 400, and nothing is stored", async (_, key) => {
      const { sessionId } = await openSession(baseUrl());
      expect(await problemOf(await sendKeyed(sessionId, key))).toMatchObject({
        status: 400,
        code: "invalid_idempotency_key",
      });
      expect(await readHistory(baseUrl(), sessionId)).toEqual([]);
    });

    test("E4: the longest and the oddest that are allowed work", async () => {
      const { sessionId } = await openSession(baseUrl());
      for (const key of ["~".repeat(255), '"quoted", and {odd}']) {
        await Array.fromAsync(receive(await sendKeyed(sessionId, key)));
        const again = await sendKeyed(sessionId, key);
        expect(isReplay(again)).toBe(true);
        await again.body?.cancel();
      }
    });

    test("E8: a request that was refused is not remembered, so a corrected one goes through", async () => {
      const { sessionId } = await openSession(baseUrl());
      expect((await sendKeyed(sessionId, "k", "")).status).toBe(422);
      const stale = await sendKeyed(sessionId, "k", "Hello!", "text/event-stream", { "if-turn": "7" });
      expect(stale.status).toBe(409);
      await stale.body?.cancel();
      const corrected = await sendKeyed(sessionId, "k");
      expect([corrected.status, isReplay(corrected)]).toEqual([200, false]);
      await Array.fromAsync(receive(corrected));
    });

    test("E10: the same key in another session, or on another route, is another key", async () => {
      const { sessionId } = await openSession(baseUrl());
      const other = await openSession(baseUrl());
      await Array.fromAsync(receive(await sendKeyed(sessionId, "k")));
      const elsewhere = await sendKeyed(other.sessionId, "k", "Something else");
      expect([elsewhere.status, isReplay(elsewhere)]).toEqual([200, false]);
      await Array.fromAsync(receive(elsewhere));
      const url = `${baseUrl()}/chat/${sessionId}/regenerate`;
      const post = () => fetch(url, { method: "POST", headers: { "idempotency-key": "k" } });
      for (const replayed of [false, true]) {
        const response = await post();
        expect([response.status, isReplay(response)]).toEqual([200, replayed]);
        expect(response.headers.get("x-turn")).toBe("2");
        await Array.fromAsync(receive(response));
      }
    });
  });
}
