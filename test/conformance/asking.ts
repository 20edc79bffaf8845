import { describe, expect, test } from "vitest";
import {
  ask,
  openSession,
  problemOf,
  type ReceivedEvent,
  readHistory,
  receive,
  send,
  textOf,
} from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

export function askingConformance(baseUrl: BaseUrl): void {
  describe("PUT /chat/{session_id}", () => {
    test("streams the answer as server-sent events: turn, text, one end", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, "Hello! What is your name?");
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        "x-session-id": sessionId,
        "x-turn": "1",
      });
      expect(response.headers.has("content-encoding")).toBe(false);
      const events = await Array.fromAsync(receive(response));
      expect(events[0]).toEqual({
        id: "1.0",
        type: "turn",
        data: { session_id: sessionId, turn: 1, model: expect.any(String) },
      });
      expect(events.at(-1)).toMatchObject({ type: "end", data: { status: "completed", model: expect.any(String) } });
      expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
      expect(textOf(events)).not.toBe("");
    });

    test("ids are <turn>.<position>, and a text event advances the position by its UTF-16 length", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "First.");
      const events = await Array.fromAsync(receive(await send(baseUrl(), sessionId, "Say 🦊 and 🎉, please.")));
      expectPositions(events, 2);
    });

    test("the wire is what wire.md shows: one line of JSON a data field, retry first, unnamed text", async () => {
      const { sessionId } = await openSession(baseUrl());
      const stream = await (await send(baseUrl(), sessionId, 'Line one\nevent: end\n\n" \\ \u2028 🦊')).text();
      const retry = /^(?::[^\n]*\n+)*retry: (\d+)\n/.exec(stream)?.[1];
      expect(Number(retry)).toBeGreaterThanOrEqual(500);
      expect(Number(retry)).toBeLessThanOrEqual(5_000);
      expect(stream.endsWith("\n\n")).toBe(true);
      expect(stream).not.toContain("\r");
      for (const line of stream.split("\n")) {
        expect(line).toMatch(
          /^$|^:|^retry: \d+$|^id: \d+\.\d+$|^event: (turn|error|end|reset|tool|sources)$|^data: \{.*\}$/s,
        );
        if (line.startsWith("data: ")) JSON.parse(line.slice(6));
      }
      expect(stream.match(/^event: end$/gm)).toHaveLength(1);
    });

    test("Accept: text/plain streams the text alone", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, "Hello!", { accept: "text/plain" });
      expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
      expect(response.headers.get("x-turn")).toBe("1");
      const text = await response.text();
      expect(text).not.toBe("");
      expect((await readHistory(baseUrl(), sessionId))[1]?.content).toBe(text);
    });

    test("Accept: application/json waits and answers the whole turn", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, "Hello!", { accept: "application/json" });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        session_id: sessionId,
        turn: 1,
        status: "completed",
        answer: (await readHistory(baseUrl(), sessionId))[1]?.content,
        finish_reason: expect.any(String),
        usage: expect.anything(),
        model: expect.any(String),
      });
    });

    test.each([
      [undefined, "text/event-stream"],
      ["*/*", "text/event-stream"],
      ["application/json, text/plain, */*", "application/json"],
      ["text/plain;q=0.5, text/event-stream;q=0.1", "text/plain"],
      ["text/*;q=0.9, application/json;q=0.8", "text/event-stream"],
      ["application/*", "application/json"],
    ])("Accept: %s is answered as %s", async (accept, type) => {
      const { sessionId } = await openSession(baseUrl());
      const response = await fetch(`${baseUrl()}/chat/${sessionId}`, {
        method: "PUT",
        headers: { "content-type": "application/json", ...(accept !== undefined && { accept }) },
        body: '{"payload":"Hi"}',
      });
      expect(response.headers.get("content-type")?.split(";")[0]).toBe(type);
      await response.text();
    });

    test("A19: an Accept that excludes every shape is 406 and stores nothing", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await send(baseUrl(), sessionId, "Hello!", { accept: "image/png" });
      expect(await problemOf(response)).toMatchObject({ status: 406, code: "not_acceptable" });
      expect(await readHistory(baseUrl(), sessionId)).toEqual([]);
    });

    test("a second prompt while a turn runs is 409 turn_in_progress, names the turn and stores nothing", async () => {
      const { sessionId } = await openSession(baseUrl());
      const first = await send(baseUrl(), sessionId, longPrompt);
      const second = await send(baseUrl(), sessionId, "Me too!");
      expect(await problemOf(second)).toMatchObject({
        status: 409,
        code: "turn_in_progress",
        turn: 1,
        retryable: true,
      });
      const history = await readHistory(baseUrl(), sessionId);
      expect(history.map(({ turn }) => turn)).not.toContain(2);
      expect((await Array.fromAsync(receive(first))).at(-1)?.type).toBe("end");
    });

    test("A25: a client that goes away does not stop the turn, and the answer is stored whole", async () => {
      const { sessionId } = await openSession(baseUrl());
      const leaving = new AbortController();
      const response = await send(baseUrl(), sessionId, longPrompt, { signal: leaving.signal });
      for await (const event of receive(response)) if (event.type === "text") break;
      leaving.abort();
      const events = await Array.fromAsync(receive(await fetch(`${baseUrl()}/chat/${sessionId}/1`)));
      expect(events.at(-1)?.data["status"]).toBe("completed");
      expect((await readHistory(baseUrl(), sessionId))[1]?.content).toBe(textOf(events));
    });

    test("many sessions stream at once, each its own answer", async () => {
      const sessions = await Promise.all(
        Array.from({ length: 30 }, (_, index) => openSession(baseUrl(), `user-${index}`)),
      );
      await Promise.all(
        sessions.map(async ({ sessionId }) => {
          const events = await Array.fromAsync(receive(await send(baseUrl(), sessionId, "Tell me a story.")));
          expect(events[0]?.data["session_id"]).toBe(sessionId);
          expectPositions(events, 1);
          expect((await readHistory(baseUrl(), sessionId))[1]?.content).toBe(textOf(events));
        }),
      );
    });
  });
}

export function expectPositions(events: readonly ReceivedEvent[], turn: number): void {
  let position = -1;
  for (const { id, type, data } of events) {
    position += type === "text" ? String(data["text"]).length : 1;
    expect(id).toBe(`${turn}.${position}`);
  }
}
