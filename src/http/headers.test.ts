/** C14: what every answer carries, whatever its shape and whoever writes it: Fastify, a stream's outlet, or the parser of requests. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { exchange } from "../../test/helpers/http-socket.ts";

let test: TestServer;
let published: TestServer;
let sessionId: string;
let token: string;

beforeAll(async () => {
  test = await startTestServer();
  published = await startTestServer({ config: { publicUrl: "https://chat.example" } });
  ({ sessionId, token } = await test.openSession());
  test.model.say("Hi");
  test.model.finish();
  await (await test.ask(sessionId)).text();
});

afterAll(async () => {
  await test.close();
  await published.close();
});

type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

/** As it is on the wire. Every line of `lines` after the first is a header. */
async function answerTo({ port }: TestServer, ...[first, ...lines]: string[]): Promise<Answer> {
  const named = lines.some((line) => line.startsWith("Host:")) ? [] : ["Host: localhost"];
  const received = await exchange(port, [first, ...named, "Connection: close", ...lines, "", ""].join("\r\n"));
  const [status = "", ...headers] = received.slice(0, received.indexOf("\r\n\r\n")).split("\r\n");
  const pairs = headers.map((line) => [line.replace(/:.*/, "").toLowerCase(), line.replace(/^[^:]*: ?/, "")]);
  // A header that came twice would hide behind the one name.
  expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
  return { status: Number(status.split(" ")[1]), headers: Object.fromEntries(pairs) };
}

const common = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  vary: "Origin",
  "x-content-type-options": "nosniff",
};

/** What is about the connection, the length, the moment or this one answer. */
const ofOneAnswer = [
  "allow",
  "connection",
  "content-disposition",
  "content-length",
  "content-type",
  "date",
  "keep-alive",
  "location",
  "retry-after",
  "transfer-encoding",
  "www-authenticate",
  "x-request-id",
  "x-session-id",
  "x-turn",
];

function lasting({ headers }: Answer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofOneAnswer.includes(name)));
}

describe("the headers of everything that programs read", () => {
  const body = (length: number) => ["Content-Type: application/json", `Content-Length: ${length}`];

  it.each<[status: number, what: string, lines: (id: string) => string[]]>([
    [200, "JSON", (id) => [`GET /sessions/${id} HTTP/1.1`]],
    [200, "history", (id) => [`GET /chat_history/${id} HTTP/1.1`]],
    [200, "an export", (id) => [`GET /sessions/${id}/export HTTP/1.1`, `Authorization: Bearer ${token}`]],
    [200, "an answer as JSON", (id) => [`GET /chat/${id} HTTP/1.1`, "Accept: application/json"]],
    [200, "HEAD", (id) => [`HEAD /sessions/${id} HTTP/1.1`]],
    [200, "the OpenAPI document", () => ["GET /openapi.json HTTP/1.1"]],
    [204, "nothing more to come", (id) => [`GET /chat/${id} HTTP/1.1`, "Last-Event-ID: 1.99"]],
    [204, "OPTIONS", (id) => [`OPTIONS /chat/${id} HTTP/1.1`]],
    [400, "two credentials", () => ["GET /healthz HTTP/1.1", "Authorization: Bearer a", "Authorization: Bearer b"]],
    [400, "no host", () => ["GET /healthz HTTP/1.1", "Host: a", "Host: b"]],
    [401, "no credential", (id) => [`DELETE /sessions/${id} HTTP/1.1`]],
    [403, "another site", () => ["POST /sessions HTTP/1.1", "Sec-Fetch-Site: cross-site"]],
    [404, "no route", () => ["GET /nothing HTTP/1.1"]],
    [404, "a path that cannot be decoded", () => ["GET /chat/%zz HTTP/1.1"]],
    [405, "another method", () => ["DELETE /healthz HTTP/1.1"]],
    [406, "another type", (id) => [`GET /sessions/${id} HTTP/1.1`, "Accept: image/png"]],
    [413, "a long body", (id) => [`PUT /chat/${id} HTTP/1.1`, ...body(999_999)]],
    [415, "another type of body", (id) => [`PUT /chat/${id} HTTP/1.1`, "Content-Type: text/plain"]],
    [421, "another host", () => ["GET /healthz HTTP/1.1", "Host: evil.example"]],
    [422, "no username", () => ["GET / HTTP/1.1"]],
    [431, "many header lines", () => ["GET /healthz HTTP/1.1", ...Array.from({ length: 101 }, (_, n) => `X-${n}: 1`)]],
    [431, "long headers, refused by Node's parser", () => ["GET /healthz HTTP/1.1", `X: ${"x".repeat(20_000)}`]],
    [400, "no HTTP, refused by Node's parser", () => ["NO HTTP"]],
    [400, "both lengths, refused by Node's parser", () => ["POST / HTTP/1.1", "Transfer-Encoding: x", ...body(1)]],
  ])("C14: %i: %s", async (status, _what, lines) => {
    const answer = await answerTo(test, ...lines(sessionId));
    expect(answer.status).toBe(status);
    expect(lasting(answer)).toEqual(common);
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    if (status >= 400) expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  });

  it.each([
    ["text/event-stream", "text/event-stream; charset=utf-8"],
    ["text/plain", "text/plain; charset=utf-8"],
  ])(
    "C14: a stream as %s, which Fastify does not write, and no proxy may hold back or compress",
    async (accept, type) => {
      for (const method of ["GET", "HEAD"]) {
        const answer = await answerTo(test, `${method} /chat/${sessionId} HTTP/1.1`, `Accept: ${accept}`);
        expect(answer.headers["content-type"]).toBe(type);
        expect(lasting(answer)).toEqual({
          ...common,
          "cache-control": "no-store, no-transform",
          "x-accel-buffering": "no",
        });
      }
    },
  );
});

