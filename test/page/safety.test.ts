/** What a text can do to the page: nothing but be read. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser, watchViolations } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { writeDialogues } from "../helpers/dialogues.ts";
import { startTestServer, type TestServer } from "../helpers/http-server.ts";
import { type Service, startService } from "../helpers/service.ts";
import { hostileTexts } from "./hostile-texts.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let browser: Browser;
let context: BrowserContext;
/** What went wrong: script that ran, dialogs, requests to other hosts, and what the content security policy stopped. */
let faults: string[];
let violations: readonly string[];

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 2_000 } });
  context.setDefaultTimeout(20_000);
  faults = [];
  violations = await watchViolations(context);
  await context.exposeBinding("pwned", () => void faults.push("script ran"));
  context.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on("request", (request) => {
    if (!/^http:\/\/127\.0\.0\.1:\d+\//.test(request.url())) faults.push(`a request: ${request.url()}`);
  });
  context.on("page", (page) => page.on("pageerror", (error) => faults.push(`an error: ${error.stack}`)));
});

afterEach(async () => {
  await context.close();
});

/** Scrolls from the end of a dialogue to its beginning, so that all of it was drawn; gives how many turns were seen. */
function scrollThrough(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const scroller = document.querySelector(".scroller");
    const seen = new Set<string | null>();
    while (!seen.has("Turn 1")) {
      for (const { ariaLabel } of document.querySelectorAll("article")) seen.add(ariaLabel);
      scroller?.scrollBy(0, -0.6 * scroller.clientHeight);
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    }
    return seen.size;
  });
}

describe("hostile texts", () => {
  let directory: string;
  let service: Service;
  let written: Awaited<ReturnType<typeof writeDialogues>>;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "chat-page-"));
    written = await writeDialogues(`${directory}/chat.db`, "<img src=x onerror=pwned()>", [
      { title: "All of them", turns: hostileTexts.map((text) => ({ prompt: text, answer: text })) },
      // A title is one line, and as long as the service takes it.
      ...hostileTexts.slice(0, 40).map((text) => ({ title: text.slice(0, 200).replace(/\s/g, " "), turns: [] })),
    ]);
    service = await startService({ STORAGE_URL: `sqlite:${directory}/chat.db` });
  });

  afterAll(async () => {
    await service.end("SIGTERM");
    await rm(directory, { recursive: true });
  });

  test("I1, I2, I3, I4, I6, I7, P17: 250 and more, in prompts, answers, titles and a name: no script runs, nothing is asked for elsewhere", async () => {
    expect(new Set(hostileTexts).size).toBeGreaterThan(250);
    await context.addCookies([{ name: "chat_guest", value: written.token, url: service.baseUrl }]);
    const chat = await ChatPage.enter(context, service.baseUrl, "<img src=x onerror=pwned()>");
    await chat.session("All of them").click();
    await chat.last.waitFor();
    expect(await scrollThrough(chat.page)).toBe(hostileTexts.length);
    for (const link of await chat.page.getByRole("link").all()) {
      expect(await link.getAttribute("href")).toMatch(/^(?:https?:\/\/|mailto:|#|\/sessions\/[0-9a-f]{32}\/export\?)/);
    }
    const [title] = await chat.list.getByRole("link").filter({ hasText: "<script>pwned()" }).all();
    await title?.click();
    await expect.poll(() => chat.page.title()).toContain("<script>pwned()");
    expect(faults).toEqual([]);
    expect(violations).toEqual([]);
  }, 60_000);
});

describe("an answer that comes in pieces", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await startTestServer({ page: "built" });
  });

  afterEach(() => server.close());

  test("I5, P17: does no more than one that comes whole, wherever it is cut", async () => {
    const chat = await ChatPage.enter(context, server.url);
    const texts = hostileTexts.filter((text) => text.length < 200 && !text.startsWith("```"));
    await chat.say("Say them");
    for (const text of texts.filter((_, index) => index % 3 === 0)) {
      // In threes, so that tags, addresses and fences are cut everywhere.
      for (const piece of `${text}\n\n`.match(/.{1,3}/gs) ?? []) server.model.say(piece);
    }
    server.model.say("That was all.");
    server.model.finish();
    await chat.answer.getByText("That was all.").waitFor();
    await chat.whole();
    expect(faults).toEqual([]);
    expect(violations).toEqual([]);
  });

  test("I5: of more than 200 KB is shown as it is", async () => {
    const chat = await ChatPage.enter(context, server.url);
    await chat.say("Say much");
    server.model.say("**bold** and\n\n".repeat(16_000));
    server.model.finish();
    await chat.last.getByRole("button", { name: "Answer again" }).waitFor();
    expect(await chat.last.locator(".answer > .plain").innerText()).toContain("**bold** and");
    expect(await chat.last.locator("strong").count()).toBe(0);
    expect(faults).toEqual([]);
  });

  test("B20: a message from another window changes nothing", async () => {
    const chat = await ChatPage.enter(context, server.url);
    await chat.page.evaluate(() => {
      for (const data of ["x", { kind: "signed-out" }, { kind: "snapshot", live: {} }]) window.postMessage(data, "*");
    });
    await chat.page.getByRole("heading", { name: "Hello, TR." }).waitFor();
    expect(faults).toEqual([]);
  });
});
