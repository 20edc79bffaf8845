/** nginx in front of several replicas, as deploy/nginx sets it up: where requests go, and what it says itself. */
import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ProblemCode, problemKinds } from "../src/protocol/problems.ts";
import { authorized, openSession, problemOf, readHistory, send } from "./helpers/client.ts";
import { type FakeReplica, startFakeReplica } from "./helpers/fake-replica.ts";
import { openConnection, statusOf } from "./helpers/http-socket.ts";
import { type Nginx, type NginxOptions, startNginx } from "./helpers/nginx.ts";
import { type Service, startService } from "./helpers/service.ts";

type Answer = Parameters<typeof startFakeReplica>[0];

const ok: Answer = (_request, response) => void response.end("answered");
const reset: Answer = (_request, response) => void response.socket?.resetAndDestroy();
const hangUp: Answer = (_request, response) => void response.socket?.destroySoon();
const halfAHeader: Answer = (_request, response) => void response.socket?.end("HTTP/1.1 200 OK\r\nContent-Ty");

/** Nobody listens there, as on the port of a replica that is gone. */
const nobody = "http://127.0.0.1:9";

let service: Service;
/** In front of the service. */
let nginx: Nginx;

beforeAll(async () => {
  service = await startService({ ALLOWED_HOSTS: "chat.example" });
  nginx = await startNginx({ upstreams: [service.baseUrl] });
});

afterAll(async () => {
  await nginx.close();
  await service.end("SIGTERM");
});

async function startReplicas(count: number, answer: Answer): Promise<readonly FakeReplica[]> {
  const replicas = await Promise.all(Array.from({ length: count }, () => startFakeReplica(answer)));
  onTestFinished(async () => void (await Promise.all(replicas.map((replica) => replica.close()))));
  return replicas;
}

async function startBefore(
  replicas: readonly (FakeReplica | string)[],
  replace?: NginxOptions["replace"],
): Promise<Nginx> {
  const upstreams = replicas.map((replica) => (typeof replica === "string" ? replica : replica.baseUrl));
  const started = await startNginx({ upstreams, ...(replace !== undefined && { replace }) });
  onTestFinished(() => started.close());
  return started;
}

function request({ baseUrl }: Nginx, method: string, path = "/chat/1", headers: Record<string, string> = {}) {
  const body = method === "GET" || method === "HEAD" ? {} : { body: "{}" };
  return fetch(baseUrl + path, { method, headers, ...body });
}

/** What comes back for a request byte by byte, up to an end of it that is known. */
async function answerTo({ port }: Nginx, raw: string, until: string): Promise<string> {
  const connection = await openConnection(port);
  connection.send(raw);
  await connection.waitFor(until);
  connection.socket.destroy();
  return connection.received();
}

function seenBy(replicas: readonly FakeReplica[]): string[] {
  return replicas.flatMap(({ requests }) => requests);
}

test("B22: replicas learn the client's address from nginx, whatever the client claims", async () => {
  const limited = await startService({ TRUSTED_PROXY_HOPS: "1", ADDRESS_REQUESTS_PER_MINUTE: "2" });
  onTestFinished(async () => void (await limited.end("SIGTERM")));
  const front = await startNginx({ upstreams: [limited.baseUrl] });
  onTestFinished(() => front.close());
  const statuses: number[] = [];
  for (const claimed of ["1.1.1.1", "2.2.2.2", "3.3.3.3"]) {
    const response = await fetch(`${front.baseUrl}/?username=TR`, { headers: { "x-forwarded-for": claimed } });
    statuses.push(response.status);
  }
  expect(statuses).toEqual([200, 200, 429]);
});

test("GET /metrics is the replica's own affair", async () => {
  expect((await fetch(`${service.baseUrl}/metrics`)).status).toBe(200);
  for (const path of ["/metrics", "/%6Detrics", "//metrics", "/metrics?x=1"]) {
    const response = await fetch(nginx.baseUrl + path);
    expect([response.status, (await problemOf(response))["code"]]).toEqual([404, "not_found"]);
  }
});

