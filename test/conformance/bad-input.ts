import { describe, expect, test } from "vitest";
import { openSession, problemOf, readHistory } from "../helpers/client.ts";
import type { BaseUrl, SuiteOptions } from "./suite.ts";

/** Proxies refuse paths that climb out or hold a NUL before the service sees them. */
const refusedByProxies = ["..%2f..%2fetc%2fpasswd", "%00"];

export function badInputConformance(baseUrl: BaseUrl, { behindProxy }: SuiteOptions): void {
  const put = (sessionId: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${baseUrl()}/chat/${sessionId}`, {
      method: "PUT",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

  describe("bad input gets a clear error and stores nothing", () => {
    test.each<[string, string, number, string]>([
      ["A1: no JSON", "hello", 400, "invalid_json"],
      ["A1: an empty body", "", 400, "invalid_json"],
      ["A1: half of a JSON", '{"payload":"Hi"', 400, "invalid_json"],
      ["A1: null", "null", 422, "invalid_request"],
      ["A1: an array", "[]", 422, "invalid_request"],
      ["A1: a number", "7", 422, "invalid_request"],
      ["A1: a string", '"Hi"', 422, "invalid_request"],
      ["A2: no payload", "{}", 422, "invalid_request"],
      ["A2: a payload that is no string", '{"payload":{"text":"Hi"}}', 422, "invalid_request"],
      ["A2: a null payload", '{"payload":null}', 422, "invalid_request"],
      ["A8: an empty payload", '{"payload":""}', 422, "invalid_request"],
      ["A8: a blank payload", '{"payload":" \\n\\t "}', 422, "invalid_request"],
      ["A8: a payload of more than 64 KiB", JSON.stringify({ payload: "x".repeat(65_537) }), 422, "invalid_request"],
      ["A8: more than 64 KiB in UTF-8", JSON.stringify({ payload: "é".repeat(32_769) }), 422, "invalid_request"],
      ["A9: a lone surrogate", '{"payload":"\\ud83d"}', 422, "invalid_request"],
      ["A9: a NUL character", '{"payload":"a\\u0000b"}', 422, "invalid_request"],
      ["A7: nesting of more than 32 levels", `{"payload":"Hi","x":${nested(40)}}`, 400, "too_complex"],
      ["A7: nesting of 50,000 levels", `{"payload":"Hi","x":${nested(50_000)}}`, 400, "too_complex"],
      ["A7: more than 10,000 values", `{"payload":"Hi","x":[${"1,".repeat(10_000)}1]}`, 400, "too_complex"],
      [
        "A7: more than 1,000 keys",
        JSON.stringify({
          payload: "Hi",
          ...Object.fromEntries(Array.from({ length: 1_001 }, (_, key) => [`k${key}`, 1])),
        }),
        400,
        "too_complex",
      ],
      ["A5: more than 256 KiB", JSON.stringify({ payload: "x".repeat(300_000) }), 413, "body_too_large"],
    ])("%s", async (_, body, status, code) => {
      const { sessionId } = await openSession(baseUrl());
      const problem = await problemOf(await put(sessionId, body));
      expect(problem).toMatchObject({ status, code });
      if (status === 422 && body.startsWith("{")) {
        expect(problem["errors"]).toEqual([{ path: "payload", message: expect.any(String) }]);
      }
      expect(await readHistory(baseUrl(), sessionId)).toEqual([]);
    });

    test.each([
      ["text/plain", "text/plain", "unsupported_media_type"],
      ["application/json garbage", "application/json garbage", "unsupported_media_type"],
      ["a form", "application/x-www-form-urlencoded", "unsupported_media_type"],
      ["no content type", "", "unsupported_media_type"],
    ])("A4: a body of %s is 415", async (_, type, code) => {
      const { sessionId } = await openSession(baseUrl());
      const body = new TextEncoder().encode('{"payload":"Hi"}');
      const response = await put(sessionId, body, { "content-type": type });
      expect(await problemOf(response)).toMatchObject({ status: 415, code });
      expect(await readHistory(baseUrl(), sessionId)).toEqual([]);
    });

    test("A6: a compressed body is 415 encoding_not_supported", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await put(sessionId, '{"payload":"Hi"}', { "content-encoding": "gzip" });
      expect(await problemOf(response)).toMatchObject({ status: 415, code: "encoding_not_supported" });
    });

    test("application/json with a charset is JSON", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await put(sessionId, '{"payload":"Hi"}', { "content-type": "application/json; charset=utf-8" });
      expect(response.status).toBe(200);
      await response.text();
    });

    test("exactly 64 KiB of payload is accepted", async () => {
      const { sessionId } = await openSession(baseUrl());
      const response = await put(sessionId, JSON.stringify({ payload: "x".repeat(65_536) }));
      expect(response.status).toBe(200);
      await response.text();
    });

    test.each([
      "1234",
      "0".repeat(32),
      "A".repeat(32),
      "..%2f..%2fetc%2fpasswd",
      "..%2e",
      "%00",
      "%0d%0aX-Injected:%201",
      "x".repeat(10_000),
    ])("A12: the session id %s is 404 with the same words everywhere", async (id) => {
      const requests: [string, RequestInit?][] = [
        [`/chat/${id}`, { method: "PUT", headers: { "content-type": "application/json" }, body: '{"payload":"Hi"}' }],
        [`/chat/${id}`],
        [`/chat/${id}/1`],
        [`/chat/${id}`, { method: "DELETE" }],
        [`/chat_history/${id}`],
        [`/sessions/${id}`],
      ];
      for (const [path, options] of requests) {
        const problem = await problemOf(await fetch(baseUrl() + path, options));
        if (behindProxy && refusedByProxies.includes(id) && problem["status"] === 400) continue;
        expect(problem).toMatchObject({ status: 404, code: "session_not_found" });
        expect(problem["detail"]).toMatch(/^Invalid session id: /);
      }
    });

    test("an unknown session id is echoed in the words that users know", async () => {
      const problem = await problemOf(await fetch(`${baseUrl()}/chat_history/1234`));
      expect(problem["detail"]).toBe("Invalid session id: 1234");
    });

    test.each(["/", "/?user=TR", "/?username=", "/?username=%20", `/?username=${"x".repeat(129)}`, "/?username=a%00b"])(
      "A8: GET %s is 422 and names username",
      async (path) => {
        const problem = await problemOf(await fetch(baseUrl() + path));
        expect(problem).toMatchObject({ status: 422, code: "invalid_request", errors: [{ path: "username" }] });
      },
    );

    test("POST /sessions names every wrong field at once", async () => {
      const response = await fetch(`${baseUrl()}/sessions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ title: 7, instructions: "x".repeat(20_000) }),
      });
      const { status, errors } = await problemOf(response);
      expect(status).toBe(422);
      expect((errors as { path: string }[]).map(({ path }) => path).sort()).toEqual([
        "instructions",
        "title",
        "username",
      ]);
    });

    test("A13: an unknown route is 404 not_found, a wrong method 405 with Allow", async () => {
      expect(await problemOf(await fetch(`${baseUrl()}/nothing/here`))).toMatchObject({
        status: 404,
        code: "not_found",
      });
      const { sessionId } = await openSession(baseUrl());
      for (const [method, path, allowed] of [
        ["POST", `/chat/${sessionId}`, ["PUT", "GET", "DELETE"]],
        ["PUT", `/chat_history/${sessionId}`, ["GET"]],
        ["DELETE", "/", ["GET"]],
        ["PUT", "/sessions", ["POST"]],
        ["PATCH", `/chat/${sessionId}/1`, ["GET", "DELETE"]],
      ] as const) {
        const response = await fetch(baseUrl() + path, { method });
        const allow = response.headers.get("allow")?.split(/, */) ?? [];
        expect(await problemOf(response)).toMatchObject({ status: 405, code: "method_not_allowed" });
        expect(allow).toEqual(expect.arrayContaining([...allowed]));
      }
    });

    test("A26: a request id is ours unless the client's is harmless", async () => {
      const withId = async (id: string) =>
        (await fetch(`${baseUrl()}/healthz`, { headers: { "x-request-id": id } })).headers.get("x-request-id");
      expect(await withId("trace_42-a")).toBe("trace_42-a");
      expect(await withId("<script>")).not.toBe("<script>");
      expect(await withId("x".repeat(65))).not.toBe("x".repeat(65));
      const response = await fetch(`${baseUrl()}/nothing`, { headers: { "x-request-id": "my-id" } });
      expect((await problemOf(response))["request_id"]).toBe("my-id");
    });

    test("B5, B7: a credential in the URL or two of them are refused", async () => {
      for (const name of ["token", "access_token", "api_key"]) {
        const problem = await problemOf(await fetch(`${baseUrl()}/?username=TR&${name}=secret`));
        expect(problem).toMatchObject({ status: 400, code: "credential_in_url" });
        expect(JSON.stringify(problem)).not.toContain("secret");
      }
    });

    test("HEAD opens no session", async () => {
      const response = await fetch(`${baseUrl()}/?username=TR`, { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
    });
  });
}
