/** What a real browser lets pages do to this service: ours, those of other sites, and those that the operator allowed. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startBrowser, watchViolations } from "./helpers/browser.ts";
import { startTestServer, type TestServer } from "./helpers/http-server.ts";

/** A browser has much to do on a busy machine. */
const patient = { timeout: 20_000 };

let browser: Browser;
let service: TestServer;
/** Serves an empty page to whoever asks; the tests say what its script does. */
let elsewhere: Server;
let context: BrowserContext;
let page: Page;

/** The service is at 127.0.0.1: the one is another site, the other the same site on another port. */
let otherSite: string;
let samePlace: string;

beforeAll(async () => {
  elsewhere = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>Elsewhere</title>");
  }).listen(0);
  await once(elsewhere, "listening");
  const { port } = elsewhere.address() as AddressInfo;
  otherSite = `http://localhost:${port}`;
  samePlace = `http://127.0.0.1:${port}`;
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
  elsewhere.closeAllConnections();
  elsewhere.close();
});

beforeEach(async () => {
  service = await startTestServer();
  context = await browser.newContext();
  page = await context.newPage();
});

afterEach(async () => {
  await context.close();
  await service.close();
});

type PageRequest = Pick<RequestInit, "cache" | "credentials" | "method" | "mode"> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

/** What a request of a page became, for the page: an answer, or nothing where the browser gives it none. */
type Fetched = { readonly status: number; readonly body: string } | "refused";

function fetchIn(where: Page, url: string, init: PageRequest = {}): Promise<Fetched> {
  return where.evaluate(
    async ([url, init]) => {
      try {
        const response = await fetch(url, init);
        return { status: response.status, body: await response.text() };
      } catch {
        return "refused";
      }
    },
    [url, init] as const,
  );
}

/** Opens a session as the chat page does. */
async function openAsPage(): Promise<string> {
  await page.goto(service.url);
  const body = JSON.stringify({ username: "TR" });
  const headers = { "content-type": "application/json" };
  const opened = await fetchIn(page, "/sessions", { method: "POST", headers, body });
  if (opened === "refused") throw new Error("The page could not open a session");
  return (JSON.parse(opened.body) as { session_id: string }).session_id;
}

async function sessionsOfPage(): Promise<string[]> {
  await page.goto(service.url);
  const list = await fetchIn(page, "/sessions?username=TR");
  if (list === "refused") throw new Error("The page could not list its sessions");
  const { sessions } = JSON.parse(list.body) as { sessions?: { session_id: string }[] };
  return sessions?.map((session) => session.session_id) ?? [`${list.status}`];
}

/** How the service answered the requests for a route, as it logged them. */
function answersOf(method: string, route: string): string[] {
  return service.log
    .filter((line) => line["method"] === method && line["route"] === route)
    .map((line) => `${line["status"]} ${line["code"] ?? "ok"}`);
}

describe("our own page", () => {
  test("is the same guest again by a cookie that no script can read, and never sees a token", async () => {
    const sessionId = await openAsPage();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ name: "chat_guest", httpOnly: true, sameSite: "Lax", path: "/", secure: false });
    expect(cookie?.expires).toBeGreaterThan(Date.now() / 1_000 + 390 * 86_400);
    expect(await sessionsOfPage()).toEqual([sessionId]);
    const seen = await page.evaluate("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)");
    expect(seen).toBe("{}{}");
    const again = await fetchIn(page, "/?username=TR");
    expect(JSON.stringify(again)).not.toContain("guest_");
    expect(await sessionsOfPage()).toHaveLength(2);
  });

  test("I12: is nobody after it logged out, and finds nothing in the browser's cache", async () => {
    const sessionId = await openAsPage();
    await fetchIn(page, `/chat_history/${sessionId}`);
    await page.evaluate("localStorage.setItem('kept', 'a draft')");
    expect(await fetchIn(page, "/logout", { method: "POST" })).toMatchObject({ status: 204 });
    expect(await context.cookies()).toEqual([]);
    expect(await sessionsOfPage()).toEqual(["401"]);
    expect(await page.evaluate("localStorage.length")).toBe(0);
    const cached = await fetchIn(page, `/chat_history/${sessionId}`, { cache: "only-if-cached", mode: "same-origin" });
    expect(cached === "refused" || cached.status === 504).toBe(true);
  });

  test("has a cookie for HTTPS alone where PUBLIC_URL says so", async () => {
    const published = await startTestServer({ config: { publicUrl: "https://chat.example" } });
    await page.goto(published.url);
    await fetchIn(page, "/?username=TR");
    expect(await context.cookies()).toMatchObject([{ name: "__Host-chat_guest", secure: true, httpOnly: true }]);
    await published.close();
  });
});

