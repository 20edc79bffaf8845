import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ask, openSession, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

export function stoppingConformance(baseUrl: BaseUrl): void {
  const stop = (path: string) => fetch(`${baseUrl()}/chat/${path}`, { method: "DELETE" });

  describe("DELETE /chat/{session_id} and /{turn}", () => {
    test("stops the running turn from another connection, keeps its text, and ends every stream with stopped", async () => {
      const { sessionId } = await openSession(baseUrl());
      const reading = send(baseUrl(), sessionId, longPrompt).then((response) => Array.fromAsync(receive(response)));
      const watcher = fetch(`${baseUrl()}/chat/${sessionId}/1`);
      await delay(150);
      const response = await stop(sessionId);
      expect(response.status).toBe(200);
      const stopped = (await response.json()) as { turn: number; status: string; answer: string };
      expect(stopped).toMatchObject({ turn: 1, status: "stopped" });
      const events = await reading;
      expect(events.at(-1)).toMatchObject({ type: "end", data: { status: "stopped" } });
      expect(textOf(events)).toBe(stopped.answer);
      const watched = await watcher;
      if (watched.status === 200) {
        expect((await Array.fromAsync(receive(watched))).at(-1)?.data["status"]).toBe("stopped");
      }
      await delay(200);
      const history = await readHistory(baseUrl(), sessionId);
      expect(history.map(({ content }) => content)).toEqual([
        longPrompt,
        ...(stopped.answer === "" ? [] : [stopped.answer]),
      ]);
      expect(history.every(({ status }) => status === "stopped")).toBe(true);
    });

    test("by its number, and the next prompt is accepted at once", async () => {
      const { sessionId } = await openSession(baseUrl());
      const running = await send(baseUrl(), sessionId, longPrompt);
      expect(await (await stop(`${sessionId}/1`)).json()).toMatchObject({ turn: 1, status: "stopped" });
      expect((await Array.fromAsync(receive(running))).at(-1)?.data["status"]).toBe("stopped");
      expect((await ask(baseUrl(), sessionId, "Hello!")).at(-1)?.data["status"]).toBe("completed");
    });

    test("E11: stopping twice, or what has ended, tells how it ended", async () => {
      const { sessionId } = await openSession(baseUrl());
      const answer = textOf(await ask(baseUrl(), sessionId, "Hello!"));
      for (const path of [sessionId, `${sessionId}/1`, sessionId]) {
        const response = await stop(path);
        expect(response.status).toBe(200);
        expect(await response.json()).toEqual({ turn: 1, status: "completed", answer });
      }
    });

    test("E13: a stop of an old turn leaves the running one alone", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      const running = await send(baseUrl(), sessionId, longPrompt);
      expect(await (await stop(`${sessionId}/1`)).json()).toMatchObject({ turn: 1, status: "completed" });
      expect((await Array.fromAsync(receive(running))).at(-1)?.data["status"]).toBe("completed");
    });

    test("E14: of a stop and a completion that race, one wins, and all are told the same", async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const { sessionId } = await openSession(baseUrl());
          const reading = ask(baseUrl(), sessionId, "Hello!");
          await delay(index * 10);
          const response = await stop(sessionId);
          const events = await reading;
          // The stop may have come before the prompt.
          if (response.status === 404) return;
          const { status, answer } = (await response.json()) as { status: string; answer: string };
          expect(events.at(-1)?.data["status"]).toBe(status);
          expect(textOf(events)).toBe(answer);
          expect((await readHistory(baseUrl(), sessionId))[0]?.status).toBe(status);
        }),
      );
    });

    test("a plain-text stream of a stopped turn is cut, so that it never looks whole", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, longPrompt, { accept: "text/plain" });
      const reading = response.text();
      reading.catch(() => undefined);
      await delay(100);
      await stop(sessionId);
      await expect(reading).rejects.toThrow();
    });

    test("a client that waits for JSON is told that the turn was stopped", async () => {
      const { sessionId } = await openSession(baseUrl());
      const waiting = send(baseUrl(), sessionId, longPrompt, { accept: "application/json" });
      await delay(150);
      await stop(sessionId);
      const response = await waiting;
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ turn: 1, status: "stopped" });
    });

    test("there is nothing to stop in a session without turns, or in a turn that does not exist", async () => {
      const { sessionId } = await openSession(baseUrl());
      for (const path of [sessionId, `${sessionId}/1`, `${sessionId}/x`]) {
        expect(await problemOf(await stop(path))).toMatchObject({ status: 404, code: "turn_not_found" });
      }
    });
  });
}
