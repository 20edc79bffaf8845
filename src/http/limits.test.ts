/** What is refused before anything is done: group A of the faults, over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../../test/helpers/client.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { exchange, openConnection, statusOf } from "../../test/helpers/http-socket.ts";
import { defaultMaxBodyBytes } from "./json-body.ts";

let test: TestServer;
let sessionId: string;

beforeAll(async () => {
  test = await startTestServer();
  ({ sessionId } = await test.openSession());
});

afterAll(() => test.close());

async function put(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${test.url}/chat/${sessionId}`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

async function problem(response: Response): Promise<{ status: number; code: string; errors?: unknown }> {
  const { status, code, errors } = (await response.json()) as { status: number; code: string; errors?: unknown };
  expect(status).toBe(response.status);
  expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  return { status, code, ...(errors !== undefined && { errors }) };
}

async function nothingIsStored(): Promise<void> {
  const response = await fetch(`${test.url}/sessions/${sessionId}`);
  expect(((await response.json()) as { turns: number }).turns).toBe(0);
}

describe("bodies", () => {
  it.each(["", "{", "payload=x", '{"payload":"x"', "\u0000"])("A1: %j is no JSON: 400 invalid_json", async (body) => {
    expect(await problem(await put(body))).toEqual({ status: 400, code: "invalid_json" });
    await nothingIsStored();
  });

  it("A1: bytes that are no UTF-8 are no JSON: 400 invalid_json", async () => {
    const body = Buffer.concat([Buffer.from('{"payload":"'), Buffer.from([0xff, 0xc0]), Buffer.from('"}')]);
    expect(await problem(await put(body))).toEqual({ status: 400, code: "invalid_json" });
  });

  it("A1: no body at all is 400 invalid_json, whether or not it has a type", async () => {
    const response = await fetch(`${test.url}/chat/${sessionId}`, { method: "PUT" });
    expect(await problem(response)).toEqual({ status: 400, code: "invalid_json" });
  });

  it.each(["null", "[]", "1", '"payload"', "true"])("A1: %s is JSON but no object: 422", async (body) => {
    const errors = [{ path: "body", message: "must be a JSON object" }];
    expect(await problem(await put(body))).toEqual({ status: 422, code: "invalid_request", errors });
  });

  it.each([
    ["{}", "is required"],
    ['{"payload":null}', "must be a string"],
    ['{"payload":7}', "must be a string"],
    ['{"payload":["x"]}', "must be a string"],
    ['{"payload":""}', "must not be empty or blank"],
    ['{"payload":" \\n"}', "must not be empty or blank"],
    ['{"payload":"\\ud800"}', "must not contain half of a surrogate pair"],
    ['{"payload":"\\u0000"}', "must not contain the NUL character"],
    ['{"__proto__":{"payload":"x"}}', "is required"],
  ])("A2, A8, A9: %s names the field and what is wrong with it", async (body, message) => {
    const errors = [{ path: "payload", message }];
    expect(await problem(await put(body))).toEqual({ status: 422, code: "invalid_request", errors });
    await nothingIsStored();
  });

  it.each([
    "text/plain",
    "application/json garbage",
    "application/json, text/plain",
    "application/json;charset",
    "application/json;charset=utf-16",
    "application/jsonx",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "garbage",
    "/",
  ])("A4: Content-Type %s: 415", async (type) => {
    const response = await put('{"payload":"x"}', { "content-type": type });
    expect(await problem(response)).toEqual({ status: 415, code: "unsupported_media_type" });
    await nothingIsStored();
  });

  it.each([
    "application/json",
    "Application/JSON;charset=UTF-8",
    'application/json ; charset="utf-8"',
    "application/json;",
  ])("A4: Content-Type %s is JSON", async (type) => {
    expect((await put("{}", { "content-type": type })).status).toBe(422);
  });

  it("A5: a body over 256 KiB is 413 and the connection closes, also when its length comes as a surprise", async () => {
    const large = "x".repeat(defaultMaxBodyBytes + 1);
    const declared = await put(large);
    expect(declared.headers.get("connection")).toBe("close");
    const { status, code, detail } = await problemOf(declared);
    expect([status, code, detail]).toEqual([413, "body_too_large", "The body may have 256 KiB at most."]);

    const connection = await openConnection(test.port);
    connection.send(
      `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let index = 0; index < 5; index += 1) connection.send(`10000\r\n${"x".repeat(0x10000)}\r\n`);
    await connection.closed;
    expect(statusOf(connection.received())).toBe(413);
    expect(connection.received()).toMatch(/^connection: close$/im);
  });

  it("A5: a body of exactly 256 KiB is read", async () => {
    const body = JSON.stringify({ payload: "", rest: "" });
    expect(
      (await put(body.replace('"rest":""', `"rest":"${"x".repeat(defaultMaxBodyBytes - body.length)}"`))).status,
    ).toBe(422);
  });

  it.each(["gzip", "br", "deflate, identity"])("A6: Content-Encoding %s: 415", async (encoding) => {
    const response = await put('{"payload":"x"}', { "content-encoding": encoding });
    expect(await problem(response)).toEqual({ status: 415, code: "encoding_not_supported" });
  });

  const nested = (depth: number) => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
  const keys = (count: number) => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [i, 1])));
  const values = (count: number) => `{"a":[${Array.from({ length: count }, () => 1).join(",")}]}`;

  it.each([
    ["33 levels of objects", nested(34)],
    ["100,000 nested arrays", "[".repeat(100_000) + "]".repeat(100_000)],
    ["1,001 keys", keys(1_001)],
    ["10,000 values in an array", values(10_000)],
  ])("A7: %s: 400 too_complex", async (_name, body) => {
    expect(await problem(await put(body))).toEqual({ status: 400, code: "too_complex" });
  });

  it.each([
    ["32 levels", nested(32)],
    ["1,000 keys", keys(1_000)],
    ["9,998 values in an array", values(9_998)],
  ])("A7: %s are fine", async (_name, body) => {
    expect((await put(body)).status).toBe(422);
  });

  it("A18: Expect: 100-continue with too large a length gets 413 and no 100", async () => {
    const response = await exchange(
      test.port,
      `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${defaultMaxBodyBytes + 1}\r\nExpect: 100-continue\r\n\r\n`,
    );
    expect(statusOf(response)).toBe(413);
    expect(response).not.toContain("100 Continue");
  });

  it("A18: Expect: 100-continue with a fair length gets its 100", async () => {
    const connection = await openConnection(test.port);
    connection.send(
      `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n`,
    );
    await connection.waitFor("100 Continue");
    connection.send("{}");
    await connection.closed;
    expect(connection.received()).toContain("422 Unprocessable");
  });

  it.each(["200-ok", "x"])("Expect: %s is no reason to refuse", async (expectation) => {
    const response = await exchange(
      test.port,
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: ${expectation}\r\n\r\n`,
    );
    expect(statusOf(response)).toBe(200);
  });

  it.each(["x", "/", "application/json garbage"])("a body that is not looked at may have the type %s", async (type) => {
    const response = await fetch(`${test.url}/chat/${sessionId}/regenerate`, {
      method: "POST",
      headers: { "content-type": type },
      body: "x",
    });
    expect(await problem(response)).toEqual({ status: 404, code: "turn_not_found" });
  });

  it("A24: a client that leaves while it sends has sent nothing", async () => {
    const connection = await openConnection(test.port);
    connection.send(
      `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{"payload":`,
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    connection.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await nothingIsStored();
    expect(test.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("paths and methods", () => {
  it("a path that climbs out of a folder of files is 404, and no fault of the service", async () => {
    const response = await exchange(
      test.port,
      "GET /docs/static/../../../package.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    expect(statusOf(response)).toBe(404);
    expect(test.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it.each([
    "1234",
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "%zz",
    "x".repeat(10_000),
    `${"0".repeat(32)}0`,
    "0".repeat(32),
    "%0d%0a",
  ])("A12: the id %s is 404 session_not_found on every route of a session", async (id) => {
    for (const path of [`/chat/${id}`, `/chat/${id}/1`, `/chat_history/${id}`, `/sessions/${id}`]) {
      const response = await exchange(
        test.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      expect(statusOf(response)).toBe(404);
      const body = JSON.parse(response.slice(response.indexOf("{"))) as Record<string, string>;
      expect(body["code"]).toBe("session_not_found");
      expect(body["detail"]).toMatch(/^Invalid session id: [\x21-\x7e]{1,64}$/);
    }
  });

  it.each(["0", "-1", "1.5", "abc", "1e3", "9999999999", "%20"])("A12: turn %s is 404 turn_not_found", async (turn) => {
    const response = await fetch(`${test.url}/chat/${sessionId}/${turn}`);
    expect(await problem(response)).toEqual({ status: 404, code: "turn_not_found" });
  });

  it.each(["/nothing", "/chat", "/chat/a/b/c", "//", "/sessions/x/y"])("A13: %s names nothing: 404", async (path) => {
    expect(await problem(await fetch(test.url + path))).toEqual({ status: 404, code: "not_found" });
  });

  it.each([
    ["POST", "/", "GET, HEAD, OPTIONS"],
    ["PATCH", "/chat/x", "DELETE, GET, HEAD, OPTIONS, PUT"],
    ["PUT", "/chat/x/1", "DELETE, GET, HEAD, OPTIONS"],
    ["PUT", "/sessions", "GET, HEAD, OPTIONS, POST"],
    ["PROPFIND", "/chat_history/x", "GET, HEAD, OPTIONS"],
    ["DELETE", "/docs", "GET, HEAD, OPTIONS"],
    ["POST", "/healthz", "GET, HEAD, OPTIONS"],
  ])("A13: %s %s is 405 with Allow", async (method, path, allow) => {
    const response = await fetch(test.url + path, { method });
    expect(response.headers.get("allow")).toBe(allow);
    expect(await problem(response)).toEqual({ status: 405, code: "method_not_allowed" });
  });
});
