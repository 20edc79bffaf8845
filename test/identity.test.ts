/** Who may do what, in each mode of `AUTH`, asked of the whole service. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf, receive, send, textOf } from "./helpers/client.ts";
import { type CallerName, type ModeService, startMode, type TestCaller } from "./helpers/modes.ts";

const neverExisted = "0".repeat(32);
const json = { "content-type": "application/json" };

type Operation = {
  readonly name: string;
  readonly scope: "read" | "write";
  readonly method: string;
  readonly path: string;
  readonly body?: object;
};

/** Everything that can be done with a session, by what it needs of a credential. */
const operations: readonly Operation[] = [
  { name: "read", scope: "read", method: "GET", path: "/sessions/{id}" },
  { name: "rename", scope: "write", method: "PATCH", path: "/sessions/{id}", body: { title: "Mine" } },
  { name: "export", scope: "read", method: "GET", path: "/sessions/{id}/export" },
  { name: "export as Markdown", scope: "read", method: "GET", path: "/sessions/{id}/export?format=markdown" },
  { name: "ask", scope: "write", method: "PUT", path: "/chat/{id}", body: { payload: "Whose is this?" } },
  { name: "edit", scope: "write", method: "PUT", path: "/chat/{id}", body: { payload: "Whose is this?", replaces: 1 } },
  { name: "regenerate", scope: "write", method: "POST", path: "/chat/{id}/regenerate" },
  { name: "continue", scope: "write", method: "POST", path: "/chat/{id}/continue" },
  { name: "watch", scope: "read", method: "GET", path: "/chat/{id}" },
  { name: "watch one turn", scope: "read", method: "GET", path: "/chat/{id}/1" },
  { name: "resume", scope: "read", method: "GET", path: "/chat/{id}?after=1.3" },
  { name: "stop", scope: "write", method: "DELETE", path: "/chat/{id}" },
  { name: "stop one turn", scope: "write", method: "DELETE", path: "/chat/{id}/1" },
  { name: "read what was said", scope: "read", method: "GET", path: "/chat_history/{id}" },
  { name: "delete", scope: "write", method: "DELETE", path: "/sessions/{id}" },
];

