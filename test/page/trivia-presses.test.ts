/** What is pressed counts, wherever the list moves meanwhile: the game on the page by mouse, finger and keys. */
import type { Browser, BrowserContext, CDPSession, Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startTestApp } from "../helpers/app.ts";
import { startBrowser, watchViolations } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { isToldResults, triviaHost } from "../helpers/fake-provider/trivia-host.ts";
import { type FakeProvider, startFakeProvider } from "../helpers/fake-provider.ts";
import { answer, beginTrivia, nextWithOptions, questionOf } from "../helpers/played-trivia.ts";
import { type Service, startService } from "../helpers/service.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let service: Service;
let provider: FakeProvider;
let browser: Browser;
let context: BrowserContext;
let violations: readonly string[];

beforeAll(async () => {
  [service, provider, browser] = await Promise.all([
    startService({ DEMO_WORD_DELAY_MS: "1" }),
    startFakeProvider(),
    startBrowser(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await service.end("SIGTERM");
  await provider.close();
});

beforeEach(async () => {
  context = await browser.newContext({ hasTouch: true });
  context.setDefaultTimeout(20_000);
  violations = await watchViolations(context);
});

afterEach(async () => {
  await context.close();
  expect(violations).toEqual([]);
});

type Point = { readonly x: number; readonly y: number };

async function middleOf(locator: Locator): Promise<Point> {
  // It has come to rest.
  await locator.click({ trial: true });
  const box = await locator.boundingBox();
  if (box === null) throw new Error("It is not in sight");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** As an answer that grows, or a card that closes, moves the list. */
async function moveList({ page }: ChatPage, by: number): Promise<void> {
  await page.evaluate((pixels) => document.querySelector(".scroller")?.scrollBy(0, -pixels), by);
}

const touchAt = (devtools: CDPSession, points: readonly Point[]) =>
  devtools.send("Input.dispatchTouchEvent", {
    type: points.length > 0 ? "touchStart" : "touchEnd",
    touchPoints: [...points],
  });

/** A question with options that is not the first one, so that there is something to scroll. */
async function toQuestion(chat: ChatPage): Promise<number> {
  await answer(chat, 1);
  const number = await nextWithOptions(chat, 2);
  await chat.last.getByRole("button", { name: "Answer again" }).waitFor();
  return number;
}

describe("an option that is pressed", () => {
  test.each(["mouse", "finger"] as const)(
    "by a %s is the answer, though the list moves before it is let go",
    async (by) => {
      const chat = await beginTrivia(context, service.baseUrl);
      const number = await toQuestion(chat);
      const option = questionOf(chat, number).locator(".option").nth(1);
      const text = await option.locator("bdi").innerText();
      const point = await middleOf(option);
      const { mouse } = chat.page;
      const devtools = await context.newCDPSession(chat.page);
      if (by === "mouse") {
        await mouse.move(point.x, point.y);
        await mouse.down();
      } else await touchAt(devtools, [point]);
      await moveList(chat, 56);
      await expect.poll(async () => (await option.boundingBox())?.y).toBeGreaterThan(point.y);
      if (by === "mouse") await mouse.up();
      else await touchAt(devtools, []);
      await questionOf(chat, number + 1).waitFor();
      expect(await chat.last.locator(".bubble").innerText()).toBe(`b) ${text}`);
    },
  );

  test("by the other half of a double click, which was meant for what stood there before, answers nothing", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    const number = await toQuestion(chat);
    const card = questionOf(chat, number);
    const options = card.locator(".option");
    await card.getByRole("heading").click();
    const { mouse } = chat.page;
    const point = await middleOf(options.nth(0));
    await mouse.move(point.x, point.y);
    await mouse.down({ clickCount: 2 });
    await mouse.up({ clickCount: 2 });
    const text = await options.nth(1).locator("bdi").innerText();
    await options.nth(1).click();
    await questionOf(chat, number + 1).waitFor();
    expect(await chat.last.locator(".bubble").innerText()).toBe(`b) ${text}`);
  });

  test("and left before it is let go answers nothing", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    const number = await toQuestion(chat);
    const options = questionOf(chat, number).locator(".option");
    const [first, second] = [await middleOf(options.nth(0)), await middleOf(options.nth(1))];
    const { mouse } = chat.page;
    await mouse.move(first.x, first.y);
    await mouse.down();
    await mouse.move(second.x, second.y, { steps: 3 });
    await mouse.up();
    const text = await options.nth(1).locator("bdi").innerText();
    await options.nth(1).click();
    await questionOf(chat, number + 1).waitFor();
    expect(await chat.last.locator(".bubble").innerText()).toBe(`b) ${text}`);
  });
});

test.each([
  ["with room left", 900],
  ["that is full", 400],
])("on a screen %s a question stays where it is when whoever hosts has ended", async (_, height) => {
  const spoken = Promise.withResolvers<void>();
  provider.model("slow-host", async (exchange) => {
    if (!isToldResults(exchange)) return triviaHost(exchange);
    exchange.text("And the host says: well, well.");
    await spoken.promise;
    exchange.complete(9);
  });
  const hosted = await startTestApp({
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_MODEL: "slow-host",
    TRIVIA_MODEL: "off",
  });
  const chat = await ChatPage.enter(context, hosted.baseUrl);
  await chat.page.setViewportSize({ width: 1_280, height });
  await chat.page.getByRole("button", { name: "Play trivia" }).last().click();
  await chat.page.getByRole("button", { name: "Play", exact: true }).click();
  await chat.answer.getByText("And the host says: well, well.").waitFor();
  const help = chat.last.getByRole("button", { name: "Hint" });
  const before = await middleOf(help);
  spoken.resolve();
  await chat.last.getByRole("button", { name: "Answer again" }).waitFor();
  expect(await middleOf(help)).toEqual(before);
  await hosted.close();
});

test("a model that takes no tools: what the cards say is on the page once", async () => {
  provider.model("plain", (exchange) => {
    if (exchange.request.body["tools"] === undefined) exchange.answer(["Just talk."]);
    else exchange.json(400, { error: { message: "plain does not support tools" } });
  });
  const plain = await startTestApp({ OPENAI_BASE_URL: provider.baseUrl, OPENAI_MODEL: "plain", TRIVIA_MODEL: "off" });
  const chat = await beginTrivia(context, plain.baseUrl);
  await answer(chat, 1);
  await chat.last.getByRole("button", { name: "Answer again" }).waitFor();
  await chat.last.getByText("plain", { exact: true }).waitFor();
  expect(await chat.page.locator(".markdown, .answer > .plain").count()).toBe(0);
  // In the history it is, for those who have no cards.
  const history = await (await fetch(`${plain.baseUrl}/chat_history/${chat.sessionId}`)).text();
  expect(history).toContain("**Question 2 of 10**");
  expect(await chat.ask("What is the capital of France?")).toBe("Just talk.");
  await plain.close();
});

test("whoever has begun to type when the next question comes goes on typing", async () => {
  const chat = await beginTrivia(context, service.baseUrl);
  const number = await nextWithOptions(chat, 1);
  const held = Promise.withResolvers<void>();
  await chat.page.route(/\/chat\/[0-9a-f]+$/, async (route) => {
    await held.promise;
    await route.continue();
  });
  await questionOf(chat, number).locator(".option").first().click();
  await chat.field.pressSequentially("No");
  held.resolve();
  await questionOf(chat, number + 1).waitFor();
  await chat.last.getByRole("button", { name: "Answer again" }).waitFor();
  await chat.page.keyboard.type(" 1");
  await expect.poll(() => chat.field.inputValue()).toBe("No 1");
});