const ofPages = {
  ...common,
  "cache-control": "no-cache",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
  vary: "Origin, Accept",
  "x-dns-prefetch-control": "off",
  "x-frame-options": "DENY",
};

const policies = {
  page: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src 'none'; object-src 'none'; worker-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
  docs: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

describe("the headers of pages", () => {
  it.each([
    ["/", "page"],
    ["/docs/errors", "page"],
    ["/docs", "docs"],
    ["/docs/static/swagger-ui.css", "docs"],
  ] as const)("C14, I9, K7: %s may do nothing that it need not, and cannot be framed", async (path, policy) => {
    for (const method of ["GET", "HEAD"]) {
      const answer = await answerTo(test, `${method} ${path} HTTP/1.1`, "Accept: text/html, */*;q=0.1");
      expect(answer.status).toBe(200);
      const { etag: _tag, "last-modified": _date, ...headers } = lasting(answer);
      expect(headers).toEqual({ ...ofPages, "content-security-policy": policies[policy] });
    }
  });

  it("C14: a file of the documentation that the browser has is 304, with the same headers", async () => {
    const first = await answerTo(test, "GET /docs/static/swagger-ui.css HTTP/1.1");
    const condition = `If-None-Match: ${first.headers["etag"]}`;
    const again = await answerTo(test, "GET /docs/static/swagger-ui.css HTTP/1.1", condition);
    expect(again.status).toBe(304);
    expect(lasting(again)).toEqual(lasting(first));
    expect((await answerTo(test, "HEAD /docs/static/swagger-ui.css HTTP/1.1", condition)).status).toBe(304);
  });

  it("hold no script and no style of their own", async () => {
    for (const path of ["/", "/docs/errors"]) {
      const response = await fetch(test.url + path, { headers: { accept: "text/html" } });
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(await response.text()).not.toMatch(/<script|<style|style=|onclick|https?:\/\/(?!127\.0\.0\.1)/);
    }
  });
});

describe("with PUBLIC_URL=https://…", () => {
  const hsts = { "strict-transport-security": "max-age=31536000" };

  it("every answer tells browsers to come back over HTTPS alone", async () => {
    for (const first of ["GET /healthz HTTP/1.1", "GET /nothing HTTP/1.1", "NO HTTP"]) {
      expect(lasting(await answerTo(published, first))).toEqual({ ...common, ...hsts });
    }
  });

  it("pages load everything over HTTPS", async () => {
    for (const [path, policy] of [
      ["/", policies.page],
      ["/docs", policies.docs],
    ]) {
      const answer = await answerTo(published, `GET ${path} HTTP/1.1`, "Accept: text/html");
      expect(lasting(answer)).toEqual({
        ...ofPages,
        ...hsts,
        "content-security-policy": `${policy}; upgrade-insecure-requests`,
      });
    }
  });

  it("the OpenAPI document names that address", async () => {
    const document = (await (await fetch(`${published.url}/openapi.json`)).json()) as { servers: unknown };
    expect(document.servers).toMatchObject([{ url: "https://chat.example" }]);
  });
});

describe("with DOCS=off", () => {
  it("K7: there is no page to try the API, but its document and what the codes mean", async () => {
    const without = await startTestServer({ config: { docs: false } });
    const statuses = ["/docs", "/docs/", "/docs/static/index.html", "/docs/json", "/docs/errors", "/openapi.json"];
    const found = await Promise.all(statuses.map(async (path) => (await fetch(without.url + path)).status));
    expect(found).toEqual([404, 404, 404, 404, 200, 200]);
    const home = await fetch(without.url, { headers: { accept: "text/html" } });
    expect(await home.text()).not.toContain('href="/docs"');
    await without.close();
  });
});
