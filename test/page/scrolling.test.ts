/** Where the dialogue stands: at its end while it grows, unless somebody has scrolled back or is to see something else. */
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startBrowser, watchViolations } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { startTestServer } from "../helpers/http-server.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let browser: Browser;
let context: BrowserContext;
let violations: readonly string[];

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext();
  context.setDefaultTimeout(20_000);
  violations = await watchViolations(context);
});

afterEach(async () => {
  await context.close();
  expect(violations).toEqual([]);
});

type Server = Awaited<ReturnType<typeof startTestServer>>;

/** A dialogue with an answer of more paragraphs than the screen has room for, which goes on. */
async function talk(server: Server): Promise<ChatPage> {
  const chat = await ChatPage.enter(context, server.url);
  await chat.say("Talk");
  server.model.say("A paragraph.\n\n".repeat(40));
  await expect.poll(() => chat.answer.locator("p").count()).toBe(40);
  await expect.poll(() => fromEnd(chat)).toBeLessThan(5);
  return chat;
}

/** How far the end of the dialogue is below what is in sight, in CSS pixels. */
function fromEnd({ page }: ChatPage): Promise<number> {
  return page.evaluate(() => {
    const { scrollHeight, scrollTop, clientHeight } = document.querySelector(".scroller") as Element;
    return scrollHeight - scrollTop - clientHeight;
  });
}

/** Until whatever follows from a change of sizes has been drawn. */
async function drawn({ page }: ChatPage): Promise<void> {
  for (let frame = 0; frame < 6; frame += 1) {
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

test("a growing answer is followed, unless somebody has scrolled back, and again when they want", async () => {
  const server = await startTestServer({ page: "built" });
  const chat = await talk(server);
  await chat.page.getByRole("region", { name: "Dialogue" }).hover();
  await chat.page.mouse.wheel(0, -400);
  await expect.poll(() => fromEnd(chat)).toBeGreaterThan(300);
  server.model.say("Another one.\n\n".repeat(40));
  await expect.poll(() => chat.answer.locator("p").count()).toBe(80);
  expect(await fromEnd(chat)).toBeGreaterThan(1_000);
  await chat.page.getByRole("button", { name: "To the newest" }).click();
  await expect.poll(() => fromEnd(chat)).toBeLessThan(5);
  server.model.say("The last one.\n\n".repeat(40));
  await expect.poll(() => chat.answer.locator("p").count()).toBe(120);
  await expect.poll(() => fromEnd(chat)).toBeLessThan(5);
  server.model.finish();
  await chat.whole();
  await server.close();
});

test("what closes while more of something else opens does not take a dialogue away from its end", async () => {
  const server = await startTestServer({ page: "built" });
  const chat = await talk(server);
  server.model.finish();
  await chat.whole();
  await drawn(chat);
  // As on a machine that was busy for a while and then does both at once.
  await chat.page.evaluate(async () => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    const list = document.querySelector(".scroller > ol") as HTMLElement;
    const height = list.getBoundingClientRect().height;
    list.style.height = `${height - 300}px`;
    list.getBoundingClientRect();
    list.style.height = `${height + 200}px`;
  });
  await expect.poll(() => fromEnd(chat)).toBeLessThan(5);
  await drawn(chat);
  expect(await fromEnd(chat)).toBeLessThan(5);
  expect(await chat.page.getByRole("button", { name: "To the newest" }).count()).toBe(0);
  await server.close();
});

test("somebody who scrolls back by script or search has scrolled back, where nothing changes its height", async () => {
  const server = await startTestServer({ page: "built" });
  const chat = await talk(server);
  await drawn(chat);
  await chat.page.evaluate(() => document.querySelector(".scroller")?.scrollBy(0, -500));
  await chat.page.getByRole("button", { name: "To the newest" }).waitFor();
  server.model.say("Another one.\n\n".repeat(40));
  await expect.poll(() => chat.answer.locator("p").count()).toBe(80);
  expect(await fromEnd(chat)).toBeGreaterThan(1_000);
  server.model.finish();
  await chat.whole();
  await server.close();
});

test("a prompt that is edited is in sight, however long its answer", async () => {
  const server = await startTestServer({ page: "built" });
  const chat = await talk(server);
  server.model.finish();
  await chat.whole();
  await chat.last.getByRole("button", { name: "Edit and ask again" }).click();
  await chat.page.getByRole("textbox", { name: "What you said" }).waitFor();
  await drawn(chat);
  const [list, form] = await chat.page.evaluate(() =>
    [".scroller", ".edit-prompt"].map((name) => document.querySelector(name)?.getBoundingClientRect().top),
  );
  expect(form).toBeGreaterThanOrEqual(list ?? Number.NaN);
  await server.close();
});
