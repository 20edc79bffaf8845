/** Limits as whoever sends requests meets them. */
import { afterEach, describe, expect, test } from "vitest";
import { clientAddress } from "../src/http/client-address.ts";
import type { Authenticator } from "../src/identity/authenticator.ts";
import { guestAuthenticator } from "../src/identity/guests.ts";
import { authorized, openSession, problemOf } from "./helpers/client.ts";
import { startTestServer, type TestServer, type TestServerOptions } from "./helpers/http-server.ts";

const neverOpened = "0".repeat(32);
const home = "203.0.113.7";
const elsewhere = "198.51.100.9";

let server: TestServer;
afterEach(() => server.close());

async function start(limits: TestServerOptions["limits"], options: TestServerOptions = {}): Promise<void> {
  server = await startTestServer({ ...options, limits: { proxyHops: 1, ...limits } });
}

/** As a proxy would send it on for somebody. */
function get(path: string, from = home, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, { headers: { "x-forwarded-for": from, ...headers } });
}

/** A mode in which everybody needs a credential. */
function withKeys(authenticate: Authenticator["authenticate"]): Authenticator {
  return { mode: "keys", needs: "a key", authenticate, welcome: undefined };
}

const quotaOf = ({ headers }: Response) => [headers.get("ratelimit-policy"), headers.get("ratelimit")];

describe("requests", () => {
  test("B21: every answer tells what is left, and the one too many is 429 with Retry-After", async () => {
    await start({ addressRequestsPerMinute: 2 });
    const first = await get("/?username=TR");
    expect(first.status).toBe(200);
    expect(quotaOf(first)).toEqual(['"requests";q=2;w=60', expect.stringMatching(/^"requests";r=1;t=\d+$/)]);
    expect(quotaOf(await get("/?username=TR"))[1]).toMatch(/^"requests";r=0;t=\d+$/);
    const refused = await get("/?username=TR");
    expect(quotaOf(refused)).toEqual(['"requests";q=2;w=60', expect.stringMatching(/^"requests";r=0;t=\d+$/)]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    const detail = "At most 2 requests are taken in a minute.";
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: "rate_limited", retryable: true, detail });
    expect((await get("/?username=TR", elsewhere)).status).toBe(200);
  });

  test("B21: a client of Open Trivia DB is told by its own code as well", async () => {
    await start({ addressRequestsPerMinute: 1 });
    expect((await get("/api_category.php")).status).toBe(200);
    const problem = await problemOf(await get("/api.php?amount=1"));
    expect(problem).toMatchObject({ status: 429, code: "rate_limited", response_code: 5, results: [] });
    expect(await problemOf(await get("/trivia/shows"))).not.toHaveProperty("response_code");
  });

  test("B21: health and documentation are not counted", async () => {
    await start({ addressRequestsPerMinute: 1 });
    for (const path of ["/healthz", "/readyz", "/openapi.json", "/healthz"]) {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(quotaOf(response)).toEqual([null, null]);
    }
  });

  test("B22: only the address that the operator's own proxy saw counts; what a client adds is ignored", async () => {
    await start({ addressRequestsPerMinute: 1 });
    expect((await get("/?username=TR", `1.1.1.1, ${home}`)).status).toBe(200);
    expect((await get("/?username=TR", `2.2.2.2, ${home}`)).status).toBe(429);
    expect((await get("/?username=TR", "not an address")).status).toBe(200);
    expect((await get("/?username=TR", "neither")).status).toBe(429);
  });

  test("B22: without TRUSTED_PROXY_HOPS the header says nothing, and private peers are nobody in particular", async () => {
    await start({ proxyHops: 0, addressRequestsPerMinute: 1 });
    for (let count = 0; count < 3; count += 1) {
      const response = await get("/?username=TR");
      expect(response.status).toBe(200);
      expect(quotaOf(response)).toEqual([null, null]);
    }
  });

  test("B21: a caller with a key is counted by its principal, wherever it calls from", async () => {
    const caller = (principal: string) =>
      ({ kind: "key", principal, scopes: ["read", "write"], username: undefined, validForMs: undefined }) as const;
    const authenticator = () => withKeys(async (key) => caller(`key:${key}`));
    await start({ requestsPerMinute: 1, addressRequestsPerMinute: 1 }, { authenticator });
    expect((await get("/usage", home, authorized("one"))).status).toBe(200);
    expect((await get("/usage", elsewhere, authorized("one"))).status).toBe(429);
    expect((await get("/usage", home, authorized("two"))).status).toBe(200);
  });
});

