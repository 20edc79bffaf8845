import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../../test/helpers/client.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { routesOf } from "../../test/helpers/routes.ts";
import { sourceReader } from "./request-source.ts";

const app = "https://app.example";

describe("whose request it is", () => {
  const local = sourceReader({ publicUrl: undefined, corsOrigins: [app] });
  const host = "127.0.0.1:8000";

  it("nobody's page where no browser says anything", () => {
    expect(local({ host })).toBe("direct");
    expect(local({})).toBe("direct");
  });

  it.each([
    ["same-origin", "page"],
    ["none", "direct"],
    ["same-site", "foreign"],
    ["cross-site", "foreign"],
    ["", "foreign"],
    ["same-origin, cross-site", "foreign"],
  ])("by Sec-Fetch-Site: %s it is %s", (site, source) => {
    expect(local({ host, "sec-fetch-site": site })).toBe(source);
    // A page cannot change the one, so the other cannot either.
    expect(local({ host, "sec-fetch-site": site, origin: "https://evil.example" })).toBe(source);
  });

  it.each([
    ["http://127.0.0.1:8000", "page"],
    ["https://127.0.0.1:8000", "page"],
    ["http://127.0.0.1:8001", "foreign"],
    ["http://127.0.0.1", "foreign"],
    ["http://localhost:8000", "foreign"],
    ["https://evil.example", "foreign"],
    ["https://127.0.0.1:8000.evil.example", "foreign"],
    ["null", "foreign"],
    ["", "foreign"],
    [app, "allowed"],
    [`${app}.evil.example`, "foreign"],
    [`${app}:8443`, "foreign"],
    ["http://app.example", "foreign"],
  ])("where Origin alone is %s it is %s", (origin, source) => {
    expect(local({ host, origin })).toBe(source);
  });

  it("an allowed origin's although a browser calls it another site", () => {
    for (const site of ["cross-site", "same-site"]) {
      expect(local({ host, origin: app, "sec-fetch-site": site })).toBe("allowed");
    }
  });

  it("an image's or a link's of another site, whose origin is not named", () => {
    expect(local({ host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" })).toBe("foreign");
  });

  describe("behind a proxy, with PUBLIC_URL", () => {
    const published = sourceReader({ publicUrl: "https://chat.example", corsOrigins: [] });

    it("ours by the public origin, whatever host the proxy names", () => {
      expect(published({ host: "chat.example", origin: "https://chat.example" })).toBe("page");
      expect(published({ host: "127.0.0.1:8000", origin: "https://chat.example" })).toBe("page");
    });

    it("not ours by the same host without TLS, which anybody between can be", () => {
      expect(published({ host: "chat.example", origin: "http://chat.example" })).toBe("foreign");
    });

    it("ours on the machine itself all the same", () => {
      expect(published({ host: "127.0.0.1:8000", origin: "http://127.0.0.1:8000" })).toBe("page");
    });
  });
});

describe("what pages of other sites may do", () => {
  let test: TestServer;
  let sessionId: string;
  let token: string;

  beforeAll(async () => {
    test = await startTestServer();
    ({ sessionId, token } = await test.openSession());
  });

  afterAll(() => test.close());

  const foreign: Record<string, string>[] = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ];

  it("B18: no route that is not a GET does anything for them, even with a token: 403", async () => {
    const writes = (await routesOf(test.url)).filter(({ method }) => method !== "GET");
    expect(writes.length).toBeGreaterThan(7);
    for (const { method, path } of writes) {
      for (const headers of foreign) {
        const url = test.url + path.replace(":session_id", sessionId).replace(":turn", "1");
        const response = await fetch(url, { method, headers: { ...headers, authorization: `Bearer ${token}` } });
        expect(response.status).toBe(403);
        expect((await problemOf(response))["code"]).toBe("cross_site_request");
      }
    }
    const session = await (await fetch(`${test.url}/sessions/${sessionId}`)).json();
    expect(session).toMatchObject({ turns: 0, title: null });
  });

  it("B18: nor do they open a session by a link or an image", async () => {
    for (const headers of foreign) {
      const response = await fetch(`${test.url}/?username=TR`, { headers });
      expect(response.status).toBe(403);
    }
  });

  it("B18: they may link to the page, and ask for what has no effect", async () => {
    for (const path of ["/", "/docs/errors", "/healthz", "/openapi.json", `/sessions/${sessionId}`]) {
      const headers = { accept: "text/html, */*", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
      expect((await fetch(test.url + path, { headers })).status).toBe(200);
    }
  });

  it("B18: our own page, the address bar and programs may", async () => {
    const ours: Record<string, string>[] = [
      {},
      { "sec-fetch-site": "same-origin", origin: test.url },
      { "sec-fetch-site": "none" },
      { origin: test.url },
    ];
    for (const headers of ours) {
      expect((await fetch(`${test.url}/?username=TR`, { headers })).status).toBe(200);
      const body = JSON.stringify({ username: "TR" });
      const posted = { method: "POST", body, headers: { ...headers, "content-type": "application/json" } };
      expect((await fetch(`${test.url}/sessions`, posted)).status).toBe(201);
    }
  });
});
