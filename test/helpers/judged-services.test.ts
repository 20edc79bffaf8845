import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exchange } from "./http-socket.ts";
import { faultsOfAnswers, judgeAnswers } from "./judged-services.ts";

type Answer = { readonly status: number; readonly headers: Record<string, string>; readonly body: string };

const id = "0".repeat(32);
const headers = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "content-type": "application/json; charset=utf-8",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-request-id": "1",
  vary: "Origin",
};
const alive: Answer = { status: 200, headers, body: '{"status":"ok"}' };

let server: Server;
let baseUrl: string;
let answer = alive;

beforeAll(async () => {
  server = createServer((_request, response) => response.writeHead(answer.status, answer.headers).end(answer.body));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  judgeAnswers(baseUrl);
});

afterAll(() => void server.close());

async function faultsOf(path: string, given: Partial<Answer>): Promise<readonly string[]> {
  answer = { ...alive, ...given };
  await (await fetch(baseUrl + path)).text();
  return (await faultsOfAnswers()).map((fault) => fault.replace(/^.*? → /, ""));
}

function problem(status: number, code: string): Partial<Answer> {
  const facts = { type: "", title: "", status, detail: "", code, request_id: "1", retryable: false };
  return {
    status,
    headers: { ...headers, "content-type": "application/problem+json; charset=utf-8" },
    body: JSON.stringify(facts),
  };
}

function stream(...events: readonly string[]): Partial<Answer> {
  const body = events.map((event) => `${event}\n\n`).join("");
  return { headers: { ...headers, "content-type": "text/event-stream", "x-session-id": id, "x-turn": "1" }, body };
}

const turn = `event: turn\nid: 1.0\ndata: {"session_id":"${id}","turn":1,"model":"demo"}`;
const end = (position: number) =>
  `event: end\nid: 1.${position}\ndata: {"status":"completed","finish_reason":"stop","usage":null,"model":"demo"}`;

describe("an answer of a judged service", () => {
  test("that the document describes is in order", async () => {
    expect(await faultsOf("/healthz", {})).toEqual([]);
    expect(await faultsOf(`/sessions/${id}`, problem(404, "session_not_found"))).toEqual([]);
    expect(await faultsOf(`/chat/${id}`, stream(turn, 'id: 1.2\ndata: {"text":"Hi"}', end(3)))).toEqual([]);
    expect(await faultsOf(`/chat/${id}`, stream('id: 1.2\ndata: {"text":"i"}', "event: heartbeat\ndata: {}"))).toEqual(
      [],
    );
  });

  const undeclared: Readonly<Record<string, { path?: string; given: Partial<Answer>; fault: RegExp }>> = {
    "a status": { given: { status: 202 }, fault: /^202: 202 is not declared for healthz$/ },
    "a body": { given: { body: '{"status":"fine"}' }, fault: /data\/status must be equal/ },
    "a body that is no JSON": { given: { body: "ok" }, fault: /no JSON/ },
    "a content type": { given: { headers: { ...headers, "content-type": "text/plain" } }, fault: /text\/plain is not/ },
    "a header": { given: { headers: { ...headers, "x-turn": "1" } }, fault: /header x-turn is not declared/ },
    "a code": { given: problem(500, "poisoned"), fault: /500 poisoned of healthz: data\/code must be equal/ },
    "a problem": {
      given: problem(404, "session_not_found"),
      fault: /404 session_not_found is not declared for healthz/,
    },
    "a path": { path: "/nothing", given: {}, fault: /200 is declared nowhere/ },
    "an event": {
      path: `/chat/${id}`,
      given: stream(turn, "event: thought\nid: 1.1\ndata: {}"),
      fault: /event thought 1.1: is not declared/,
    },
    "what an event holds": {
      path: `/chat/${id}`,
      given: stream(turn, 'id: 1.2\ndata: {"content":"Hi"}'),
      fault: /event message 1.2: data must have required property 'text'/,
    },
  };
  test.each(Object.entries(undeclared))("is a fault where the document does not have %s of it", async (_, row) => {
    const { path = "/healthz", given, fault } = row;
    expect((await faultsOf(path, given)).join("\n")).toMatch(fault);
  });

  test("is a fault without a header that every answer has", async () => {
    const { "x-request-id": _, ...others } = headers;
    expect(await faultsOf("/healthz", { headers: others })).toContain("200: no x-request-id");
    const { headers: ofStream = {} } = stream();
    const { "x-turn": __, ...withoutTurn } = ofStream;
    expect(await faultsOf(`/chat/${id}`, { ...stream(turn), headers: withoutTurn })).toContain("200: no x-turn");
    expect(await faultsOf(`/chat/${id}`, { ...stream(turn), headers: { ...ofStream, "x-turn": "one" } })).toContain(
      "200: x-turn: one: data must be integer",
    );
  });

  test("is a fault where an event of a stream stands in a wrong place, or after its end", async () => {
    const text = (position: number) => `id: 1.${position}\ndata: {"text":"Hi"}`;
    expect(await faultsOf(`/chat/${id}`, stream(turn, text(3)))).toEqual(["200: event message 1.3: should stand at 2"]);
    expect(await faultsOf(`/chat/${id}`, stream(turn, text(2), end(2)))).toEqual([
      "200: event end 1.2: should stand at 3",
    ]);
    expect(await faultsOf(`/chat/${id}`, stream(turn, end(1), text(3)))).toEqual([
      "200: event message 1.3: comes after the end",
    ]);
    expect(await faultsOf(`/chat/${id}`, stream('data: {"text":"Hi"}'))).toEqual(["200: event message : has no id"]);
  });
});

test("answers over a test's own connection are judged too, each by its own request", async () => {
  answer = { ...alive, status: 202 };
  const request = (path: string, last: string) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${last}\r\n`;
  await exchange(Number(new URL(baseUrl).port), request("/healthz", "") + request("/readyz", "Connection: close\r\n"));
  expect(await faultsOfAnswers()).toEqual([
    "GET /healthz → 202: 202 is not declared for healthz",
    "GET /readyz → 202: 202 is not declared for readyz",
  ]);
});

test("what another server answers is not judged", async () => {
  const other = createServer((_request, response) => response.writeHead(418).end()).listen(0, "127.0.0.1");
  await once(other, "listening");
  await fetch(`http://127.0.0.1:${(other.address() as AddressInfo).port}/healthz`);
  expect(await faultsOfAnswers()).toEqual([]);
  other.close();
});
