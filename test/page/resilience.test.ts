/** What the page loses when something fails: nothing. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, BrowserContext, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { startTestServer, type TestServer } from "../helpers/http-server.ts";
import { type Service, startService } from "../helpers/service.ts";
import { startTcpProxy, type TcpProxy } from "../helpers/tcp-proxy.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext();
  context.setDefaultTimeout(20_000);
});

afterEach(() => context.close());

/** The end of the story that the demo tells. */
const end = "it was the last one of the day";

async function storyIn({ baseUrl }: { readonly baseUrl: string }, sessionId: string): Promise<string> {
  const response = await fetch(`${baseUrl}/chat_history/${sessionId}`);
  const { message_history: messages } = (await response.json()) as { message_history: { content: string }[] };
  return messages.at(-1)?.content ?? "";
}

/** Without what Markdown takes away. */
function words(text: string): string[] {
  return text.split(/\s+/).map((word) => word.replaceAll("`", ""));
}

describe("with a service that dies and comes back", () => {
  let directory: string;
  let service: Service;
  let proxy: TcpProxy;

  const start = () => startService({ STORAGE_URL: `sqlite:${directory}/chat.db`, DEMO_WORD_DELAY_MS: "8" });

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "chat-page-"));
    service = await start();
    proxy = await startTcpProxy(Number(new URL(service.baseUrl).port));
  });

  afterAll(async () => {
    await proxy.close();
    await service.end("SIGTERM");
    await rm(directory, { recursive: true });
  });

  test("kill -9 in mid-answer: the text completes itself, every word once, without anybody doing anything", async () => {
    const chat = await ChatPage.enter(context, proxy.url);
    await chat.say("Tell me a story");
    await chat.answer.getByText("quiet rack").waitFor();
    await service.end("SIGKILL");
    await chat.page.getByText("The connection is lost.").waitFor();
    service = await start();
    proxy.target(Number(new URL(service.baseUrl).port));
    const said = await chat.whole();
    expect(said).toContain(end);
    expect(words(said)).toEqual(words(await storyIn(service, chat.sessionId)));
    expect(await chat.page.getByText("The connection is lost.").count()).toBe(0);
  });

  test("C2: a reload in mid-answer: the whole text is there, and goes on", async () => {
    const chat = await ChatPage.enter(context, proxy.url);
    await chat.say("Tell me a story");
    await chat.answer.getByText("Once upon").waitFor();
    await chat.page.reload();
    await chat.answer.getByText("Once upon").waitFor();
    const said = await chat.whole();
    expect(said).toContain(end);
    expect(words(said)).toEqual(words(await storyIn(service, chat.sessionId)));
  });

  test("C2: a reload while a stopped answer is gone on with: it begins where it began, and goes on", async () => {
    const chat = await ChatPage.enter(context, proxy.url);
    await chat.say("Tell me a story");
    await chat.answer.getByText("Once upon").waitFor();
    await chat.last.getByRole("button", { name: "Stop this answer" }).click();
    await chat.last.getByRole("button", { name: "Continue" }).click();
    await chat.answer.getByText("One day a storm").waitFor();
    await chat.page.reload();
    await chat.answer.getByText("Once upon").waitFor();
    const said = await chat.whole();
    expect(said).toContain(end);
    expect(words(said)).toEqual(words(await storyIn(service, chat.sessionId)));
    expect(await chat.exchanges.count()).toBe(1);
  });

  test("a network that goes and comes back: it is said, and the answer is whole", async () => {
    const chat = await ChatPage.enter(context, proxy.url);
    await chat.say("Tell me a story");
    await chat.answer.getByText("Once upon").waitFor();
    proxy.refuse(true);
    proxy.cut("reset");
    await chat.page.getByText("The connection is lost.").waitFor();
    proxy.refuse(false);
    const said = await chat.whole();
    expect(words(said)).toEqual(words(await storyIn(service, chat.sessionId)));
  });

  test("what is sent without a network is sent when it is back, once", async () => {
    const chat = await ChatPage.enter(context, proxy.url);
    await chat.ask("Hello!");
    proxy.refuse(true);
    proxy.cut("reset");
    await chat.page.clock.install();
    await chat.say("Blue trains");
    // The pauses between the tries need not be waited for.
    const isToldYet = async () => {
      await chat.page.clock.fastForward(5_000);
      return chat.last.getByText("Not sent yet.").isVisible();
    };
    await expect.poll(isToldYet, { timeout: 25_000, interval: 250 }).toBe(true);
    proxy.refuse(false);
    await chat.last.getByRole("button", { name: "Try now" }).click();
    await chat.answer.getByText("Blue trains").waitFor();
    await chat.whole();
    expect(await chat.exchanges.count()).toBe(2);
    const response = await fetch(`${service.baseUrl}/sessions/${chat.sessionId}`);
    expect(await response.json()).toMatchObject({ turns: 2 });
  });
});