describe("a file that our own page links to", () => {
  test("is downloaded, although its policy would let nothing of it run in the page", async () => {
    const sessionId = await openAsPage();
    const link = `<a href="/sessions/${sessionId}/export?format=markdown">Save</a>`;
    await page.route(`${service.url}/linking`, (route) => route.fulfill({ contentType: "text/html", body: link }));
    await page.goto(`${service.url}/linking`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("a")]);
    expect(download.suggestedFilename()).toMatch(/\.md$/);
    expect(await download.failure()).toBeNull();
  });
});

describe.each(["another site", "another port of this host"])("a page of %s", (which) => {
  const origin = () => (which === "another site" ? otherSite : samePlace);

  test("B18: writes nothing by forms, although the browser may send the cookie with them", async () => {
    const sessionId = await openAsPage();
    await page.goto(origin());
    for (const path of ["/sessions", `/chat/${sessionId}/regenerate`, "/logout"]) {
      await page.goto(origin());
      await page.evaluate(
        ([action]) => {
          const { document } = globalThis as unknown as { document: { body: { innerHTML: string } } };
          document.body.innerHTML = `<form id="f" method="post" action="${action}" enctype="text/plain">
            <input name='{"username":"TR","x":"' value='"}'></form>`;
        },
        [service.url + path] as const,
      );
      await Promise.all([page.waitForURL(`${service.url}/**`), page.evaluate("document.getElementById('f').submit()")]);
      expect(await page.textContent("body")).toContain("cross_site_request");
    }
    expect(await sessionsOfPage()).toEqual([sessionId]);
  });

  test("B18: writes nothing by requests that it need not be allowed to read", async () => {
    const sessionId = await openAsPage();
    await page.goto(origin());
    const credentials = { method: "POST", mode: "no-cors", credentials: "include" } as const;
    await fetchIn(page, `${service.url}/sessions`, { ...credentials, body: '{"username":"TR"}' });
    await fetchIn(page, `${service.url}/?username=TR`, { ...credentials, method: "GET" });
    expect(answersOf("POST", "/sessions")).toEqual(["201 ok", "403 cross_site_request"]);
    expect(answersOf("GET", "/").at(-1)).toBe("403 cross_site_request");
    expect(await sessionsOfPage()).toEqual([sessionId]);
  });

  test("B19: reads nothing and may not ask for more, even where it knows the id of a session", async () => {
    const sessionId = await openAsPage();
    await page.goto(origin());
    const credentials = { credentials: "include" } as const;
    expect(await fetchIn(page, `${service.url}/chat_history/${sessionId}`)).toBe("refused");
    expect(await fetchIn(page, `${service.url}/sessions?username=TR`, credentials)).toBe("refused");
    expect(await fetchIn(page, `${service.url}/sessions/${sessionId}`, { mode: "no-cors" })).toBe("refused");
    const put = { method: "PUT", headers: { "content-type": "application/json" }, body: '{"payload":"x"}' };
    expect(await fetchIn(page, `${service.url}/chat/${sessionId}`, put)).toBe("refused");
    expect(answersOf("PUT", "/chat/:session_id")).toEqual([]);
    expect(answersOf("GET", "/sessions")).toEqual(["401 unauthenticated"]);
  });

  test("B20, I9: shows nothing of us in a frame, and gets no hold of a window that it opens", async () => {
    const sessionId = await openAsPage();
    for (const path of ["/", "/docs", "/docs/errors", `/sessions/${sessionId}`, "/nothing"]) {
      await page.goto(origin());
      await page.evaluate(
        ([url]) =>
          new Promise<void>((resolve) => {
            const { document } = globalThis as unknown as { document: FrameMaker };
            const frame = document.createElement("iframe");
            frame.onload = () => resolve();
            frame.src = url;
            document.body.append(frame);
          }),
        [service.url + path] as const,
      );
      await expect.poll(() => page.frames()[1]?.url(), patient).toMatch(/^chrome-error:/);
    }
    const [opened] = await Promise.all([
      context.waitForEvent("page"),
      page.evaluate(`globalThis.opened = window.open(${JSON.stringify(service.url)}); undefined`),
    ]);
    await opened.waitForLoadState();
    expect(await opened.textContent("h1")).toBe("Chat API service");
    await page.waitForFunction("globalThis.opened.closed");
    expect(await opened.evaluate("window.opener")).toBeNull();
  });
});

