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

export function resumingConformance(baseUrl: BaseUrl): void {
  const follow = (path: string, lastEventId?: string) =>
    fetch(`${baseUrl()}/chat/${path}`, { headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId } });

  describe("GET /chat/{session_id} and /{turn}", () => {
    test("a session without turns answers 204", async () => {
      const { sessionId } = await openSession(baseUrl());
      expect((await follow(sessionId)).status).toBe(204);
    });

    test("C1: a lost connection is resumed by the last id, with every character exactly once", async () => {
      const { sessionId } = await openSession(baseUrl());
      let response = await send(baseUrl(), sessionId, longPrompt);
      const seen: ReceivedEvent[] = [];
      for (let cut = 0; seen.at(-1)?.type !== "end"; cut += 1) {
        let taken = 0;
        for await (const event of receive(response)) {
          seen.push(event);
          taken += 1;
          // Cut seven times in its middle, then read to the end.
          if (cut < 7 && taken > 3) break;
        }
        if (seen.at(-1)?.type === "end") break;
        await response.body?.cancel().catch(() => undefined);
        const last = seen.at(-1)?.id;
        response = cut % 2 === 0 ? await follow(sessionId, last) : await follow(`${sessionId}/1?after=${last}`);
        expect(response.status).toBe(200);
      }
      expect(seen.filter(({ type }) => type === "end")).toHaveLength(1);
      expect(seen.filter(({ type }) => type === "turn")).toHaveLength(1);
      expect(seen.filter(({ type }) => type === "reset")).toHaveLength(0);
      expect(textOf(seen)).toBe((await readHistory(baseUrl(), sessionId))[1]?.content);
    });

    test("C5: a finished answer can be resumed at any position, also inside what was one piece", async () => {
      const { sessionId } = await openSession(baseUrl());
      const text = textOf(await ask(baseUrl(), sessionId, "Hello! What is your name?"));
      for (const position of [0, 1, 2, Math.floor(text.length / 2), text.length - 1, text.length]) {
        const rest = await Array.fromAsync(receive(await follow(`${sessionId}/1`, `1.${position}`)));
        expect(textOf(rest)).toBe(text.slice(position));
        expect(rest.at(-1)?.type).toBe("end");
      }
    });

    test.each(["-1", undefined, ""])("position %o gives the whole turn", async (position) => {
      const { sessionId } = await openSession(baseUrl());
      const first = await ask(baseUrl(), sessionId, "Hello!");
      const again = await Array.fromAsync(receive(await follow(sessionId, position)));
      expect(again[0]).toEqual(first[0]);
      expect(again.at(-1)).toEqual(first.at(-1));
      expect(textOf(again)).toBe(textOf(first));
    });

    test("C6: at or after the end of a settled turn there is nothing more: 204", async () => {
      const { sessionId } = await openSession(baseUrl());
      const end = (await ask(baseUrl(), sessionId, "Hello!")).at(-1)?.id ?? "";
      for (const path of [sessionId, `${sessionId}/1`]) {
        const response = await follow(path, end);
        expect(response.status).toBe(204);
        expect(await response.text()).toBe("");
        expect((await follow(path, "1.99999999")).status).toBe(204);
      }
    });

    test("an id on the session's URL names the turn to follow, even when a newer one exists", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "First.");
      await ask(baseUrl(), sessionId, "Second.");
      expect((await follow(sessionId)).headers.get("x-turn")).toBe("2");
      const first = await follow(sessionId, "1.0");
      expect(first.headers.get("x-turn")).toBe("1");
      expect((await Array.fromAsync(receive(first))).at(-1)?.id).toMatch(/^1\./);
      expect((await follow(`${sessionId}?after=1.0`)).headers.get("x-turn")).toBe("1");
    });

    test("C4: a position beyond a running log is answered by a reset with the whole text so far, then the tail", async () => {
      const { sessionId } = await openSession(baseUrl());
      const running = await send(baseUrl(), sessionId, longPrompt);
      for await (const event of receive(running)) if (event.type === "text") break;
      const events = await Array.fromAsync(receive(await follow(`${sessionId}/1`, "1.9999999")));
      expect(events[0]?.type).toBe("reset");
      expect(events.at(-1)?.type).toBe("end");
      expect(textOf(events)).toBe((await readHistory(baseUrl(), sessionId))[1]?.content);
    });

    test.each(["abc", "1", "1.", "1.x", "1.-5", "1.2.3", "0.1", "1e1.0"])(
      "C3: the position %s is 400 invalid_position",
      async (id) => {
        const { sessionId } = await openSession(baseUrl());
        await ask(baseUrl(), sessionId, "Hello!");
        for (const path of [sessionId, `${sessionId}/1`]) {
          expect(await problemOf(await follow(path, id))).toMatchObject({ status: 400, code: "invalid_position" });
          expect(await problemOf(await follow(`${path}?after=${id}`))).toMatchObject({ code: "invalid_position" });
        }
      },
    );

    test("C3: an id of another turn on a turn's own URL is 409 position_of_another_turn", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      await ask(baseUrl(), sessionId, "Hello!");
      expect(await problemOf(await follow(`${sessionId}/1`, "2.0"))).toMatchObject({
        status: 409,
        code: "position_of_another_turn",
      });
    });

    test("a turn that does not exist is 404 turn_not_found", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      for (const path of [
        `${sessionId}/2`,
        `${sessionId}/0`,
        `${sessionId}/x`,
        `${sessionId}/-1`,
        `${sessionId}?after=9.0`,
      ]) {
        expect(await problemOf(await follow(path))).toMatchObject({ status: 404, code: "turn_not_found" });
      }
    });

    test("C7: several readers of one turn see the same, whenever they come", async () => {
      const { sessionId } = await openSession(baseUrl());
      const asking = send(baseUrl(), sessionId, longPrompt).then((response) => Array.fromAsync(receive(response)));
      const readers: Promise<ReceivedEvent[]>[] = [];
      for (let index = 0; index < 10; index += 1) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        readers.push(follow(sessionId).then((response) => Array.fromAsync(receive(response))));
      }
      const whole = await asking;
      for (const events of await Promise.all(readers)) {
        expect(textOf(events)).toBe(textOf(whole));
        expect(events.at(-1)).toEqual(whole.at(-1));
      }
    });

    test("with Accept: application/json a turn's state comes at once, running or ended", async () => {
      const { sessionId } = await openSession(baseUrl());
      const running = await send(baseUrl(), sessionId, longPrompt);
      const state = async (path: string) =>
        (await fetch(`${baseUrl()}/chat/${path}`, { headers: { accept: "application/json" } })).json();
      expect(await state(`${sessionId}/1`)).toMatchObject({
        turn: 1,
        status: "running",
        finish_reason: null,
        usage: null,
      });
      const events = await Array.fromAsync(receive(running));
      const ended = { session_id: sessionId, turn: 1, status: "completed", answer: textOf(events) };
      expect(await state(`${sessionId}/1`)).toMatchObject(ended);
      expect(await state(sessionId)).toMatchObject(ended);
    });

    test("with Accept: text/plain a turn's text comes alone", async () => {
      const { sessionId } = await openSession(baseUrl());
      const text = textOf(await ask(baseUrl(), sessionId, "Hello!"));
      const response = await fetch(`${baseUrl()}/chat/${sessionId}/1`, { headers: { accept: "text/plain" } });
      expect(await response.text()).toBe(text);
    });

    test("C19: HEAD and OPTIONS open no stream", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      const head = await fetch(`${baseUrl()}/chat/${sessionId}`, { method: "HEAD" });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe("");
      const options = await fetch(`${baseUrl()}/chat/${sessionId}`, { method: "OPTIONS" });
      expect(options.status).toBe(204);
      expect(options.headers.get("allow")).toContain("PUT");
    });
  });
}