describe("what was typed", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await startTestServer({ page: "built" });
  });

  afterEach(() => server.close());

  test("I13: a draft is there after a reload, each with its session", async () => {
    const chat = await ChatPage.enter(context, server.url);
    server.model.say("Hello.");
    server.model.finish();
    await chat.ask("Hi");
    await chat.field.fill("Half a thou");
    await chat.page.getByRole("button", { name: "New chat" }).click();
    await expect.poll(() => chat.field.inputValue()).toBe("");
    await chat.field.fill("Another");
    await chat.page.reload();
    await expect.poll(() => chat.field.inputValue()).toBe("Another");
    await chat.page.goBack();
    await expect.poll(() => chat.field.inputValue()).toBe("Half a thou");
  });

  test("I13: a prompt that was on its way at a reload is sent again with the same key, and answered once", async () => {
    const chat = await ChatPage.enter(context, server.url);
    const keys: (string | undefined)[] = [];
    await context.route(/\/chat\/[0-9a-f]+$/, async (route) => {
      const request = route.request();
      if (request.method() !== "PUT") return route.continue();
      keys.push(request.headers()["idempotency-key"]);
      // The first one reaches the service, and its answer never the page.
      if (keys.length === 1) {
        await route.fetch({ timeout: 0 }).catch(() => undefined);
        return;
      }
      return route.continue();
    });
    await chat.say("Blue trains");
    await expect.poll(() => keys.length).toBe(1);
    await chat.page.reload();
    server.model.say("They are blue.");
    server.model.finish();
    await chat.answer.getByText("They are blue.").waitFor();
    await chat.whole();
    expect(await chat.exchanges.count()).toBe(1);
    expect(new Set(keys).size).toBe(1);
    expect(keys.length).toBeGreaterThan(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test("I13: a prompt that is refused stays, also through a reload, and can be edited", async () => {
    const chat = await ChatPage.enter(context, server.url);
    let isRefused = true;
    await context.route(/\/chat\/[0-9a-f]+$/, (route) => {
      if (route.request().method() !== "PUT" || !isRefused) return route.continue();
      return route.fulfill({
        status: 401,
        contentType: "application/problem+json",
        body: JSON.stringify({ code: "invalid_credential", detail: "The token is unknown.", retryable: false }),
      });
    });
    await chat.say("Blue trains");
    await chat.last.getByText("Not sent. The token is unknown.").waitFor();
    await chat.page.reload();
    await chat.last.getByText("Not sent. The token is unknown.").waitFor();
    await chat.last.getByRole("button", { name: "Edit" }).click();
    await expect.poll(() => chat.field.inputValue()).toBe("Blue trains");
    isRefused = false;
    await chat.field.press("Enter");
    server.model.say("They are blue.");
    server.model.finish();
    await chat.answer.getByText("They are blue.").waitFor();
  });

  test("a prompt that is accepted while the dialogue is read anew stays in sight, and is answered there", async () => {
    const chat = await ChatPage.enter(context, server.url);
    server.model.say("Hello.");
    server.model.finish();
    await chat.ask("Hi");
    const held = Promise.withResolvers<void>();
    let isHeld = false;
    await context.route(/\/chat_history\//, async (route) => {
      if (isHeld) return route.continue();
      isHeld = true;
      const read = await route.fetch();
      await held.promise;
      await route.fulfill({ response: read });
    });
    await chat.page.evaluate(() => dispatchEvent(new Event("online")));
    await expect.poll(() => isHeld).toBe(true);
    await chat.say("Blue trains");
    server.model.say("They are ");
    await chat.answer.getByText("They are").waitFor();
    held.resolve();
    // Once the page has read it again, it has taken in what it read before.
    await chat.page.waitForResponse(/\/chat_history\//);
    server.model.say("blue.");
    server.model.finish();
    expect(await chat.whole()).toBe("They are blue.");
  });

  test("C17: a service that has too much to do is asked again, and the prompt is answered", async () => {
    const chat = await ChatPage.enter(context, server.url);
    let refusals = 2;
    await context.route(/\/chat\/[0-9a-f]+$/, (route) => {
      if (route.request().method() !== "PUT" || refusals === 0) return route.continue();
      refusals -= 1;
      return route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        headers: { "retry-after": "1" },
        body: JSON.stringify({ code: "overloaded", detail: "Too much to do.", retryable: true }),
      });
    });
    await chat.say("Blue trains");
    server.model.say("They are blue.");
    server.model.finish();
    await chat.answer.getByText("They are blue.").waitFor();
    expect(refusals).toBe(0);
  });
});

