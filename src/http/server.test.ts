/** What every answer has in common, whatever the route: headers, hosts, credentials, errors, the log. */
import { createHash } from "node:crypto";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { exchange, openConnection, statusOf } from "../../test/helpers/http-socket.ts";
import { Problem } from "../protocol/problems.ts";
import { requireDeclaredAccess } from "./route.ts";

let test: TestServer;
let sessionId: string;
let token: string;

beforeAll(async () => {
  test = await startTestServer();
  ({ sessionId, token } = await test.openSession());
  test.model.say("Hi");
  test.model.finish();
  await (await test.ask(sessionId)).text();
});

afterAll(() => test.close());

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  return (await response.json()) as Record<string, unknown>;
}

/** The names of the headers that are not about the connection. */
function namesOf(response: Response): string[] {
  const ofConnection = ["connection", "content-length", "keep-alive", "transfer-encoding"];
  return [...response.headers.keys()].filter((name) => !ofConnection.includes(name)).sort();
}

describe("headers", () => {
  const common = [
    "cache-control",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "referrer-policy",
    "vary",
    "x-content-type-options",
    "x-request-id",
  ];
  it("C14: JSON, history, event streams, text and problems have the same ones", async () => {
    const chat = `${test.url}/chat/${sessionId}`;
    const as = (accept: string) => fetch(chat, { headers: { accept } });
    const answers = {
      json: await fetch(`${test.url}/sessions/${sessionId}`),
      history: await fetch(`${test.url}/chat_history/${sessionId}`),
      problem: await fetch(`${test.url}/nothing`),
    };
    for (const response of Object.values(answers)) expect(namesOf(response)).toEqual(common);
    const ofAnswer = [...common, "x-session-id", "x-turn"].sort();
    expect(namesOf(await as("application/json"))).toEqual(ofAnswer);
    for (const type of ["text/event-stream", "text/plain"]) {
      const response = await as(type);
      expect(namesOf(response)).toEqual([...ofAnswer, "x-accel-buffering"].sort());
      expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
      expect(response.headers.get("x-accel-buffering")).toBe("no");
      expect(response.headers.get("content-encoding")).toBeNull();
      expect(response.headers.get("content-security-policy")).toBe(answers.json.headers.get("content-security-policy"));
    }
  });

  it("pages run no script and cannot be framed", async () => {
    for (const path of ["/", "/docs/errors"]) {
      const response = await fetch(test.url + path, { headers: { accept: "text/html" } });
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response.headers.get("content-security-policy")).toMatch(
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'.*trusted-types 'none'$/,
      );
      expect(await response.text()).not.toMatch(/<script|<style|style=|onclick|https?:\/\/(?!127\.0\.0\.1)/);
    }
  });

  it("B19: no answer allows another origin to read it", async () => {
    const response = await fetch(`${test.url}/sessions/${sessionId}`, { headers: { origin: "https://example.com" } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("vary")).toContain("Origin");
  });

  it.each(["a", "A-Z_09", "x".repeat(64)])("A26: the client's request id %s is kept", async (id) => {
    const response = await fetch(`${test.url}/nothing`, { headers: { "x-request-id": id } });
    expect(response.headers.get("x-request-id")).toBe(id);
    expect((await problemOf(response))["request_id"]).toBe(id);
  });

  it.each(["", "a b", "x".repeat(65), "a\tb", "ä", "a,b"])("A26: the request id %j is replaced", async (id) => {
    const response = await fetch(`${test.url}/nothing`, { headers: { "x-request-id": id } });
    expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("HEAD and OPTIONS", () => {
  const paths = [
    "/sessions/:id",
    "/chat/:id",
    "/chat/:id/1",
    "/chat_history/:id",
    "/healthz",
    "/readyz",
    "/openapi.json",
  ];

  it.each(paths)("C19: HEAD %s has the status and the headers of GET, and no body", async (path) => {
    const url = test.url + path.replace(":id", sessionId);
    const get = await fetch(url);
    const head = await fetch(url, { method: "HEAD" });
    expect(head.status).toBe(get.status);
    expect(namesOf(head)).toEqual(namesOf(get));
    expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    await get.body?.cancel();
    expect(await head.text()).toBe("");
  });

  it("C19: HEAD / opens no session", async () => {
    const opened: unknown[] = [];
    const watched = await startTestServer({
      storage: (real) => ({
        ...real,
        sessions: {
          ...real.sessions,
          open: (session) => {
            opened.push(session);
            return real.sessions.open(session);
          },
        },
      }),
    });
    const response = await fetch(`${watched.url}/?username=TR`, { method: "HEAD" });
    expect(response.status).toBe(200);
    expect(opened).toEqual([]);
    await watched.openSession();
    expect(opened).toHaveLength(1);
    await watched.close();
  });

  it("C19: HEAD of a session without a turn is 204, of an unknown one 404 with no body", async () => {
    const { sessionId: empty } = await test.openSession();
    expect((await fetch(`${test.url}/chat/${empty}`, { method: "HEAD" })).status).toBe(204);
    const unknown = await fetch(`${test.url}/chat/1234`, { method: "HEAD" });
    expect(unknown.status).toBe(404);
    expect(await unknown.text()).toBe("");
    expect((await fetch(`${test.url}/chat/%zz`, { method: "HEAD" })).status).toBe(404);
  });

  it("C19: OPTIONS is 204 with Allow", async () => {
    const response = await fetch(`${test.url}/chat/${sessionId}`, { method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(response.headers.get("allow")).toBe("DELETE, GET, HEAD, OPTIONS, PUT");
  });
});

describe("hosts", () => {
  const get = (port: number, host: string, path = "/healthz") =>
    exchange(port, `GET ${path} HTTP/1.1\r\n${host === "" ? "" : `Host: ${host}\r\n`}Connection: close\r\n\r\n`);

  it.each(["localhost", "localhost:1", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "[::1]"])(
    "A23: %s is us",
    async (host) => {
      expect(statusOf(await get(test.port, host))).toBe(200);
    },
  );

  it.each([
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "x@localhost",
  ])("A23: %s is not us: 421 on every route", async (host) => {
    for (const path of [
      "/healthz",
      "/",
      "/?username=x",
      "/chat/x",
      "/chat/%zz",
      "/nothing",
      "/docs",
      "/openapi.json",
    ]) {
      const response = await get(test.port, host, path);
      expect(statusOf(response)).toBe(421);
      expect(response).toContain('"code":"host_not_allowed"');
    }
  });

  it("A23: ALLOWED_HOSTS adds names", async () => {
    const named = await startTestServer({ config: { allowedHosts: ["chat.example"] } });
    expect(statusOf(await get(named.port, "chat.example"))).toBe(200);
    expect(statusOf(await get(named.port, "Chat.Example:443"))).toBe(200);
    expect(statusOf(await get(named.port, "evil.example"))).toBe(421);
    await named.close();
  });

  it("A23: beyond loopback any host passes, until there are ALLOWED_HOSTS", async () => {
    const open = await startTestServer({ config: { host: "0.0.0.0" } });
    expect(statusOf(await get(open.port, "any.example"))).toBe(200);
    await open.close();
    const named = await startTestServer({ config: { host: "0.0.0.0", allowedHosts: ["chat.example"] } });
    expect(statusOf(await get(named.port, "any.example"))).toBe(421);
    expect(statusOf(await get(named.port, "localhost"))).toBe(200);
    await named.close();
  });
});

describe("credentials", () => {
  const remove = (headers: Record<string, string>) =>
    fetch(`${test.url}/sessions/${sessionId}`, { method: "DELETE", headers });

  it("B1: where a token is needed and none is sent: 401, which says what to send", async () => {
    const response = await remove({});
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    const { code, detail } = await problemOf(response);
    expect(code).toBe("unauthenticated");
    expect(detail).toContain("Authorization: Bearer");
  });

  it("B2, B5: another token or scheme: 401, the same whatever is wrong with it", async () => {
    const wrong = [`Bearer guest_${"A".repeat(43)}`, "Bearer x", `Basic ${token}`, "Bearer", "Bearer a b", token];
    const bodies = await Promise.all(
      wrong.map(async (authorization) => {
        const response = await remove({ authorization });
        expect(response.status).toBe(401);
        return (await problemOf(response))["code"];
      }),
    );
    expect(new Set(bodies)).toEqual(new Set(["invalid_credential"]));
  });

  it("B8: another guest's token: 404, the same body as for an id that never was", async () => {
    const other = await test.openSession();
    const authorization = `Bearer ${other.token}`;
    const ask = async (id: string) => {
      const response = await fetch(`${test.url}/sessions/${id}`, {
        method: "DELETE",
        headers: { authorization, "x-request-id": "same" },
      });
      expect(response.status).toBe(404);
      return (await response.text()).replace(id, "<id>");
    };
    expect(await ask(sessionId)).toBe(await ask("f".repeat(32)));
    expect(await ask("1234")).toBe(await ask("f".repeat(32)));
  });

  it("B5: two credentials in one request: 400, on every route", async () => {
    for (const path of ["/healthz", `/sessions/${sessionId}`]) {
      const response = await exchange(
        test.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`,
      );
      expect(statusOf(response)).toBe(400);
      expect(response).toContain('"code":"ambiguous_credentials"');
    }
    const response = await remove({ authorization: `Bearer ${token}`, "x-api-key": "x" });
    expect((await problemOf(response))["code"]).toBe("ambiguous_credentials");
  });

  it.each(["token", "access_token", "api_key"])("B7: ?%s= in the URL: 400, and it is not read", async (name) => {
    const response = await fetch(`${test.url}/?username=TR&${name}=${token}`);
    expect(response.status).toBe(400);
    expect((await problemOf(response))["code"]).toBe("credential_in_url");
  });

  it("a token opens the next session for the same guest, an unknown one opens none", async () => {
    const open = (authorization: string) => fetch(`${test.url}/?username=TR`, { headers: { authorization } });
    const again = (await (await open(`Bearer ${token}`)).json()) as { token: string; session_id: string };
    expect(again.token).toBe(token);
    expect(again.session_id).not.toBe(sessionId);
    expect((await open(`Bearer guest_${"A".repeat(43)}`)).status).toBe(401);
  });
});

describe("routes", () => {
  it("one that does not declare who has access does not start", () => {
    const app = Fastify();
    requireDeclaredAccess(app);
    expect(() => app.get("/secret", async () => "x")).toThrow("/secret does not declare who has access");
    app.get("/open", { config: { access: "public" } }, async () => "x");
  });
});

describe("faults", () => {
  it("H1: an unexpected one is 500 with a request id under which the log has the cause, and says nothing else", async () => {
    const broken = await startTestServer({
      storage: (real) => ({
        ...real,
        sessions: { ...real.sessions, read: () => Promise.reject(new Error("SQLITE_IOERR at /secret/chat.db")) },
      }),
    });
    const response = await fetch(`${broken.url}/sessions/${sessionId}`);
    expect(response.status).toBe(500);
    const text = await response.text();
    const { code, request_id: requestId } = JSON.parse(text) as Record<string, string>;
    expect(code).toBe("internal");
    expect(text).not.toMatch(/SQLITE|secret|\.ts|at /);
    const line = broken.log.find(({ level }) => level === "error");
    expect(line?.["request_id"]).toBe(requestId);
    expect(String(line?.["err"])).toContain("SQLITE_IOERR");
    await broken.close();
  });

  it("F3, F4: a fault of the storage is told by its code, with its cause in the log alone", async () => {
    const cause = new Error("disk I/O error");
    const full = await startTestServer({
      storage: (real) => ({
        ...real,
        sessions: {
          ...real.sessions,
          open: () => Promise.reject(new Problem("storage_full", "The disk is full; nothing was stored.", { cause })),
        },
      }),
    });
    const response = await fetch(`${full.url}/?username=TR`);
    expect(response.status).toBe(507);
    expect(await problemOf(response)).toMatchObject({ code: "storage_full", retryable: true });
    expect(full.log.find(({ level }) => level === "error")?.["err"]).toBe(cause);
    await full.close();
  });

  it("H2: while the service drains a new turn is 503 with Retry-After, and nothing is stored", async () => {
    const draining = await startTestServer();
    const { sessionId: id } = await draining.openSession();
    await draining.drain();
    const response = await draining.ask(id);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await problemOf(response)).toMatchObject({ code: "draining", retryable: true });
    const session = await (await fetch(`${draining.url}/sessions/${id}`)).json();
    expect(session).toMatchObject({ turns: 0 });
    await draining.close();
  });

  it("a second turn is 409 and names the running one", async () => {
    const { sessionId: id } = await test.openSession();
    const first = await test.ask(id);
    const second = await test.ask(id);
    expect(second.status).toBe(409);
    expect(await problemOf(second)).toMatchObject({ code: "turn_in_progress", turn: 1, retryable: true });
    test.model.finish();
    await first.text();
  });
});

describe("the request log", () => {
  it("has one line a request with the route's pattern, and no id, query, token or body", async () => {
    const secret = "my-secret-prompt";
    const { sessionId: id, token: guest } = await test.openSession();
    const before = test.log.length;
    test.model.say("secret-answer");
    test.model.finish();
    await (await test.ask(id, "text/event-stream", secret)).text();
    await fetch(`${test.url}/chat/${id}?after=9.9&heartbeat=event`, { method: "HEAD" });
    await fetch(`${test.url}/?username=my-secret-name`, { headers: { authorization: `Bearer ${guest}` } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const lines = test.log.slice(before);
    const session = createHash("sha256").update(id).digest("hex").slice(0, 12);
    expect(lines).toMatchObject([
      { level: "info", message: "Request", method: "PUT", route: "/chat/:session_id", status: 200, session },
      { method: "HEAD", route: "/chat/:session_id", status: 404, session },
      { method: "GET", route: "/", status: 200 },
    ]);
    for (const line of lines) {
      expect(line["request_id"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(line["duration_ms"]).toBeGreaterThanOrEqual(0);
    }
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${id}|${guest}|secret|after=`));
  });

  it("says when a client left before the end", async () => {
    const { sessionId: id } = await test.openSession();
    const before = test.log.length;
    const connection = await openConnection(test.port);
    const body = '{"payload":"x"}';
    connection.send(
      `PUT /chat/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await connection.waitFor("event: turn");
    connection.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(test.log.slice(before)).toMatchObject([{ message: "Request", status: 200, aborted: true }]);
    test.model.finish();
  });

  it("is quiet about health checks that go well", async () => {
    const before = test.log.length;
    await (await fetch(`${test.url}/healthz`)).text();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(test.log.slice(before)).toMatchObject([{ level: "debug", route: "/healthz" }]);
  });
});
