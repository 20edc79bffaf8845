/** What a person can do on the page, done in a real browser with the real service. */
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser, watchViolations } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { type Service, startService } from "../helpers/service.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let service: Service;
/** Says its words so slowly that there is time to do something meanwhile. */
let slowService: Service;
let browser: Browser;
let context: BrowserContext;
let violations: readonly string[];

beforeAll(async () => {
  [service, slowService, browser] = await Promise.all([
    startService({ DEMO_WORD_DELAY_MS: "1" }),
    startService({ DEMO_WORD_DELAY_MS: "12" }),
    startBrowser(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await Promise.all([service.end("SIGTERM"), slowService.end("SIGTERM")]);
});

beforeEach(async () => {
  context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(20_000);
  violations = await watchViolations(context);
});

afterEach(async () => {
  await context.close();
  expect(violations).toEqual([]);
});

describe("the first minutes", () => {
  test("somebody who knows nothing says who they are, asks, and is answered", async () => {
    const chat = await ChatPage.open(context, service.baseUrl);
    await chat.page.getByRole("button", { name: "Start" }).click();
    await expect.poll(() => chat.page.getByRole("alert").innerText()).toMatch(/one is needed/);
    expect(await chat.page.evaluate(() => document.activeElement?.id)).toBe("username");
    await chat.sayName("TR");
    expect(await chat.ask("Hello! What is your name?")).toMatch(/^Hello TR! My name is Demo/);
    await chat.session("Hello! What is your name?").waitFor();
    expect(await chat.page.title()).toBe("Hello! What is your name? · Chat");
    expect(await chat.ask("What is my name?")).toBe("Your name is TR.");
    expect(await chat.list.getByRole("link").count()).toBe(1);
  });

  test("the demo says what it is, before the first question, above the dialogue and under each answer", async () => {
    const chat = await ChatPage.open(context, service.baseUrl);
    await chat.page.getByText("No language model is connected").waitFor();
    await chat.sayName("TR");
    await chat.page.getByText("Demo, not a language model").waitFor();
    await chat.ask("Hello!");
    await chat.last.getByText("demo, no language model").waitFor();
  });

  test("the name is remembered, and nothing that opens a session is kept where script can read it", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl, "Ada");
    await chat.ask("Hello!");
    const again = await ChatPage.open(context, service.baseUrl);
    await again.page.getByRole("heading", { name: "Hello, Ada." }).waitFor();
    await again.session("Hello!").waitFor();
    const kept = await again.page.evaluate(() =>
      JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }]),
    );
    expect(kept).toBe('["",{"username":"Ada"},{}]');
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
  });

  test("one signs out, and the browser is nobody's, in its other tabs as well", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Hello!");
    const other = await ChatPage.open(context, service.baseUrl);
    await other.session("Hello!").waitFor();
    await chat.page.getByRole("button", { name: "You", exact: true }).click();
    await chat.page.getByRole("menuitem", { name: "Sign out" }).click();
    await chat.page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
    for (const { page } of [chat, other]) await page.getByLabel("What is your name?").waitFor();
    expect(await context.cookies()).toEqual([]);
    await chat.sayName("TR");
    await chat.page.getByText("Your chats will be here.").waitFor();
  });
});