describe("guessing", () => {
  test("B14: whoever asks for too much that is not there is refused whatever they ask for, and nobody else is", async () => {
    await start({ notFoundPerMinute: 5 });
    const { sessionId } = await openSession(server.url);
    const codes: unknown[] = [];
    for (let id = 0; id < 100; id += 1) {
      codes.push(
        ((await problemOf(await get(`/chat_history/${id.toString(16).padStart(32, "0")}`))) as { code: string }).code,
      );
    }
    expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => "session_not_found"));
    // The count is taken once an answer is out.
    expect(codes.slice(7).every((code) => code === "rate_limited")).toBe(true);
    const refused = await get(`/chat_history/${sessionId}`);
    expect(refused.status).toBe(429);
    expect(quotaOf(refused)[0]).toBe('"not-found";q=5;w=60');
    expect((await get(`/chat_history/${sessionId}`, elsewhere)).status).toBe(200);
    expect((await get(`/chat_history/${neverOpened}`, elsewhere)).status).toBe(404);
  });

  test("B14: also for the id of a game", async () => {
    await start({ notFoundPerMinute: 5 });
    const codes: unknown[] = [];
    for (let id = 0; id < 20; id += 1) {
      codes.push((await problemOf(await get(`/trivia/games/${id.toString(16).padStart(32, "0")}`)))["code"]);
    }
    expect(codes[0]).toBe("game_not_found");
    expect(codes.at(-1)).toBe("rate_limited");
  });

  test("B14: also with a key, by its principal", async () => {
    const caller = {
      kind: "key",
      principal: "key:a",
      scopes: ["read", "write"],
      username: undefined,
      validForMs: undefined,
    } as const;
    await start({ notFoundPerMinute: 3 }, { authenticator: () => withKeys(async () => caller) });
    await expect.poll(async () => (await get(`/chat_history/${neverOpened}`, home, authorized("k"))).status).toBe(429);
    expect((await get("/usage", elsewhere, authorized("k"))).status).toBe(429);
  });

  test("B27: after ten credentials that are nobody's an address is refused before the next is looked at", async () => {
    let looks = 0;
    await start(
      { failedCredentialsPerMinute: 10 },
      {
        authenticator: (storage) => {
          const guests = guestAuthenticator(storage.sessions);
          return {
            ...guests,
            authenticate: (token) => {
              looks += 1;
              return guests.authenticate(token);
            },
          };
        },
      },
    );
    const tryOne = (from = home) => get("/usage", from, authorized(`guest_${"x".repeat(43)}`));
    const statuses: number[] = [];
    for (let count = 0; count < 30; count += 1) statuses.push((await tryOne()).status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401));
    expect(statuses.slice(12).every((status) => status === 429)).toBe(true);
    expect(looks).toBeLessThanOrEqual(12);
    expect((await tryOne(elsewhere)).status).toBe(401);
  });
});