type FrameMaker = {
  createElement(name: "iframe"): { src: string; onload(): void };
  readonly body: { append(frame: unknown): void };
};

describe("a page of an origin in CORS_ORIGINS", () => {
  test("uses the API with a token: sends, reads the stream and the headers, follows with EventSource", async () => {
    const open = await startTestServer({ config: { corsOrigins: [otherSite] } });
    open.model.say("Hello, TR!");
    open.model.finish();
    await page.goto(otherSite);
    const used = await page.evaluate(
      async ([service]) => {
        const type = { "content-type": "application/json" };
        const opened = await fetch(`${service}/sessions`, { method: "POST", headers: type, body: '{"username":"TR"}' });
        const { session_id: id, token } = (await opened.json()) as { session_id: string; token: string };
        const authorization = `Bearer ${token}`;
        const once = { authorization, "idempotency-key": "k", "if-busy": "queue", "if-turn": "0", ...type };
        const ask = { method: "PUT", headers: once, body: '{"payload":"Hi"}' };
        const answer = await (await fetch(`${service}/chat/${id}`, ask)).text();
        const again = await fetch(`${service}/chat/${id}`, { ...ask, headers: { ...once, accept: "text/plain" } });
        const renamed = await fetch(`${service}/sessions/${id}`, {
          method: "PATCH",
          headers: { authorization, ...type },
          body: '{"title":"x"}',
        });
        const problem = await fetch(`${service}/chat/${id}/99`);
        const followed = await new Promise<string>((resolve, reject) => {
          const { EventSource } = globalThis as unknown as { EventSource: EventSourceMaker };
          const source = new EventSource(`${service}/chat/${id}`);
          source.onmessage = ({ data }) => resolve(data);
          source.onerror = () => reject(new Error("The stream could not be followed"));
        });
        return {
          location: opened.headers.get("location") === `/sessions/${id}`,
          session: again.headers.get("x-session-id") === id,
          turn: again.headers.get("x-turn"),
          replayed: again.headers.get("idempotency-replayed"),
          hidden: again.headers.get("referrer-policy"),
          answer: answer.includes("Hello, TR!"),
          text: await again.text(),
          renamed: renamed.status,
          problem: ((await problem.json()) as { code: string }).code,
          followed,
        };
      },
      [open.url] as const,
    );
    expect(used).toEqual({
      location: true,
      session: true,
      turn: "1",
      replayed: "true",
      hidden: null,
      answer: true,
      text: "Hello, TR!",
      renamed: 200,
      problem: "turn_not_found",
      followed: '{"text":"Hello, TR!"}',
    });
    expect(await context.cookies()).toEqual([]);
    await page.goto(samePlace);
    expect(await fetchIn(page, `${open.url}/healthz`)).toBe("refused");
    await open.close();
  });
});

type EventSourceMaker = new (
  url: string,
) => { onmessage(event: { data: string }): void; onerror(): void; close(): void };

describe("the page of the documentation", () => {
  test("K7: works under a policy without inline style or script, and loads nothing from elsewhere", async () => {
    const violations = await watchViolations(context);
    const asked: string[] = [];
    page.on("request", (request) => void asked.push(request.url()));
    await page.goto(`${service.url}/docs`);
    await page.click(".opblock-get >> nth=0");
    await page.fill("input[placeholder=username]", "TR");
    await page.click("button.execute");
    await page.waitForSelector(".live-responses-table .response-col_status >> text=200");
    await page.click(".btn.authorize");
    await page.waitForSelector(".modal-ux input");
    // What it has already it asks for again, and hears 304.
    await page.reload();
    await page.waitForSelector(".opblock");
    expect(violations).toEqual([]);
    const foreign = asked.filter((url) => !url.startsWith(service.url) && !url.startsWith("data:"));
    expect(foreign).toEqual([]);
  }, 60_000);
});