describe("an answer", () => {
  test("streams as Markdown, with a table, a list and coloured code that can be copied", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Show Markdown");
    expect(await chat.answer.getByRole("cell").allInnerTexts()).toContain("Observatory");
    expect(await chat.answer.locator("ol > li > ul > li").count()).toBe(2);
    await chat.answer.locator("pre .hljs-keyword").first().waitFor();
    await chat.answer.getByRole("button", { name: "Copy code" }).click();
    await chat.answer.getByRole("button", { name: "Copied" }).waitFor();
    expect(await chat.page.evaluate(() => navigator.clipboard.readText())).toMatch(/^def greet\(name: str\)/);
  });

  test("is copied as it was written", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Show Markdown");
    await chat.last.getByRole("button", { name: "Copy this answer" }).click();
    await chat.last.getByRole("button", { name: "Copied" }).waitFor();
    expect(await chat.page.evaluate(() => navigator.clipboard.readText())).toContain("| Harbour | A | 4 |");
  });

  test("is stopped, keeps what was said, and goes on when asked to", async () => {
    const chat = await ChatPage.enter(context, slowService.baseUrl);
    await chat.say("Tell me a story");
    await chat.answer.getByText("quiet rack").waitFor();
    await chat.last.getByRole("button", { name: "Stop this answer" }).click();
    await chat.last.getByText("Stopped. What was said stays.").waitFor();
    const said = await chat.whole();
    expect(said).toContain("quiet rack");
    expect(said).not.toContain("the last one of the day");
    await chat.last.getByRole("button", { name: "Continue" }).click();
    await chat.answer.getByText("the last one of the day").waitFor();
    expect((await chat.whole()).startsWith(said)).toBe(true);
    expect(await chat.exchanges.count()).toBe(1);
    await chat.page.reload();
    expect((await chat.whole()).startsWith(said)).toBe(true);
  });

  test("is given again, in the place of the old one", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    await chat.ask("Green trains");
    await chat.last.getByRole("button", { name: "Answer again" }).click();
    await chat.last.getByRole("button", { name: "Answer again", disabled: false }).waitFor();
    await expect.poll(() => chat.exchanges.count()).toBe(2);
    await chat.page.reload();
    await chat.whole();
    expect(await chat.exchanges.count()).toBe(2);
  });

  test("is given to the last prompt in other words, which takes the place of the old one", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    await chat.last.hover();
    await chat.last.getByRole("button", { name: "Edit and ask again" }).click();
    const field = chat.page.getByRole("textbox", { name: "What you said" });
    expect(await field.inputValue()).toBe("Blue trains");
    await field.fill("Red trains");
    await field.press("Enter");
    await chat.answer.getByText("“Red trains”").waitFor();
    await chat.whole();
    expect(await chat.exchanges.count()).toBe(1);
    await chat.page.reload();
    await chat.answer.getByText("“Red trains”").waitFor();
    expect(await chat.exchanges.getByText("Blue trains").count()).toBe(0);
  });

  test("waits for the one before it, or is taken back before it begins", async () => {
    const chat = await ChatPage.enter(context, slowService.baseUrl);
    await chat.say("Tell me a story");
    await chat.answer.getByText("Once upon").waitFor();
    await chat.say("What is my name?");
    await chat.last.getByText("Waits for the answer before it.").waitFor();
    await chat.say("Never mind");
    await expect.poll(() => chat.exchanges.count()).toBe(3);
    await chat.last.getByRole("button", { name: "Do not ask this" }).click();
    await chat.last.getByText("Stopped before anything was said.").waitFor();
    await chat.exchanges.nth(1).getByText("Your name is TR.").waitFor();
    await chat.exchanges.first().getByText("the last one of the day").waitFor();
  });

  test("a link of the model's is shown with its host, and asked about once", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Show Markdown");
    const link = chat.answer.getByRole("link", { name: "link (commonmark.org)" });
    expect(await link.getAttribute("rel")).toBe("noopener noreferrer nofollow");
    await link.click();
    const dialog = chat.page.getByRole("dialog");
    expect(await dialog.innerText()).toContain("https://commonmark.org/");
    await dialog.getByRole("button", { name: "Stay here" }).click();
    expect(context.pages()).toHaveLength(1);
    await link.click();
    const opened = context.waitForEvent("page");
    await dialog.getByRole("link", { name: "Open commonmark.org" }).click();
    await (await opened).close();
    const openedAgain = context.waitForEvent("page");
    await link.click();
    await (await openedAgain).close();
  });
});