describe.each(["keys", "jwt"] as const)("with AUTH=%s", (mode) => {
  let service: ModeService;
  let owner: TestCaller;
  let sessionId: string;

  beforeAll(async () => {
    service = await startMode(mode);
    owner = service.caller("owner");
    sessionId = await service.openSession(owner);
    await Array.fromAsync(receive(await send(service.baseUrl, sessionId, "Hello!", { headers: owner.headers })));
  });

  afterAll(() => service.close());

  const call = (caller: TestCaller, method: string, path: string, body?: object, id = sessionId) =>
    fetch(service.baseUrl + path.replace("{id}", id), {
      method,
      headers: { ...caller.headers, ...(body && json), "x-request-id": "same" },
      ...(body && { body: JSON.stringify(body) }),
    });

  /** The owner's view of everything, to compare. */
  const everything = async () => {
    const session = await (await call(owner, "GET", "/sessions/{id}")).json();
    const history = await (await call(owner, "GET", "/chat_history/{id}")).json();
    return { session, history };
  };

  const refused: readonly CallerName[] =
    mode === "keys"
      ? ["malformed", "unknown", "revoked", "expired", "of another mode"]
      : ["malformed", "unknown", "expired", "forged", "of another mode"];

  test("whoever has a credential opens sessions in both ways, and is answered no token", async () => {
    for (const [method, path, body] of [
      ["GET", `/?username=${owner.username}`, undefined],
      ["POST", "/sessions", { username: owner.username }],
    ] as const) {
      const response = await call(owner, method, path, body);
      expect(response.ok).toBe(true);
      expect(response.headers.get("set-cookie")).toBeNull();
      const opened = (await response.json()) as Record<string, unknown>;
      expect(opened["session_id"]).toMatch(/^[0-9a-f]{32}$/);
      expect(opened).not.toHaveProperty("token");
    }
  });

  test("what operates the service, and its pages, need none", async () => {
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/docs/errors", "/docs"]) {
      expect((await fetch(service.baseUrl + path)).status).toBe(200);
    }
    expect((await fetch(service.baseUrl, { headers: { accept: "text/html" } })).status).toBe(200);
  });

  test("B1: without a credential everything else is 401, also for who knows the id", async () => {
    const nobody = service.caller("nobody");
    const others: readonly Operation[] = [
      { name: "open by a link", scope: "write", method: "GET", path: "/?username=alice" },
      { name: "open", scope: "write", method: "POST", path: "/sessions", body: { username: "alice" } },
      { name: "list", scope: "read", method: "GET", path: "/sessions?username=alice" },
      { name: "usage", scope: "read", method: "GET", path: "/usage" },
    ];
    for (const { name, method, path, body } of [...operations, ...others]) {
      const response = await call(nobody, method, path, body);
      expect([name, response.status, response.headers.get("www-authenticate")]).toEqual([name, 401, "Bearer"]);
      expect((await problemOf(response))["code"]).toBe("unauthenticated");
    }
  });

  test("B2: with one that is not good everything is 401 in the same words, and the log says why without the secret", async () => {
    const before = service.log.length;
    const bodies = new Set<string>();
    for (const caller of refused.map((name) => service.caller(name))) {
      for (const { method, path, body } of operations) {
        const response = await call(caller, method, path, body);
        expect(response.status).toBe(401);
        expect(response.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
        bodies.add(await response.text());
      }
    }
    expect(bodies.size).toBe(1);
    const lines = service.log.slice(before);
    expect(lines.filter((line) => line.includes("A credential was refused"))).toHaveLength(
      refused.length * operations.length,
    );
    for (const name of refused) {
      const [, token = ""] = (service.caller(name).headers["authorization"] ?? "").split(" ");
      if (token.length > 10) expect(lines.join()).not.toContain(token);
    }
  });

  test.each([
    ["Basic", (token: string) => ({ authorization: `Basic ${token}` })],
    ["Token", (token: string) => ({ authorization: `Token ${token}` })],
    ["no scheme", (token: string) => ({ authorization: token })],
    ["X-Api-Key", (token: string) => ({ "x-api-key": token })],
    ["Proxy-Authorization", (token: string) => ({ "proxy-authorization": `Bearer ${token}` })],
    ["X-Forwarded-Authorization", (token: string) => ({ "x-forwarded-authorization": `Bearer ${token}` })],
    ["a cookie", (token: string) => ({ cookie: `chat_guest=${token}; token=${token}; __Host-chat_login=${token}` })],
    ["the page's cookie, where no page asks", (token: string) => ({ cookie: `chat_login=${token}` })],
  ])("B5: a good credential in another place or scheme (%s) lets nobody in", async (_, headersOf) => {
    const [, token = ""] = (owner.headers["authorization"] ?? "").split(" ");
    const response = await call({ ...owner, headers: headersOf(token) }, "GET", "/sessions/{id}");
    expect(response.status).toBe(401);
  });

  test("B5: a second credential beside a good one: 400, whatever it is", async () => {
    const { authorization = "" } = owner.headers;
    for (const headers of [{ authorization, "x-api-key": "x" }, { authorization: `${authorization}, Bearer x` }]) {
      const response = await call({ ...owner, headers }, "GET", "/sessions/{id}");
      expect((await problemOf(response))["code"]).toBe("ambiguous_credentials");
    }
  });

  test.each(operations)(
    "B8, B9, B11: to $name another's session is 404, to the letter as one that never was, and changes nothing",
    async ({ method, path, body }) => {
      const before = await everything();
      const other = service.caller("other");
      const answers = [];
      for (const id of [sessionId, neverExisted]) {
        const response = await call(other, method, path, body, id);
        const { date: _date, ...headers } = Object.fromEntries(response.headers);
        answers.push({ status: response.status, headers, body: (await response.text()).replaceAll(id, "<id>") });
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]).toMatchObject({ status: 404, body: expect.stringContaining("session_not_found") });
      expect(await everything()).toEqual(before);
    },
  );

  test("B10: another's session id in the body of one's own request does nothing", async () => {
    const other = service.caller("other");
    const own = await service.openSession(other);
    const before = await everything();
    const body = { payload: "Hello!", session_id: sessionId, sessionId, conversation_id: sessionId, id: sessionId };
    const response = await call(other, "PUT", "/chat/{id}", body, own);
    expect(response.headers.get("x-session-id")).toBe(own);
    await response.text();
    expect(await everything()).toEqual(before);
  });

  test("B9: a stream of another's is not opened while it runs either, nor after the owner has come back", async () => {
    const live = await service.openSession(owner);
    const answer = await send(service.baseUrl, live, "Tell me a story.", { headers: owner.headers });
    const other = service.caller("other");
    expect((await call(other, "GET", "/chat/{id}", undefined, live)).status).toBe(404);
    const again = await call(owner, "GET", "/chat/{id}", undefined, live);
    expect((await call(other, "GET", "/chat/{id}/1", undefined, live)).status).toBe(404);
    const [whole, resumed] = await Promise.all([answer, again].map((stream) => Array.fromAsync(receive(stream))));
    expect(textOf(resumed ?? [])).toBe(textOf(whole ?? []));
    expect(textOf(resumed ?? [])).not.toBe("");
  });

  test.each(operations)(
    "B15: to $name takes a credential of the scope $scope",
    async ({ name, scope, method, path, body }) => {
      const reader = service.caller("reader");
      const before = await everything();
      const response = await call(reader, method, path, body);
      if (scope === "write") {
        expect([name, response.status]).toEqual([name, 403]);
        expect((await problemOf(response))["code"]).toBe("insufficient_scope");
        expect(response.headers.get("www-authenticate")).toBe('Bearer error="insufficient_scope"');
        expect(await everything()).toEqual(before);
      } else {
        expect([200, 204]).toContain(response.status);
        await response.text();
      }
    },
  );

  test("B15: who may only read opens no session, not even by a link", async () => {
    const reader = service.caller("reader");
    for (const response of [
      await call(reader, "GET", "/?username=alice"),
      await call(reader, "POST", "/sessions", { username: "alice" }),
      await call(reader, "HEAD", "/?username=alice"),
    ]) {
      expect(response.status).toBe(403);
    }
  });

  test("B12: the sessions of a name are the caller's own alone", async () => {
    const list = async (caller: TestCaller, username: string) => {
      const response = await call(caller, "GET", `/sessions?username=${encodeURIComponent(username)}`);
      if (!response.ok) return (await problemOf(response))["code"];
      return ((await response.json()) as { sessions: { session_id: string }[] }).sessions.map((s) => s.session_id);
    };
    expect(await list(owner, owner.username)).toContain(sessionId);
    const other = service.caller("other");
    if (mode === "keys") {
      await service.openSession({ ...owner, username: "only the owner's" });
      expect(await list(owner, "only the owner's")).toHaveLength(1);
      expect(await list(other, "only the owner's")).toEqual([]);
      expect(await list(other, owner.username)).not.toContain(sessionId);
    } else {
      expect(await list(other, owner.username)).toBe("not_your_user");
      expect(await list(other, "nobody-of-that-name")).toBe("not_your_user");
      expect(await list(other, other.username)).not.toContain(sessionId);
    }
  });
});

