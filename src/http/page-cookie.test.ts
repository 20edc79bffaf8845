import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../../test/helpers/client.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { guestAuthenticator, welcomeGuest } from "../identity/guests.ts";
import { pageCookie } from "./page-cookie.ts";

let test: TestServer;
let published: TestServer;

beforeAll(async () => {
  test = await startTestServer();
  published = await startTestServer({
    config: { publicUrl: "https://chat.example", corsOrigins: ["https://app.example"] },
  });
});

afterAll(async () => {
  await test.close();
  await published.close();
});

type Opened = { readonly session_id: string; readonly token?: string };

const page = { "sec-fetch-site": "same-origin" };

async function post(path: string, headers: Record<string, string>, { url } = test): Promise<Response> {
  const body = JSON.stringify({ username: "TR" });
  return fetch(url + path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
}

async function open(headers: Record<string, string>, server = test) {
  const response = await post("/sessions", headers, server);
  const set = response.headers.getSetCookie();
  return {
    status: response.status,
    set,
    cookie: set[0]?.replace(/;.*/, "") ?? "",
    body: (await response.json()) as Opened,
  };
}

async function list(headers: Record<string, string>): Promise<string[]> {
  const response = await fetch(`${test.url}/sessions?username=TR`, { headers });
  if (response.status !== 200) return [`${response.status} ${(await problemOf(response))["code"]}`];
  const { sessions } = (await response.json()) as { sessions: { session_id: string }[] };
  return sessions.map((session) => session.session_id);
}

describe("the page's cookie", () => {
  it("comes in place of the token, where a page of ours opens a session, in either way", async () => {
    const { status, set, body } = await open(page);
    expect(status).toBe(201);
    expect(set).toHaveLength(1);
    expect(set[0]).toMatch(/^chat_guest=guest_[\w-]{43}; Max-Age=34560000; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(Object.keys(body)).not.toContain("token");
    const byLink = await fetch(`${test.url}/?username=TR`, { headers: page });
    expect(byLink.headers.getSetCookie()).toHaveLength(1);
    expect(Object.keys((await byLink.json()) as object).sort()).toEqual(["message", "session_id"]);
  });

  it("comes also where the browser says no more than our origin", async () => {
    expect((await open({ origin: test.url })).set).toHaveLength(1);
  });

  it.each<Record<string, string>>([{}, { "sec-fetch-site": "none" }])(
    "is not given to programs and the address bar, which get the token: %j",
    async (headers) => {
      const { set, body } = await open(headers);
      expect(set).toEqual([]);
      expect(body.token).toMatch(/^guest_/);
    },
  );

  it("is kept to HTTPS and to this very host where PUBLIC_URL is one of HTTPS", async () => {
    const { set } = await open({ origin: "https://chat.example" }, published);
    expect(set[0]).toMatch(/^__Host-chat_guest=guest_[\w-]{43}; .*; Secure/);
    expect(set[0]).not.toMatch(/domain/i);
  });

  it("is the guest: more sessions, the list of them, changes; no token is told, and its time begins anew", async () => {
    const first = await open(page);
    const second = await open({ ...page, cookie: first.cookie });
    expect(second.body.token).toBeUndefined();
    expect(second.cookie).toBe(first.cookie);
    expect((await list({ cookie: first.cookie })).sort()).toEqual(
      [first.body.session_id, second.body.session_id].sort(),
    );
    const url = `${test.url}/sessions/${second.body.session_id}`;
    expect((await fetch(url, { method: "DELETE", headers: { ...page, cookie: first.cookie } })).status).toBe(204);
    expect(await list({ cookie: first.cookie })).toEqual([first.body.session_id]);
  });

  it("B18: counts for nothing where another site's page asks, or one of an allowed origin", async () => {
    const { cookie } = await open(page);
    for (const site of ["cross-site", "same-site"]) {
      expect(await list({ cookie, "sec-fetch-site": site })).toEqual(["401 unauthenticated"]);
    }
    expect(await list({ cookie, origin: "https://evil.example" })).toEqual(["401 unauthenticated"]);
    const fromApp = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
    const own = await open({ origin: "https://chat.example" }, published);
    const { set, body } = await open({ ...fromApp, cookie: own.cookie }, published);
    expect(set).toEqual([]);
    expect(body.token).toMatch(/^guest_/);
    expect(own.cookie).not.toContain(body.token);
  });

  it("B5: is not looked at beside a token, which somebody sent on purpose", async () => {
    const { cookie, body } = await open(page);
    const other = await test.openSession();
    const both = { ...page, cookie, authorization: `Bearer ${other.token}` };
    expect(await list(both)).toEqual([other.sessionId]);
    const opened = await open(both);
    expect([opened.set, opened.body.token]).toEqual([[], other.token]);
    expect(await list({ cookie })).toEqual([body.session_id]);
    expect(await list({ cookie, authorization: "Bearer nobody" })).toEqual(["401 invalid_credential"]);
  });

  it("B5: twice in one request is ambiguous: another port of the host may have set one of them", async () => {
    const { cookie } = await open(page);
    expect(await list({ cookie: `${cookie}; ${cookie}x` })).toEqual(["400 ambiguous_credentials"]);
    expect(await list({ cookie: `a=b; ${cookie};c=d` })).toHaveLength(1);
    expect(await list({ cookie: `x${cookie}; other="${cookie}"` })).toEqual(["401 unauthenticated"]);
  });

  it("B2: that nobody was given is refused, and replaced where a session is opened, as the page cannot do it", async () => {
    const cookie = `chat_guest=guest_${"A".repeat(43)}`;
    expect(await list({ cookie })).toEqual(["401 invalid_credential"]);
    const opened = await open({ ...page, cookie });
    expect(opened.status).toBe(201);
    expect(await list({ cookie: opened.cookie })).toEqual([opened.body.session_id]);
    expect((await open({ ...page, authorization: `Bearer guest_${"A".repeat(43)}` })).status).toBe(401);
  });

  it("is nobody's where strangers are not welcome", async () => {
    const closed = await startTestServer({
      authenticator: ({ sessions }) => ({ ...guestAuthenticator(sessions), welcome: undefined }),
    });
    const { caller, credential } = welcomeGuest();
    const session = { sessionId: "a".repeat(32), username: "TR", title: null, instructions: null };
    await closed.storage.sessions.open({ ...session, principal: caller.principal });
    const ask = (headers: Record<string, string>) => fetch(`${closed.url}/sessions?username=TR`, { headers });
    expect((await ask({ ...page, cookie: `chat_guest=${credential}` })).status).toBe(401);
    expect((await ask({ ...page, authorization: `Bearer ${credential}` })).status).toBe(200);
    await closed.close();
  });

  it.each(["chat_guest=", "chat_guest", "=guest", ";;;", "chat_guest=%00", `chat_guest=${"x".repeat(9_000)}`])(
    "in no form breaks anything: %#",
    async (cookie) => {
      expect((await open({ ...page, cookie })).status).toBe(201);
    },
  );

  it("is in no line of the log", async () => {
    const { cookie } = await open(page);
    await list({ cookie });
    expect(JSON.stringify(test.log)).not.toContain(cookie.replace("chat_guest=", ""));
  });
});

describe("POST /logout", () => {
  it("I12: has the browser forget the guest and all that it keeps of us", async () => {
    const { cookie } = await open(page);
    const response = await post("/logout", { ...page, cookie });
    expect(response.status).toBe(204);
    expect(response.headers.getSetCookie()).toEqual(["chat_guest=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"]);
    expect(response.headers.get("clear-site-data")).toBe('"cache", "storage"');
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it("works also with a cookie that is good for nothing, and with two", async () => {
    for (const cookie of ["chat_guest=x", "chat_guest=x; chat_guest=y"]) {
      expect((await post("/logout", { ...page, cookie })).status).toBe(204);
    }
  });

  it("takes the cookie of HTTPS away by its own name", () => {
    expect(pageCookie({ publicUrl: "https://chat.example" }).forget()).toMatch(
      /^__Host-chat_guest=; Max-Age=0; .*Secure/,
    );
  });

  it("B18: is not another site's to ask for", async () => {
    expect((await post("/logout", { "sec-fetch-site": "cross-site" })).status).toBe(403);
  });
});
