/** Signing in on the page where a key or an access token is needed: script never holds it, and no other page can use it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKeys } from "../src/commands/open-keys.ts";
import { loadConfig } from "../src/config.ts";
import { problemOf } from "./helpers/client.ts";
import { startLogin } from "./helpers/login.ts";
import { addKey, type ModeService, startMode } from "./helpers/modes.ts";

const page = { "sec-fetch-site": "same-origin" };
const allowed = "https://app.example";
const daySeconds = 86_400;

async function logIn({ baseUrl }: { readonly baseUrl: string }, headers: Readonly<Record<string, string>>) {
  const response = await fetch(`${baseUrl}/login`, { method: "POST", headers });
  const [set = ""] = response.headers.getSetCookie();
  return {
    status: response.status,
    set,
    cookie: set.replace(/;.*/, ""),
    maxAge: Number(/Max-Age=(\d+)/.exec(set)?.[1]),
    text: await response.text(),
  };
}

describe.each(["keys", "jwt"] as const)("with AUTH=%s", (mode) => {
  let service: ModeService;

  beforeAll(async () => {
    service = await startMode(mode, { CORS_ORIGINS: allowed });
  });

  afterAll(() => service.close());

  const tokenOf = (headers: Readonly<Record<string, string>>) => headers["authorization"]?.split(" ")[1] ?? "nothing";

  const list = (headers: Readonly<Record<string, string>>) =>
    fetch(`${service.baseUrl}/sessions?username=alice`, { headers }).then(({ status }) => status);

  test("/readyz says so, so that the page can ask for what it needs", async () => {
    const response = await fetch(`${service.baseUrl}/readyz`);
    expect(await response.json()).toMatchObject({ dependencies: { identity: { mode } } });
  });

  test("I10: a good credential becomes a cookie that no script can read, and is in no body", async () => {
    const { headers } = service.caller("owner");
    const { status, set, text } = await logIn(service, { ...page, ...headers });
    expect(status).toBe(200);
    expect(set).toMatch(/^chat_login=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(text).not.toContain(tokenOf(headers));
  });

  test("the cookie is its holder for all that the page does", async () => {
    const { cookie } = await logIn(service, { ...page, ...service.caller("owner").headers });
    const asPage = { ...page, cookie, "content-type": "application/json" };
    const opened = await fetch(`${service.baseUrl}/sessions`, {
      method: "POST",
      headers: asPage,
      body: JSON.stringify({ username: "alice" }),
    });
    const session = (await opened.json()) as { session_id: string; token?: string };
    expect(opened.status).toBe(201);
    expect(session.token).toBeUndefined();
    expect(opened.headers.getSetCookie()).toEqual([]);
    const url = `${service.baseUrl}/chat/${session.session_id}`;
    const asked = await fetch(url, { method: "PUT", headers: asPage, body: JSON.stringify({ payload: "Hello!" }) });
    expect(await asked.text()).toContain("event: end");
    const bearer = service.caller("owner").headers;
    expect((await fetch(`${service.baseUrl}/sessions/${session.session_id}`, { headers: bearer })).status).toBe(200);
    expect((await fetch(url, { headers: { cookie, ...page } })).status).toBe(200);
  });

  test.each<readonly [string, Readonly<Record<string, string>>]>([
    ["a program", {}],
    ["the address bar", { "sec-fetch-site": "none" }],
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }],
    ["another port of this host", { "sec-fetch-site": "same-site" }],
    ["an allowed origin", { "sec-fetch-site": "cross-site", origin: allowed }],
  ])("B18: the cookie is nobody's where %s sends it", async (_name, from) => {
    const { cookie } = await logIn(service, { ...page, ...service.caller("owner").headers });
    expect(await list({ ...page, cookie })).toBe(200);
    expect(await list({ ...from, cookie })).toBe(401);
  });

  test("B18: a page of another site cannot sign anybody in", async () => {
    const { headers } = service.caller("owner");
    for (const site of ["cross-site", "same-site"]) {
      const { status, set } = await logIn(service, { ...headers, "sec-fetch-site": site });
      expect([status, set]).toEqual([403, ""]);
    }
  });

  test("programs and allowed origins learn whose credential they have, and get no cookie", async () => {
    const { headers } = service.caller("owner");
    for (const from of [{}, { "sec-fetch-site": "cross-site", origin: allowed }]) {
      const { status, set, text } = await logIn(service, { ...headers, ...from });
      expect([status, set]).toEqual([200, ""]);
      expect(JSON.parse(text)).toMatchObject({ username: mode === "jwt" ? "alice" : null });
    }
  });

  test("B2: what is no good credential becomes no cookie", async () => {
    for (const { name, headers } of service.callers) {
      if (!["unknown", "expired", "revoked", "forged", "malformed", "nobody", "of another mode"].includes(name))
        continue;
      const { status, set } = await logIn(service, { ...page, ...headers });
      expect([name, status, set]).toEqual([name, 401, ""]);
    }
  });

  test("B15: one that may only read signs in, and reads; one that may not even do that does not", async () => {
    const { cookie } = await logIn(service, { ...page, ...service.caller("reader").headers });
    expect(await list({ ...page, cookie })).toBe(200);
    const body = JSON.stringify({ username: "alice" });
    const headers = { ...page, cookie, "content-type": "application/json" };
    expect((await fetch(`${service.baseUrl}/sessions`, { method: "POST", headers, body })).status).toBe(403);
    expect(await logIn(service, { ...page, ...service.caller("writer").headers })).toMatchObject({
      status: 403,
      set: "",
    });
  });

  test("signing out takes it away", async () => {
    const response = await fetch(`${service.baseUrl}/logout`, { method: "POST", headers: page });
    expect(response.headers.getSetCookie()).toEqual(["chat_login=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"]);
  });
});