describe("several tabs", () => {
  let server: TestServer;
  let follows: Request[];

  beforeEach(async () => {
    server = await startTestServer({ page: "built" });
    follows = [];
    context.on("request", (request) => {
      if (request.method() === "GET" && /\/chat\/[0-9a-f]{32}\/\d+$/.test(request.url())) follows.push(request);
    });
  });

  afterEach(() => server.close());

  test("C7: two see the same answer as it comes, whichever asked, and what one asks appears in the other", async () => {
    const one = await ChatPage.enter(context, server.url);
    server.model.say("Hello.");
    server.model.finish();
    await one.ask("Hi");
    const other = await ChatPage.open(context, one.page.url());
    await other.answer.getByText("Hello.").waitFor();
    await other.say("And you?");
    for (const { last } of [one, other]) await last.getByText("And you?").waitFor();
    server.model.say("I am ");
    for (const { answer } of [one, other]) await answer.getByText("I am").waitFor();
    server.model.say("well.");
    server.model.finish();
    for (const tab of [one, other]) expect(await tab.whole()).toBe("I am well.");
  });

  test("C16: seven share one stream, and the seventh still sends and reads", async () => {
    const first = await ChatPage.enter(context, server.url);
    await first.say("Hi");
    server.model.say("Word ");
    await first.answer.getByText("Word").waitFor();
    const tabs = [first];
    while (tabs.length < 7) tabs.push(await ChatPage.open(context, first.page.url()));
    for (const { answer } of tabs) await answer.getByText("Word").waitFor();
    server.model.say("after word.");
    for (const { answer } of tabs) await answer.getByText("Word after word.").waitFor();
    const [seventh] = tabs.slice(-1);
    await seventh?.say("And the seventh?");
    await seventh?.last.getByText("Waits for the answer before it.").waitFor();
    server.model.finish();
    server.model.say("It is heard.");
    server.model.finish();
    for (const { answer } of tabs) await answer.getByText("It is heard.").waitFor();
    // The first turn came on the connection of its own prompt. The seventh tab's was followed by the leader.
    expect(new Set(follows.map((request) => request.url())).size).toBeLessThanOrEqual(1);
    expect(follows.length).toBeLessThanOrEqual(1);
  });

  test("the leading tab is closed in mid-answer, and another one goes on without losing a word", async () => {
    const leader = await ChatPage.enter(context, server.url);
    await leader.say("Hi");
    server.model.say("One, ");
    await leader.answer.getByText("One,").waitFor();
    const other = await ChatPage.open(context, leader.page.url());
    await other.answer.getByText("One,").waitFor();
    await leader.page.close();
    server.model.say("two, ");
    await other.answer.getByText("One, two,").waitFor();
    server.model.say("three.");
    server.model.finish();
    expect(await other.whole()).toBe("One, two, three.");
  });
});