describe("a request that may change something goes to one replica, once", () => {
  test.each([
    ["resets the connection", reset],
    ["closes it without a word", hangUp],
    ["dies while it begins to answer", halfAHeader],
  ])("also when that one reads it and then %s", async (_, answer) => {
    const replicas = await startReplicas(6, answer);
    const before = await startBefore(replicas);
    const asked: string[] = [];
    for (const method of ["PUT", "POST", "PATCH", "DELETE"]) {
      const response = await request(before, method);
      expect(await problemOf(response)).toMatchObject({ status: 502, code: "service_unreachable", retryable: true });
      asked.push(`${method} /chat/1`);
      expect(seenBy(replicas).sort()).toEqual(asked.toSorted());
    }
  });

  test("which by nginx's default a PUT would not", async () => {
    const replicas = await startReplicas(3, reset);
    const before = await startBefore(replicas, { line: "proxy_next_upstream off;" });
    expect((await request(before, "PUT")).status).toBe(502);
    expect(seenBy(replicas)).toEqual(Array(3).fill("PUT /chat/1"));
  });

  test("nor where bodies are not read first, which is said to help: a short one is there already", async () => {
    const replicas = await startReplicas(2, reset);
    const by = "proxy_request_buffering off;";
    const before = await startBefore(replicas, { line: "proxy_next_upstream off;", by });
    const body = '{"payload":"Hello!"}';
    const raw = `PUT /chat/1 HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(statusOf(await answerTo(before, raw, '"}'))).toBe(502);
    expect(seenBy(replicas)).toHaveLength(2);
  });

  test("and opening a session is one of them, although it is a GET", async () => {
    const replicas = await startReplicas(4, reset);
    const before = await startBefore(replicas);
    expect(await problemOf(await request(before, "GET", "/?username=TR"))).toMatchObject({ status: 502 });
    expect(await problemOf(await request(before, "GET", "/"))).toMatchObject({ status: 502 });
    expect(seenBy(replicas).sort()).toEqual(["GET /", "GET /?username=TR"]);
  });
});

describe("a replica that is gone", () => {
  test.each(["GET", "HEAD"])("costs no %s its answer: another one is asked", async (method) => {
    const [dying, alive] = [...(await startReplicas(1, reset)), ...(await startReplicas(1, ok))];
    const before = await startBefore([nobody, dying as FakeReplica, alive as FakeReplica]);
    for (let index = 0; index < 6; index += 1) expect((await request(before, method)).status).toBe(200);
    expect(alive?.requests).toHaveLength(6);
    expect(dying?.requests).not.toEqual([]);
  });

  test("costs a prompt its answer once in two seconds at most", async () => {
    const replicas = await startReplicas(1, ok);
    const before = await startBefore([nobody, ...replicas]);
    const began = performance.now();
    const statuses: number[] = [];
    for (let index = 0; index < 20; index += 1) statuses.push((await request(before, "PUT")).status);
    const failed = statuses.filter((status) => status === 502).length;
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 2_000));
    expect(seenBy(replicas)).toHaveLength(20 - failed);
  });

  test("is left out by a reload, which leaves open streams alone", async () => {
    const begun = Promise.withResolvers<ServerResponse>();
    const old = await startReplicas(1, (_request, response) => {
      response.write("begun");
      begun.resolve(response);
    });
    const next = await startReplicas(1, ok);
    const before = await startBefore(old);
    const stream = await request(before, "GET");
    await before.reload(next.map(({ baseUrl }) => baseUrl));
    expect(await (await request(before, "GET")).text()).toBe("answered");
    (await begun.promise).end(", and whole");
    expect(await stream.text()).toBe("begun, and whole");
    expect(seenBy(old)).toHaveLength(1);
  });
});

describe("what nginx says itself has the shape and the words of the service", () => {
  let unasked: FakeReplica;
  let before: Nginx;

  beforeAll(async () => {
    unasked = await startFakeReplica(ok);
    before = await startNginx({ upstreams: [unasked.baseUrl] });
  });

  afterAll(async () => {
    await before.close();
    await unasked.close();
  });

  const host = "HTTP/1.1\r\nHost: x\r\n";
  const long = "x".repeat(17_000);
  const chunk = `${(300_000).toString(16)}\r\n${"x".repeat(300_000)}\r\n`;

  test.each<[name: string, code: ProblemCode, raw: string]>([
    ["a body that is announced as too large", "body_too_large", `PUT /chat/1 ${host}Content-Length: 300000\r\n\r\n`],
    ["one that turns out to be", "body_too_large", `PUT /chat/1 ${host}Transfer-Encoding: chunked\r\n\r\n${chunk}`],
    ["a header that is too large", "headers_too_large", `GET /chat/1 ${host}X: ${long}\r\n\r\n`],
    ["a URL that is too long", "headers_too_large", `GET /${long} ${host}\r\n`],
    ["no request line", "bad_request", "hello\r\n\r\n"],
    ["a version that does not exist", "bad_request", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
    ["no host", "bad_request", "GET / HTTP/1.1\r\n\r\n"],
    ["two hosts", "bad_request", `GET / ${host}Host: y\r\n\r\n`],
    ["a path that climbs out", "bad_request", `GET /chat/..%2f..%2fetc ${host}\r\n`],
    ["an unknown transfer encoding", "bad_request", `PUT /chat/1 ${host}Transfer-Encoding: gzip\r\n\r\n`],
    ["two lengths", "bad_request", `PUT /chat/1 ${host}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ["a method that no path has", "method_not_allowed", `TRACE /chat/1 ${host}\r\n`],
    ["the place where these come from", "not_found", `GET /.nginx/problem ${host}\r\n`],
    ["text over HTTP/1.0", "bad_request", "PUT /chat/1 HTTP/1.0\r\nHost: x\r\nAccept: text/plain\r\n\r\n"],
  ])("%s: %s", async (_, code, raw) => {
    const problem = await problemIn(await answerTo(before, raw, '"}'));
    const { status, title, retryable } = problemKinds[code];
    expect(problem).toMatchObject({ status, code, title, retryable, type: `/docs/errors#${code}` });
    expect(unasked.requests).toEqual([]);
  });

  test("a client that sends ten megabytes before it reads gets the answer all the same", async () => {
    for (let round = 0; round < 10; round += 1) {
      const refused = await fetch(`${before.baseUrl}/chat/1`, { method: "PUT", body: "x".repeat(10_000_000) });
      expect(await problemOf(refused)).toMatchObject({ status: 413, code: "body_too_large" });
    }
  });

  test("a body of exactly 256 KiB gets through", async () => {
    const { sessionId } = await openSession(nginx.baseUrl);
    const restLength = JSON.stringify({ payload: "Hello!", x: "" }).length;
    const put = (length: number) =>
      fetch(`${nginx.baseUrl}/chat/${sessionId}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ payload: "Hello!", x: "x".repeat(length - restLength) }),
      });
    const taken = await put(256 * 1024);
    expect(taken.status).toBe(200);
    await taken.text();
    expect(await problemOf(await put(256 * 1024 + 1))).toMatchObject({ status: 413, code: "body_too_large" });
    expect(await readHistory(nginx.baseUrl, sessionId)).toHaveLength(2);
  });

  test("when no replica answers, it says when to come back, and has the headers of every answer", async () => {
    const alone = await startBefore([nobody, nobody]);
    const ofService = [...(await fetch(`${service.baseUrl}/nothing`)).headers.keys()];
    for (const method of ["PUT", "GET"]) {
      const response = await request(alone, method, "/chat/1", { "x-request-id": "my-id" });
      const names = [...response.headers.keys()];
      expect(names).toEqual(expect.arrayContaining(ofService.filter((name) => name !== "keep-alive")));
      expect(response.headers.get("retry-after")).toBe("2");
      expect(response.headers.get("server")).toBe("nginx");
      const problem = await problemOf(response);
      expect(problem).toMatchObject({ status: 502, code: "service_unreachable", request_id: "my-id", retryable: true });
    }
  });

  test.each<[code: ProblemCode, path: string, init?: RequestInit]>([
    ["session_not_found", `/chat/${"x".repeat(10_000)}`],
    ["not_found", "/nothing"],
    ["method_not_allowed", "/sessions", { method: "PUT" }],
    ["headers_too_large", "/healthz", { headers: { x: "x".repeat(10_000), y: "y".repeat(10_000) } }],
  ])("what a replica answers is left as it is: %s", async (code, path, init) => {
    const [direct, through] = await Promise.all([
      fetch(service.baseUrl + path, init),
      fetch(nginx.baseUrl + path, init),
    ]);
    expect(through.status).toBe(direct.status);
    const { request_id: _, ...problem } = await problemOf(direct);
    expect(problem["code"]).toBe(code);
    expect(await problemOf(through)).toMatchObject(problem);
  });
});

describe("the host that a client names", () => {
  const statusFor = async (line: string) => statusOf(await answerTo(nginx, `GET /healthz ${line}\r\n`, "}"));

  test("A23: reaches the service, which refuses a foreign one and takes those of ALLOWED_HOSTS", async () => {
    expect(await statusFor(`HTTP/1.1\r\nHost: 127.0.0.1:${nginx.port}\r\n`)).toBe(200);
    expect(await statusFor("HTTP/1.1\r\nHost: localhost\r\n")).toBe(200);
    expect(await statusFor("HTTP/1.1\r\nHost: chat.example:8000\r\n")).toBe(200);
    expect(await statusFor("HTTP/1.1\r\nHost: rebound.example\r\n")).toBe(421);
    expect(await statusFor("HTTP/1.1\r\nHost: chat\r\n")).toBe(421);
  });

  test("may be missing in a load balancer's check, which is HTTP/1.0", async () => {
    expect(await statusFor("HTTP/1.0\r\n")).toBe(200);
  });
});

describe("connections and logs", () => {
  test("connections to a replica are kept for later requests", async () => {
    const ports = new Set<number | undefined>();
    const replicas = await startReplicas(1, (request, response) => {
      ports.add(request.socket.remotePort);
      response.end();
    });
    const before = await startBefore(replicas, { line: "worker_processes auto;", by: "worker_processes 1;" });
    for (let index = 0; index < 10; index += 1) await (await request(before, "PUT")).text();
    expect(seenBy(replicas)).toHaveLength(10);
    expect(ports.size).toBe(1);
  });

  test("the logs say what failed and where, and hold no session id, username, token or prompt", async () => {
    const before = await startBefore([service.baseUrl]);
    const { sessionId, token } = await openSession(before.baseUrl, "username-canary");
    const headers = { ...authorized(token), "x-request-id": "find-me" };
    const ask = () => send(before.baseUrl, sessionId, "prompt-canary", { headers });
    await (await ask()).text();
    await (await fetch(`${before.baseUrl}/chat_history/${sessionId}?limit=canary`, { headers })).text();
    const malformed = await openConnection(before.port);
    malformed.send(`GET /chat/${sessionId} HTTP/1.1\r\nHost: x\r\nContent-Length: ${token}\r\n\r\n`);
    await malformed.closed;
    await before.reload([nobody]);
    expect((await ask()).status).toBe(502);
    const lines = await untilLogged(before, 5);
    expect(lines.map(({ method, route, status }) => `${method} ${route} ${status}`)).toEqual([
      ...["GET / 200", "PUT /chat 200", "GET /chat_history 422", "GET /chat 400", "PUT /chat 502"],
    ]);
    const { host } = new URL(nobody);
    expect(lines.at(-1)).toMatchObject({ request_id: "find-me", replica: host, replica_status: "502" });
    const all = JSON.stringify(lines) + before.errorLog;
    for (const secret of [sessionId, token, "canary"]) expect(all).not.toContain(secret);
  });
});

/** A line is written when its request is over, which may be after the client has its answer. */
async function untilLogged(before: Nginx, count: number) {
  for (;;) {
    const lines = await before.accessLog();
    if (lines.length >= count) return lines;
    await delay(10);
  }
}

/** A response byte by byte → the problem in it. */
function problemIn(raw: string): Promise<Record<string, unknown>> {
  const [head = "", body = ""] = raw.split("\r\n\r\n");
  const headers = head
    .split("\r\n")
    .slice(1)
    .map((line) => line.split(/: (.*)/s, 2) as [string, string]);
  return problemOf(new Response(body, { status: statusOf(raw), headers }));
}