describe("turns at once", () => {
  test("B24: more turns of one guest's username are refused with their own code, and one that waits is not", async () => {
    await start({ turns: { atOnce: 2 } });
    const { token } = await openSession(server.url);
    const open = async () => {
      const response = await fetch(`${server.url}/?username=TR`, { headers: authorized(token) });
      return ((await response.json()) as { session_id: string }).session_id;
    };
    const [first, second, third] = [await open(), await open(), await open()];
    const streams = [await server.ask(first), await server.ask(second)];
    const refused = await server.ask(third);
    expect(quotaOf(refused)).toEqual(['"turns";q=2;qu="concurrent-requests"', '"turns";r=0']);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: "too_many_turns", retryable: true });
    const waiting = await fetch(`${server.url}/chat/${first}`, {
      method: "PUT",
      headers: { "content-type": "application/json", "if-busy": "queue" },
      body: JSON.stringify({ payload: "?" }),
    });
    expect(waiting.status).toBe(200);
    for (const stream of [...streams, waiting]) await stream.body?.cancel();
  });
});

describe("streams at once", () => {
  test("B23: more answers of one guest's username are not followed, and one that ended leaves its place", async () => {
    await start({ streamsAtOnce: 2 });
    const { sessionId } = await openSession(server.url);
    const [asked, followed] = [await server.ask(sessionId), await get(`/chat/${sessionId}`)];
    const refused = await get(`/chat/${sessionId}`);
    expect(quotaOf(refused)).toEqual(['"streams";q=2;qu="concurrent-requests"', '"streams";r=0']);
    expect(await problemOf(refused)).toMatchObject({ status: 429, code: "too_many_streams" });
    // How it stands is no stream.
    expect((await get(`/chat/${sessionId}`, home, { accept: "application/json" })).status).toBe(200);
    const { sessionId: other } = await openSession(server.url);
    expect((await get(`/chat/${other}`)).status).toBe(204);
    await followed.body?.cancel();
    await expect
      .poll(async () => {
        const response = await get(`/chat/${sessionId}`);
        if (response.status === 200) await response.body?.cancel();
        return response.status;
      })
      .toBe(200);
    await asked.body?.cancel();
  });

  test("B23: a prompt is refused before it is stored where its answer could not be followed", async () => {
    await start({ streamsAtOnce: 1 });
    const { token, sessionId } = await openSession(server.url);
    const opened = await fetch(`${server.url}/?username=TR`, { headers: authorized(token) });
    const other = ((await opened.json()) as { session_id: string }).session_id;
    const stream = await server.ask(sessionId);
    expect(await problemOf(await server.ask(other))).toMatchObject({ status: 429, code: "too_many_streams" });
    expect((await server.storage.sessions.read({ by: "capability" }, other)).turns).toBe(0);
    await stream.body?.cancel();
  });

  test("B23: guests of one address together, each of them below their own limit", async () => {
    await start({ addressStreamsAtOnce: 2, streamsAtOnce: 8 });
    const [first, second, third] = [await server.openSession(), await server.openSession(), await server.openSession()];
    const ask = ({ sessionId }: { sessionId: string }, from: string) =>
      fetch(`${server.url}/chat/${sessionId}`, {
        method: "PUT",
        headers: { "content-type": "application/json", "x-forwarded-for": from },
        body: JSON.stringify({ payload: "?" }),
      });
    const streams = [await ask(first, home), await ask(second, home)];
    expect(await problemOf(await ask(third, home))).toMatchObject({ status: 429, code: "too_many_streams" });
    const passed = await ask(third, elsewhere);
    expect(passed.status).toBe(200);
    for (const stream of [...streams, passed]) await stream.body?.cancel();
  });

  test("B23: a session of somebody else is not there, however many of its streams are open", async () => {
    await start({ streamsAtOnce: 1 });
    const key = { sessionId: "e".repeat(32), principal: "key:a", username: "TR", title: null, instructions: null };
    await server.storage.sessions.open(key);
    for (let count = 0; count < 2; count += 1) {
      expect((await get(`/chat/${key.sessionId}`)).status).toBe(404);
    }
  });
});