describe("how long one stays signed in", () => {
  test("with an access token until that ends, and one that no browser would keep is refused", async () => {
    const login = await startLogin();
    const service = await startMode("jwt", login.environment);
    const exp = Math.floor(Date.now() / 1_000) + 600;
    const bearer = async (claims: object) => ({
      authorization: `Bearer ${await login.token("alice", { claims: { ...claims } })}`,
    });
    const short = await logIn(service, { ...page, ...(await bearer({ exp })) });
    expect(short.maxAge).toBeGreaterThan(500);
    // The clocks of a login and of this service may differ by 30 s.
    expect(short.maxAge).toBeLessThanOrEqual(630);
    expect(JSON.parse(short.text)).toMatchObject({ valid_for: short.maxAge });
    const long = await logIn(service, { ...page, ...(await bearer({ groups: "g".repeat(4_000) })) });
    expect([long.status, long.set, (JSON.parse(long.text) as { code: string }).code]).toEqual([
      400,
      "",
      "credential_too_long",
    ]);
    await service.close();
    await login.close();
  });

  test("with a key 30 days, or until that ends; not a request longer than until it is revoked", async () => {
    const service = await startMode("keys");
    const beside = await openKeys(loadConfig({ environment: { AUTH: "keys", STORAGE_URL: service.storageUrl } }));
    const forGood = await addKey(beside.keys, {});
    const forADay = await addKey(beside.keys, { expiresAt: Date.now() + daySeconds * 1_000 });
    const signIn = ({ secret }: { readonly secret: string }) =>
      logIn(service, { ...page, authorization: `Bearer ${secret}` });
    const signedIn = await signIn(forGood);
    expect(signedIn.maxAge).toBe(30 * daySeconds);
    expect(Math.abs((await signIn(forADay)).maxAge - daySeconds)).toBeLessThan(60);
    const ask = () =>
      fetch(`${service.baseUrl}/sessions?username=alice`, { headers: { ...page, cookie: signedIn.cookie } });
    expect((await ask()).status).toBe(200);
    await beside.keys.revoke(forGood.id);
    expect((await problemOf(await ask()))["code"]).toBe("invalid_credential");
    await beside.close();
    await service.close();
  });
});
