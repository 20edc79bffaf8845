/** What every answer has in common, whatever the route: headers, declared access, errors, the log. */
import { createHash } from "node:crypto";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../../test/helpers/client.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { openConnection } from "../../test/helpers/http-socket.ts";
import { Problem, type ProblemCode, problemKinds } from "../protocol/problems.ts";
import { problemBody } from "./problem-reply.ts";
import { requireDeclaredAccess } from "./route.ts";

let test: TestServer;
let sessionId: string;

beforeAll(async () => {
  test = await startTestServer();
  ({ sessionId } = await test.openSession());
  test.model.say("Hi");
  test.model.finish();
  await (await test.ask(sessionId)).text();
});

afterAll(() => test.close());

/** The names of the headers that are not about the connection. */
function namesOf(response: Response): string[] {
  const ofConnection = ["connection", "content-length", "keep-alive", "transfer-encoding"];
  return [...response.headers.keys()].filter((name) => !ofConnection.includes(name)).sort();
}

describe("request ids", () => {
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

describe("paths", () => {
  it.each([
    ["/chat/%zz", { code: "session_not_found" }],
    ["/trivia/games/%zz", { code: "game_not_found" }],
    ["/nothing/%ff", { code: "bad_request", detail: "The path is no UTF-8 in percent-encoding; write % as %25." }],
  ])("A12: %s, which cannot be decoded, is told as what it is", async (path, problem) => {
    expect(await problemOf(await fetch(test.url + path))).toMatchObject(problem);
  });

  it("A13: a wrong method is 405 with Allow however the path is written", async () => {
    const encoded = await fetch(`${test.url}/%68ealthz`, { method: "POST" });
    expect(encoded.status).toBe(405);
    expect(encoded.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });

  it.each(["heartbeat=event&heartbeat=event", "after=1.0&after=1.1"])(
    "a parameter that comes twice is told as such: %s",
    async (query) => {
      const { errors } = await problemOf(await fetch(`${test.url}/chat/${sessionId}?${query}`));
      expect(errors).toMatchObject([{ message: "must be given once" }]);
    },
  );
});

describe("routes", () => {
  it("B15: one that does not declare who has access, and by which scope, does not start", () => {
    const app = Fastify();
    requireDeclaredAccess(app);
    expect(() => app.get("/secret", async () => "x")).toThrow("/secret does not declare who has access");
    const access = "public";
    expect(() => app.get("/open", { config: { access } }, async () => "x")).toThrow("/open does not declare a scope");
    app.get("/open", { config: { access, scope: "read" } }, async () => "x");
  });
});

describe("problems", () => {
  it("name the field that is wrong whenever the request cannot be processed as it is (422)", () => {
    const codes = (Object.keys(problemKinds) as ProblemCode[]).filter((code) => problemKinds[code].status === 422);
    expect(codes.length).toBeGreaterThan(1);
    for (const code of codes) {
      // Of this one whoever raises it says so.
      if (code === "invalid_request") continue;
      const { errors } = problemBody(new Problem(code, "Something is wrong."), "id");
      expect([code, errors]).toEqual([code, [{ path: expect.any(String), message: expect.any(String) }]]);
    }
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
  const isOfRequest = ({ message }: { readonly message: string }) => message === "Request";

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
    const added = test.log.slice(before);
    const lines = added.filter(isOfRequest);
    const session = createHash("sha256").update(id).digest("hex").slice(0, 12);
    expect(lines).toMatchObject([
      { level: "info", message: "Request", method: "PUT", route: "/chat/:session_id", status: 200, session, turn: 1 },
      { method: "HEAD", route: "/chat/:session_id", status: 404, session },
      { method: "GET", route: "/", status: 200 },
    ]);
    for (const line of lines) {
      expect(line["request_id"]).toMatch(/^[0-9a-f-]{36}$/);
      expect(line["duration_ms"]).toBeGreaterThanOrEqual(0);
    }
    expect(added.filter((line) => !isOfRequest(line))).toMatchObject([
      { level: "info", message: "Turn ended", session, turn: 1, status: "completed", model: "scripted", length: 13 },
    ]);
    expect(JSON.stringify(added)).not.toMatch(new RegExp(`${id}|${guest}|secret|after=`));
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
    expect(test.log.slice(before).filter(isOfRequest)).toMatchObject([{ status: 200, aborted: true }]);
    test.model.finish();
  });

  it("is quiet about health checks that go well", async () => {
    const before = test.log.length;
    await (await fetch(`${test.url}/healthz`)).text();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(test.log.slice(before).filter(isOfRequest)).toMatchObject([{ level: "debug", route: "/healthz" }]);
  });
});
