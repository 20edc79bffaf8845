import { describe, expect, test } from "vitest";
import { ask, authorized, openSession, problemOf, readHistory } from "../helpers/client.ts";
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

    test("GET /sessions?username= lists the caller's sessions of that name, newest activity first, in pages", async () => {
      const { sessionId: first, token } = await openSession(baseUrl());
      const headers = authorized(token);
      const others = [];
      for (let count = 0; count < 3; count += 1) {
        const response = await fetch(`${baseUrl()}?username=TR`, { headers });
        others.push(((await response.json()) as { session_id: string }).session_id);
      }
      await fetch(`${baseUrl()}?username=Another`, { headers });
      await openSession(baseUrl());
      await ask(baseUrl(), first, "Hello!");
      const page = async (query: string) => {
        const response = await fetch(`${baseUrl()}/sessions?username=TR${query}`, { headers });
        expect(response.status).toBe(200);
        const { sessions, next_cursor } = (await response.json()) as {
          sessions: { session_id: string }[];
          next_cursor: string | null;
        };
        return { ids: sessions.map(({ session_id }) => session_id), sessions, cursor: next_cursor };
      };
      await expect.poll(async () => (await page("")).ids[0]).toBe(first);
      const all = await page("");
      expect(all.ids.toSorted()).toEqual([first, ...others].toSorted());
      expect(all.cursor).toBeNull();
      expect(all.sessions[0]).toEqual(await (await fetch(`${baseUrl()}/sessions/${first}`)).json());
      const begin = await page("&limit=3");
      expect(begin.ids).toEqual(all.ids.slice(0, 3));
      const rest = await page(`&limit=3&cursor=${begin.cursor}`);
      expect(rest).toMatchObject({ ids: all.ids.slice(3), cursor: null });
    });

    test("B1, B12: a list needs the guest's token, and shows nothing of another guest of the same name", async () => {
      const { sessionId } = await openSession(baseUrl(), "Bob");
      const url = `${baseUrl()}/sessions?username=Bob`;
      expect(await problemOf(await fetch(url))).toMatchObject({ status: 401, code: "unauthenticated" });
      const stranger = await openSession(baseUrl(), "Eve");
      const listed = await fetch(url, { headers: authorized(stranger.token) });
      expect(await listed.json()).toEqual({ sessions: [], next_cursor: null });
      expect((await fetch(`${baseUrl()}/sessions/${sessionId}`)).status).toBe(200);
    });

    test("A20: a cursor that was not given out for the list is 400, a missing username 422, and a limit is brought within its bounds", async () => {
      const { token } = await openSession(baseUrl());
      const headers = authorized(token);
      await fetch(`${baseUrl()}?username=TR`, { headers });
      const get = (query: string, other = headers) => fetch(`${baseUrl()}/sessions?${query}`, { headers: other });
      const { next_cursor: cursor } = (await (await get("username=TR&limit=1")).json()) as { next_cursor: string };
      const { token: stranger } = await openSession(baseUrl());
      for (const response of [
        await get("username=TR&cursor=x"),
        await get(`username=TR&cursor=${Buffer.from('[1,"x","y"]').toString("base64url")}`),
        await get(`username=Bob&cursor=${cursor}`),
        await get(`username=TR&cursor=${cursor}`, authorized(stranger)),
      ]) {
        expect(await problemOf(response)).toMatchObject({ status: 400, code: "invalid_cursor" });
      }
      expect(await problemOf(await get(""))).toMatchObject({ status: 422, errors: [{ path: "username" }] });
      for (const limit of ["0", "-1", "1e9"]) expect((await get(`username=TR&limit=${limit}`)).status).toBe(200);
      expect((await get("username=TR&limit=NaN")).status).toBe(422);
    });

    test("PATCH /sessions/{id} renames, pins and instructs, with the guest's token alone", async () => {
      const { sessionId, token } = await openSession(baseUrl());
      const url = `${baseUrl()}/sessions/${sessionId}`;
      const before = (await (await fetch(url)).json()) as object;
      const patch = (body: unknown, headers: Record<string, string> = authorized(token)) =>
        fetch(url, {
          method: "PATCH",
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(body),
        });
      const changed = await patch({
        title: "Plans",
        pinned: true,
        instructions: "Be brief.",
        username: "Eve",
        turns: 9,
      });
      expect(changed.status).toBe(200);
      const after = { ...before, title: "Plans", pinned: true, instructions: "Be brief." };
      expect(await changed.json()).toEqual(after);
      expect(await (await patch({})).json()).toEqual(after);
      expect(await (await patch({ title: null, pinned: false })).json()).toEqual({
        ...before,
        instructions: "Be brief.",
      });

      expect(await problemOf(await patch({ title: "x".repeat(201) }))).toMatchObject({
        status: 422,
        errors: [{ path: "title" }],
      });
      expect(await problemOf(await patch({ pinned: "yes" }))).toMatchObject({
        status: 422,
        errors: [{ path: "pinned" }],
      });
      expect(await problemOf(await patch({ title: "Mine" }, {}))).toMatchObject({
        status: 401,
        code: "unauthenticated",
      });
      const stranger = await openSession(baseUrl());
      expect(await problemOf(await patch({ title: "Mine" }, authorized(stranger.token)))).toMatchObject({
        status: 404,
        code: "session_not_found",
      });
      expect(await (await fetch(url)).json()).toEqual({ ...before, instructions: "Be brief." });
    });

    test("GET /sessions/{id}/export gives the whole dialogue as a file, with the guest's token alone", async () => {
      const { sessionId, token } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Hello 🦊!\n# Not a heading of ours");
      await ask(baseUrl(), sessionId, "And again");
      const url = `${baseUrl()}/sessions/${sessionId}`;
      const get = (query: string, headers = authorized(token)) => fetch(`${url}/export${query}`, { headers });
      const history = await readHistory(baseUrl(), sessionId);

      const json = await get("");
      expect(json.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(json.headers.get("content-disposition")).toMatch(/^attachment; filename="chat-\d{4}-\d\d-\d\d\.json"$/);
      const session = await (await fetch(url)).json();
      expect(await json.json()).toEqual({ session, message_history: history });

      const markdown = await get("?format=markdown");
      expect(markdown.headers.get("content-type")).toBe("text/markdown; charset=utf-8");
      expect(markdown.headers.get("content-disposition")).toMatch(/\.md"$/);
      const head = await fetch(`${url}/export?format=markdown`, { method: "HEAD", headers: authorized(token) });
      expect(head.status).toBe(200);
      for (const name of ["content-type", "content-disposition"]) {
        expect(head.headers.get(name)).toBe(markdown.headers.get(name));
      }
      const text = await markdown.text();
      expect(text).toMatch(/^# Hello 🦊! # Not a heading of ours\n/);
      for (const { content } of history) expect(text).toContain(`\n\n${content}\n`);

      expect(await problemOf(await get("?format=pdf"))).toMatchObject({ status: 422, errors: [{ path: "format" }] });
      expect(await problemOf(await get("", {} as { authorization: string }))).toMatchObject({ status: 401 });
      const stranger = await openSession(baseUrl());
      expect(await problemOf(await get("", authorized(stranger.token)))).toMatchObject({
        status: 404,
        code: "session_not_found",
      });
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
