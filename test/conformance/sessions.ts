import { describe, expect, test } from "vitest";
import { ask, authorized, openSession, problemOf } from "../helpers/client.ts";
import type { BaseUrl } from "./suite.ts";

export function sessionConformance(baseUrl: BaseUrl): void {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${baseUrl()}/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  describe("sessions", () => {
    test("GET /?username= opens a session and welcomes by name", async () => {
      const response = await fetch(`${baseUrl()}?username=TR`);
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        message: "Welcome to the chat service TR!",
        session_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        token: expect.stringMatching(/^\S{40,}$/),
      });
    });

    test("every opening gives another session", async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, async () => (await openSession(baseUrl())).sessionId));
      expect(new Set(ids).size).toBe(20);
    });

    test.each([
      "Zoë 🦊",
      "a b",
      "Robert'); DROP TABLE sessions;--",
      "<script>alert(1)</script>",
      "名前",
      "x".repeat(128),
    ])("a username may be %s", async (username) => {
      const { sessionId } = await openSession(baseUrl(), username);
      const session = (await (await fetch(`${baseUrl()}/sessions/${sessionId}`)).json()) as { username: string };
      expect(session.username).toBe(username);
    });

    test("POST /sessions opens one the REST way: 201, Location, the session and a token", async () => {
      const response = await post({ username: "TR", title: "Plans", instructions: "Be brief." });
      expect(response.status).toBe(201);
      const session = (await response.json()) as Record<string, unknown>;
      expect(response.headers.get("location")).toBe(`/sessions/${session["session_id"]}`);
      expect(session).toMatchObject({
        username: "TR",
        title: "Plans",
        instructions: "Be brief.",
        pinned: false,
        turns: 0,
        queued: 0,
        state: "idle",
        token: expect.any(String),
      });
      const { token: _, ...read } = session;
      expect(await (await fetch(`${baseUrl()}${response.headers.get("location")}`)).json()).toEqual(read);
    });

    test("A3: fields that are not declared are ignored and never stored", async () => {
      const response = await post({
        username: "TR",
        owner: "root",
        role: "admin",
        pinned: true,
        session_id: "1",
        __proto__: 1,
      });
      expect(response.status).toBe(201);
      const session = (await response.json()) as Record<string, unknown>;
      expect(session).toMatchObject({ pinned: false, title: null, instructions: null });
      expect(Object.keys(session)).not.toContain("owner");
    });

    test("a token opens the next session for the same guest; a made-up one opens nothing", async () => {
      const { token } = await openSession(baseUrl());
      const next = await fetch(`${baseUrl()}/?username=TR`, { headers: authorized(token) });
      expect(next.status).toBe(200);
      expect(((await next.json()) as { token: string }).token).toBe(token);
      const refused = await post({ username: "TR" }, authorized(`guest_${"x".repeat(43)}`));
      expect(await problemOf(refused)).toMatchObject({ status: 401, code: "invalid_credential" });
    });

    test("GET /sessions/{id} tells how many turns there are and whether the session is answering", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      const session = await (await fetch(`${baseUrl()}/sessions/${sessionId}`)).json();
      expect(session).toMatchObject({ session_id: sessionId, username: "TR", turns: 1, state: "idle" });
    });

    test("DELETE /sessions/{id} needs the guest's token, and then the session never existed", async () => {
      const { sessionId, token } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello!");
      const url = `${baseUrl()}/sessions/${sessionId}`;

      const anonymous = await fetch(url, { method: "DELETE" });
      expect(anonymous.headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(await problemOf(anonymous)).toMatchObject({ status: 401, code: "unauthenticated" });
      const stranger = await openSession(baseUrl());
      const foreign = await fetch(url, { method: "DELETE", headers: authorized(stranger.token) });
      expect(await problemOf(foreign)).toMatchObject({ status: 404, code: "session_not_found" });
      expect((await fetch(url)).status).toBe(200);

      const deleted = await fetch(url, { method: "DELETE", headers: authorized(token) });
      expect(deleted.status).toBe(204);
      expect(await deleted.text()).toBe("");
      for (const path of [
        `/sessions/${sessionId}`,
        `/chat/${sessionId}`,
        `/chat/${sessionId}/1`,
        `/chat_history/${sessionId}`,
      ]) {
        expect(await problemOf(await fetch(baseUrl() + path))).toMatchObject({
          status: 404,
          code: "session_not_found",
        });
      }
      const again = await fetch(url, { method: "DELETE", headers: authorized(token) });
      expect(again.status).toBe(404);
    });

    test("DELETE takes an empty body whatever the content type says", async () => {
      const { sessionId, token } = await openSession(baseUrl());
      const headers = { ...authorized(token), "content-type": "application/json" };
      expect((await fetch(`${baseUrl()}/sessions/${sessionId}`, { method: "DELETE", headers })).status).toBe(204);
    });
  });
}