describe("one's sessions", () => {
  test("are listed newest first, renamed, pinned and gone back to", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    await chat.page.getByRole("button", { name: "New chat" }).click();
    await chat.ask("Green trains");
    await expect.poll(() => chat.list.getByRole("link").allInnerTexts()).toEqual(["Green trains", "Blue trains"]);
    await chat.choose("Blue trains", "Rename");
    await chat.page.getByRole("textbox", { name: "Title" }).fill("Old plans");
    await chat.page.keyboard.press("Enter");
    await chat.choose("Old plans", "Pin");
    await expect.poll(() => chat.list.getByRole("link").allInnerTexts()).toEqual(["Old plans", "Green trains"]);
    await chat.page.reload();
    await expect.poll(() => chat.list.getByRole("link").allInnerTexts()).toEqual(["Old plans", "Green trains"]);
    await chat.session("Old plans").click();
    await chat.answer.getByText("“Blue trains”").waitFor();
    await chat.page.goBack();
    await chat.answer.getByText("“Green trains”").waitFor();
  });

  test("are deleted, unless that is taken back in time", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    const { sessionId } = chat;
    const isThere = async () => (await fetch(`${service.baseUrl}/sessions/${sessionId}`)).ok;
    await chat.choose("Blue trains", "Delete");
    await chat.page.getByRole("heading", { name: "Hello, TR." }).waitFor();
    expect(await chat.list.getByRole("link").count()).toBe(0);
    await chat.page.getByRole("button", { name: "Undo" }).click();
    await chat.session("Blue trains").waitFor();
    expect(await isThere()).toBe(true);
    await chat.page.clock.install();
    await chat.choose("Blue trains", "Delete");
    await chat.page.getByText("Deleted “Blue trains”.").waitFor();
    await chat.page.clock.fastForward(6_000);
    expect(await isThere()).toBe(true);
    await chat.page.clock.fastForward(2_000);
    await expect.poll(isThere, { timeout: 15_000, interval: 250 }).toBe(false);
  });

  test("are deleted also where the page is closed before the time is over", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    const { sessionId } = chat;
    await chat.choose("Blue trains", "Delete");
    await chat.page.getByText("Deleted “Blue trains”.").waitFor();
    await chat.page.close({ runBeforeUnload: false });
    await expect.poll(async () => (await fetch(`${service.baseUrl}/sessions/${sessionId}`)).status).toBe(404);
  });

  test("are deleted also where the page dies before the time is over, by the next one, which offers to take it back", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    const { sessionId } = chat;
    await chat.choose("Blue trains", "Delete");
    await chat.page.getByText("Deleted “Blue trains”.").waitFor();
    const crashed = chat.page.waitForEvent("crash");
    await chat.page.goto("chrome://crash").catch(() => undefined);
    await crashed;
    expect((await fetch(`${service.baseUrl}/sessions/${sessionId}`)).status).toBe(200);
    const next = await ChatPage.open(context, service.baseUrl);
    await next.page.getByRole("button", { name: "Undo" }).waitFor();
    await next.page.getByText("Your chats will be here.").waitFor();
    await next.page.close({ runBeforeUnload: false });
    await expect.poll(async () => (await fetch(`${service.baseUrl}/sessions/${sessionId}`)).status).toBe(404);
  });

  test("are found by what was said in them", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    await chat.page.getByRole("button", { name: "New chat" }).click();
    await chat.ask("Something about lighthouses");
    await chat.page.getByRole("searchbox", { name: "Search your chats" }).fill("train");
    const found = chat.page.getByRole("navigation", { name: "Found" });
    await found.locator("mark").first().waitFor();
    await found.locator("a.result").first().click();
    await chat.answer.getByText("“Blue trains”").waitFor();
    await chat.page.getByRole("searchbox", { name: "Search your chats" }).fill("zeppelin");
    await found.getByText("No message matches.").waitFor();
  });

  test("are exported as a file", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    const downloading = chat.page.waitForEvent("download");
    await chat.choose("Blue trains", "Export as Markdown");
    const file = await (await downloading).path();
    expect(await readFile(file, "utf8")).toContain("Blue trains");
  });

  test("of another name are not mixed with these", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.ask("Blue trains");
    await chat.page.getByRole("button", { name: "You", exact: true }).click();
    await chat.page.getByRole("menuitem", { name: "Use another name" }).click();
    await chat.sayName("Ada");
    await chat.page.getByText("Your chats will be here.").waitFor();
  });

  test("I14: an address that names none opens none", async () => {
    await ChatPage.enter(context, service.baseUrl);
    for (const fragment of ["#<img src=x>", "#javascript:alert(1)", `#${"A".repeat(32)}`, "#../../x"]) {
      const chat = await ChatPage.open(context, `${service.baseUrl}/${fragment}`);
      await chat.page.getByRole("heading", { name: "Hello, TR." }).waitFor();
      await chat.page.close();
    }
    const chat = await ChatPage.open(context, `${service.baseUrl}/#${"0".repeat(32)}`);
    await chat.page.getByText("This chat cannot be shown").waitFor();
    await chat.page.getByText("It may have been deleted").waitFor();
  });
});
