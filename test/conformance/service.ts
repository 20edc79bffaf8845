import { describe, expect, test } from "vitest";
import { openSession, send } from "../helpers/client.ts";
import type { BaseUrl } from "./suite.ts";

/** What every answer of the API carries, whatever its shape (faults.md, C14). */
const securityHeaders = [
  "content-security-policy",
  "cross-origin-resource-policy",
  "referrer-policy",
  "x-content-type-options",
  "x-request-id",
  "vary",
];

export function serviceConformance(baseUrl: BaseUrl): void {
  describe("the service itself", () => {
    test("/healthz says that it lives, /readyz that it can serve and on what", async () => {
      expect((await fetch(`${baseUrl()}/healthz`)).status).toBe(200);
      const ready = await fetch(`${baseUrl()}/readyz`);
      expect(ready.status).toBe(200);
      expect(JSON.stringify(await ready.json())).toContain("storage");
    });

    test("/openapi.json is an OpenAPI 3.1 document that names every route", async () => {
      const document = (await (await fetch(`${baseUrl()}/openapi.json`)).json()) as {
        openapi: string;
        paths: Record<string, object>;
      };
      expect(document.openapi).toMatch(/^3\.1\./);
      const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      );
      expect(operations).toEqual(
        expect.arrayContaining([
          "GET /",
          "POST /sessions",
          "GET /sessions",
          "GET /sessions/{session_id}",
          "PATCH /sessions/{session_id}",
          "GET /sessions/{session_id}/export",
          "DELETE /sessions/{session_id}",
          "PUT /chat/{session_id}",
          "GET /chat/{session_id}",
          "DELETE /chat/{session_id}",
          "GET /chat/{session_id}/{turn}",
          "DELETE /chat/{session_id}/{turn}",
          "GET /chat_history/{session_id}",
          "GET /healthz",
          "GET /readyz",
        ]),
      );
    });

    test("/docs is a page that loads nothing from elsewhere", async () => {
      const response = await fetch(`${baseUrl()}/docs`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toMatch(/^text\/html/);
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src");
      expect(policy).not.toMatch(/https?:\/\/|\*/);
      expect(await response.text()).not.toMatch(/(src|href)="https?:\/\/(?!127\.0\.0\.1|localhost)/);
    });

    test("a browser that asks for the root gets a page under a strict policy", async () => {
      const response = await fetch(`${baseUrl()}/`, {
        headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" },
      });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toMatch(/^text\/html/);
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    });

    test("C14: JSON, problems, text and streams carry the same security headers", async () => {
      const { sessionId } = await openSession(baseUrl());
      const responses = [
        await fetch(`${baseUrl()}/sessions/${sessionId}`),
        await fetch(`${baseUrl()}/chat_history/1234`),
        await fetch(`${baseUrl()}/chat_history/${sessionId}`),
        await send(baseUrl(), sessionId, "Hello!"),
        await send(baseUrl(), (await openSession(baseUrl())).sessionId, "Hello!", { accept: "text/plain" }),
        await send(baseUrl(), (await openSession(baseUrl())).sessionId, "Hello!", { accept: "application/json" }),
      ];
      for (const response of responses) {
        await response.text();
        for (const name of securityHeaders)
          expect(response.headers.get(name), `${name} of ${response.url}`).not.toBeNull();
        expect(response.headers.get("cache-control")).toMatch(/no-store/);
        expect(response.headers.get("access-control-allow-origin")).toBeNull();
      }
    });
  });
}
