import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { routesOf } from "../../test/helpers/routes.ts";

const app = "https://app.example";
let test: TestServer;
let closed: TestServer;
let sessionId: string;

beforeAll(async () => {
  test = await startTestServer({ config: { corsOrigins: ["https://other.example", app] } });
  closed = await startTestServer();
  ({ sessionId } = await test.openSession());
});

afterAll(async () => {
  await test.close();
  await closed.close();
});

function preflight(url: string, origin: string, method: string): Promise<Response> {
  const headers = { origin, "access-control-request-method": method, "access-control-request-headers": "if-busy" };
  return fetch(url, { method: "OPTIONS", headers: { ...headers, "sec-fetch-site": "cross-site" } });
}

/** What nobody but the browser itself has a use for. */
const forBrowsersAlone = [
  "connection",
  "content-security-policy",
  "cross-origin-resource-policy",
  "date",
  "keep-alive",
  "referrer-policy",
  "transfer-encoding",
  "vary",
  "x-accel-buffering",
  "x-content-type-options",
];

/** The headers of answers that script of another origin does not get to see. */
function hiddenHeaders(answers: readonly Response[]): string[] {
  const names = answers.flatMap(({ headers }) => {
    // https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
    const seen = ["cache-control", "content-language", "content-length", "content-type", "last-modified"];
    seen.push(...(headers.get("access-control-expose-headers")?.toLowerCase().split(", ") ?? []));
    return [...headers.keys()].filter((name) => !seen.includes(name) && !name.startsWith("access-control-"));
  });
  return [...new Set(names)].sort();
}

function corsHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
}

describe("CORS", () => {
  it("B19: no answer of any route names another origin while none is allowed", async () => {
    for (const { method, path } of await routesOf(closed.url)) {
      const asked = await preflight(closed.url + path, app, method);
      expect([path, asked.status, corsHeaders(asked)]).toEqual([path, 204, {}]);
      expect(asked.headers.get("vary")).toContain("Origin");
      if (method !== "GET") continue;
      const response = await fetch(closed.url + path, { headers: { origin: app } });
      await response.body?.cancel();
      expect(corsHeaders(response)).toEqual({});
      expect(response.headers.get("vary")).toContain("Origin");
    }
  });

  it("a preflight of an allowed origin hears the methods of every route and the headers that the API reads", async () => {
    for (const { method, path } of await routesOf(test.url)) {
      const response = await preflight(test.url + path, app, method);
      expect([path, response.status]).toEqual([path, 204]);
      const { headers } = response;
      expect(headers.get("access-control-allow-origin")).toBe(app);
      expect(headers.get("access-control-allow-methods")?.split(", ")).toContain(method);
      expect(headers.get("access-control-allow-headers")?.split(", ")).toEqual(
        expect.arrayContaining([
          "Authorization",
          "Content-Type",
          "Idempotency-Key",
          "If-Busy",
          "If-Turn",
          "Last-Event-ID",
          "Accept",
        ]),
      );
      expect(headers.get("vary")).toContain("Origin");
    }
  });

  it("an allowed origin reads answers, problems and streams, and the headers that clients need", async () => {
    test.model.say("Hi");
    test.model.finish();
    const headers = { origin: app, "sec-fetch-site": "cross-site", "content-type": "application/json" };
    const ask = { method: "PUT", headers, body: JSON.stringify({ payload: "Hello!" }) };
    const answers = [
      await fetch(`${test.url}/chat/${sessionId}`, ask),
      await fetch(`${test.url}/chat/${sessionId}`, { headers: { ...headers, accept: "text/plain" } }),
      await fetch(`${test.url}/sessions/${sessionId}`, { headers }),
      await fetch(`${test.url}/nothing`, { headers }),
      await fetch(`${test.url}/sessions`, { ...ask, method: "POST", body: "{" }),
    ];
    for (const response of answers) {
      await response.text();
      expect(response.headers.get("access-control-allow-origin")).toBe(app);
      expect(response.headers.get("access-control-expose-headers")?.split(", ")).toEqual(
        expect.arrayContaining([
          "X-Session-Id",
          "X-Turn",
          "Idempotency-Replayed",
          "Retry-After",
          "RateLimit",
          "RateLimit-Policy",
          "Location",
        ]),
      );
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    }
    expect(hiddenHeaders(answers)).toEqual(forBrowsersAlone);
  });

  it.each(["https://app.example.evil.example", "http://app.example", "https://app.example:444", "null", "*"])(
    "B19: the origin %s, which is not listed, is told nothing",
    async (origin) => {
      expect(corsHeaders(await preflight(`${test.url}/sessions`, origin, "POST"))).toEqual({});
      expect(corsHeaders(await fetch(`${test.url}/healthz`, { headers: { origin } }))).toEqual({});
    },
  );

  it("a path that names nothing and a method that it has not stay what they are", async () => {
    expect((await preflight(`${test.url}/nothing`, app, "GET")).status).toBe(404);
    const response = await preflight(`${test.url}/healthz`, app, "DELETE");
    expect(response.headers.get("access-control-allow-methods")).toBe("GET, HEAD, OPTIONS");
  });
});