describe("a key's owner", () => {
  let service: ModeService;

  beforeAll(async () => {
    service = await startMode("keys");
  });

  afterAll(() => service.close());

  test("serves many usernames and finds the sessions of each", async () => {
    const owner = service.caller("owner");
    for (const username of ["alice", "bob", "Zoë"]) {
      const id = await service.openSession({ ...owner, username });
      const url = `${service.baseUrl}/sessions?username=${encodeURIComponent(username)}`;
      const { sessions } = (await (await fetch(url, { headers: owner.headers })).json()) as { sessions: object[] };
      expect(sessions).toMatchObject([{ session_id: id, username }]);
    }
  });
});

describe("B12, B13: an access token may use no other username than its own", () => {
  let service: ModeService;

  beforeAll(async () => {
    service = await startMode("jwt");
  });

  afterAll(() => service.close());

  test.each(["bob", "Alice", "ALICE", "\u0430lice", "alice\u200b", "alice2"])("not %j", async (username) => {
    const { headers } = service.caller("owner");
    const name = encodeURIComponent(username);
    for (const response of [
      await fetch(`${service.baseUrl}/?username=${name}`, { headers }),
      await fetch(`${service.baseUrl}/sessions?username=${name}`, { headers }),
      await fetch(`${service.baseUrl}/usage?username=${name}`, { headers }),
      await fetch(`${service.baseUrl}/sessions`, {
        method: "POST",
        headers: { ...headers, ...json },
        body: JSON.stringify({ username }),
      }),
    ]) {
      expect(response.status).toBe(403);
      expect((await problemOf(response))["code"]).toBe("not_your_user");
    }
  });

  test.each(["alice", " alice ", "alice\u00a0"])("but %j, which is its own", async (username) => {
    const { headers } = service.caller("owner");
    const response = await fetch(`${service.baseUrl}/?username=${encodeURIComponent(username)}`, { headers });
    expect(await response.json()).toMatchObject({ message: "Welcome to the chat service alice!" });
  });
});
