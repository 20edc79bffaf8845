import { describe, expect, test } from "vitest";
import { ask, openSession, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

export function overlapConformance(baseUrl: BaseUrl): void {
  const sendBusy = (sessionId: string, ifBusy: string, payload = "Hello!", accept = "text/event-stream") =>
    send(baseUrl(), sessionId, payload, { accept, headers: { "if-busy": ifBusy } });
  const stop = (path: string) => fetch(`${baseUrl()}/chat/${path}`, { method: "DELETE" });
  const sessionOf = async (sessionId: string) =>
    (await (await fetch(`${baseUrl()}/sessions/${sessionId}`)).json()) as Record<string, unknown>;

  describe("If-Busy", () => {
    test("E5: by default, and with reject, a second prompt is 409 and names the running turn", async () => {
      const { sessionId } = await openSession(baseUrl());
      const running = await send(baseUrl(), sessionId, longPrompt);
      for (const response of [await send(baseUrl(), sessionId, "?"), await sendBusy(sessionId, "reject")]) {
        expect(await problemOf(response)).toMatchObject({ status: 409, code: "turn_in_progress", turn: 1 });
      }
      expect((await stop(sessionId)).status).toBe(200);
      await running.body?.cancel();
    });

    test("E5, C20: queue: the prompt waits for its turn; it has its number and can be followed at once", async () => {
      const { sessionId } = await openSession(baseUrl());
      const first = await send(baseUrl(), sessionId, longPrompt);
      const second = await sendBusy(sessionId, "queue", "Second?");
      expect([second.status, second.headers.get("x-turn")]).toEqual([200, "2"]);
      const third = await sendBusy(sessionId, "queue", "Third?");
      expect(third.headers.get("x-turn")).toBe("3");
      const session = await sessionOf(sessionId);
      if (session["state"] === "answering" && session["queued"] === 2) {
        expect((await readHistory(baseUrl(), sessionId)).map(({ status }) => status)).toContain("queued");
      }
      const follower = await fetch(`${baseUrl()}/chat/${sessionId}/3`);
      expect(follower.status).toBe(200);
      const [events] = await Promise.all([Array.fromAsync(receive(first)), Array.fromAsync(receive(second))]);
      expect(events.at(-1)?.data["status"]).toBe("completed");
      const seen = await Array.fromAsync(receive(third));
      expect(seen.map(({ type }) => type)).toEqual(["turn", ...seen.slice(1, -1).map(() => "text"), "end"]);
      expect(textOf(await Array.fromAsync(receive(follower)))).toBe(textOf(seen));
      const history = await readHistory(baseUrl(), sessionId);
      expect(history.map(({ turn, status }) => [turn, status])).toEqual(
        [1, 1, 2, 2, 3, 3].map((turn) => [turn, "completed"]),
      );
      expect(await sessionOf(sessionId)).toMatchObject({ turns: 3, queued: 0, state: "idle" });
    });

    test("E5: at most ten wait; the next is 429", async () => {
      const { sessionId } = await openSession(baseUrl());
      const open = [await send(baseUrl(), sessionId, longPrompt)];
      for (let waiting = 0; waiting < 10; waiting += 1) open.push(await sendBusy(sessionId, "queue", longPrompt));
      expect(open.map(({ status }) => status)).toEqual(Array(11).fill(200));
      const eleventh = await sendBusy(sessionId, "queue");
      expect(Number(eleventh.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await problemOf(eleventh)).toMatchObject({ status: 429, code: "queue_full", retryable: true });
      for (let turn = 11; turn >= 1; turn -= 1) expect((await stop(`${sessionId}/${turn}`)).status).toBe(200);
      for (const response of open) await response.body?.cancel();
    });

    test("E5: interrupt: the running turn is stopped and keeps its text, and the prompt runs ahead of those that wait", async () => {
      const { sessionId } = await openSession(baseUrl());
      const first = await send(baseUrl(), sessionId, longPrompt);
      const waiting = await sendBusy(sessionId, "queue", longPrompt);
      const urgent = await sendBusy(sessionId, "interrupt", "Hello!");
      expect(urgent.headers.get("x-turn")).toBe("3");
      const events = await Array.fromAsync(receive(first));
      expect(events.at(-1)?.data["status"]).toBe("stopped");
      expect((await Array.fromAsync(receive(urgent))).at(-1)?.data["status"]).toBe("completed");
      const state = await (
        await fetch(`${baseUrl()}/chat/${sessionId}/1`, { headers: { accept: "application/json" } })
      ).json();
      expect(state).toMatchObject({ status: "stopped", answer: textOf(events) });
      expect(await (await stop(`${sessionId}/2`)).json()).toMatchObject({ turn: 2, status: "stopped" });
      await waiting.body?.cancel();
    });

    test("a prompt that is stopped while it waits is told so at once, and never answered", async () => {
      const { sessionId } = await openSession(baseUrl());
      const running = await send(baseUrl(), sessionId, longPrompt);
      const waiting = await sendBusy(sessionId, "queue", "Never mind");
      expect(await (await stop(`${sessionId}/2`)).json()).toEqual({ turn: 2, status: "stopped", answer: "" });
      expect((await Array.fromAsync(receive(waiting))).map(({ type }) => type)).toEqual(["turn", "end"]);
      expect(await (await stop(`${sessionId}/1`)).json()).toMatchObject({ turn: 1, status: "stopped" });
      await running.body?.cancel();
    });

    test("anything else is 422 and names the header", async () => {
      const { sessionId } = await openSession(baseUrl());
      const problem = await problemOf(await sendBusy(sessionId, "wait"));
      expect(problem).toMatchObject({ status: 422, code: "invalid_request", errors: [{ path: "if-busy" }] });
    });
  });

  describe("If-Turn", () => {
    test("E15: a prompt from a tab that has missed a turn is 409, names the newest, and destroys nothing", async () => {
      const { sessionId } = await openSession(baseUrl());
      const sendAfter = (turn: string, replaces?: number) =>
        send(baseUrl(), sessionId, "Hello!", { headers: { "if-turn": turn }, ...(replaces && { replaces }) });
      expect(await problemOf(await sendAfter("1"))).toMatchObject({
        status: 409,
        code: "stale_turn",
        detail: "The session has no turn 1 yet; read it again.",
        turn: 0,
      });
      expect((await Array.fromAsync(receive(await sendAfter("0")))).at(-1)?.data["status"]).toBe("completed");
      for (const response of [
        await sendAfter("0"),
        await sendAfter("0", 1),
        await fetch(`${baseUrl()}/chat/${sessionId}/regenerate`, { method: "POST", headers: { "if-turn": "0" } }),
      ]) {
        expect(await problemOf(response)).toMatchObject({ status: 409, code: "stale_turn", turn: 1 });
      }
      expect(await readHistory(baseUrl(), sessionId)).toHaveLength(2);
      expect((await Array.fromAsync(receive(await sendAfter("1")))).at(-1)?.data["status"]).toBe("completed");
    });

    test.each(["-1", "x", "1.5", "1, 2"])("%j is 422 and names the header", async (turn) => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, "Hello!", { headers: { "if-turn": turn } });
      expect(await problemOf(response)).toMatchObject({ status: 422, errors: [{ path: "if-turn" }] });
      expect(await ask(baseUrl(), sessionId, "Hello!")).not.toEqual([]);
    });
  });
}