describe("budgets", () => {
  test("B25: a spent budget is 429 until midnight UTC, and the same request with its key is answered all the same", async () => {
    await start({ turns: { dailyTokens: 2 } });
    const { sessionId } = await openSession(server.url);
    const send = (key: string) =>
      fetch(`${server.url}/chat/${sessionId}`, {
        method: "PUT",
        headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": key },
        body: JSON.stringify({ payload: "?" }),
      });
    server.model.say("Hello");
    server.model.finish();
    expect((await send("first")).status).toBe(200);
    const refused = await send("second");
    expect(quotaOf(refused)).toEqual([
      '"tokens";q=2;qu="tokens";w=86400',
      `"tokens";r=0;t=${refused.headers.get("retry-after")}`,
    ]);
    const problem = await problemOf(refused);
    expect(problem).toMatchObject({ status: 429, code: "budget_exhausted", retryable: false });
    expect(problem["detail"]).toMatch(/^The 2 tokens that (?:you|all guests together) may spend on a day are spent;/);
    const midnight = new Date(Date.now() + Number(refused.headers.get("retry-after")) * 1_000);
    expect([midnight.getUTCHours(), midnight.getUTCMinutes()]).toEqual([0, 0]);
    expect((await send("first")).headers.get("idempotency-replayed")).toBe("true");
  });
});

describe("sizes", () => {
  const put = (payload: string) =>
    fetch(`${server.url}/chat/${neverOpened}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ payload }),
    });

  test("A5, A8: a body and a prompt may be as large as the operator says, and no larger", async () => {
    await start({}, { config: { maxBodyBytes: 2_048, maxPromptBytes: 1_000 } });
    expect((await put("é".repeat(500))).status).toBe(404);
    expect(await problemOf(await put("é".repeat(501)))).toMatchObject({
      status: 422,
      errors: [{ path: "payload", message: "must not be longer than 1000 bytes of UTF-8" }],
    });
    expect(await problemOf(await put("x".repeat(2_048)))).toMatchObject({ status: 413, code: "body_too_large" });
    await server.close();
    await start({}, { config: { maxBodyBytes: 1_048_576, maxPromptBytes: 524_288 } });
    expect((await put("x".repeat(524_288))).status).toBe(404);
    expect((await put("x".repeat(524_289))).status).toBe(422);
  });
});

describe("where a request comes from", () => {
  const address = (remoteAddress: string | undefined, hops: number, forwarded?: string) =>
    clientAddress(
      { socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded } } as unknown as Parameters<
        typeof clientAddress
      >[0],
      hops,
    );

  test.each([
    ["8.8.8.8", "8.8.8.8"],
    ["::ffff:8.8.8.8", "8.8.8.8"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["127.0.0.1", undefined],
    ["::1", undefined],
    ["::ffff:10.1.2.3", undefined],
    ["172.17.0.1", undefined],
    ["192.168.1.1", undefined],
    ["100.64.0.1", undefined],
    ["fd00::1", undefined],
    ["fe80::1%eth0", undefined],
    [undefined, undefined],
  ])("B22: the peer %s is told apart as %s", (peer, expected) => {
    expect(address(peer, 0, "9.9.9.9")).toBe(expected);
  });

  test.each([
    [1, "1.1.1.1, 2.2.2.2, 3.3.3.3", "3.3.3.3"],
    [2, "1.1.1.1, 2.2.2.2, 3.3.3.3", "2.2.2.2"],
    [1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    [1, "[2001:db8:1:2::5]:4711", "2001:db8:1:2::/64"],
    [1, "3.3.3.3:4711", "3.3.3.3"],
    [1, "10.0.0.5", "10.0.0.5"],
    [2, "3.3.3.3", "127.0.0.1"],
    [1, "", "127.0.0.1"],
    [1, "3.3.3.3, unknown", "127.0.0.1"],
  ])("B22: behind %i proxies %j is told apart as %s", (hops, forwarded, expected) => {
    expect(address("127.0.0.1", hops, forwarded)).toBe(expected);
  });
});
