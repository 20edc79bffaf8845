/** The game on the page, in a real browser, with the real service: by clicks, by digits, and by typing. */
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startTestApp } from "../helpers/app.ts";
import { startBrowser, watchViolations } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { triviaHost } from "../helpers/fake-provider/trivia-host.ts";
import { startFakeProvider } from "../helpers/fake-provider.ts";
import { answer, beginTrivia, labelOf, nextWithOptions, questionOf } from "../helpers/played-trivia.ts";
import { type Service, startService } from "../helpers/service.ts";
import { axeFindings } from "./axe.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let service: Service;
let browser: Browser;
let context: BrowserContext;
let violations: readonly string[];

beforeAll(async () => {
  [service, browser] = await Promise.all([startService({ DEMO_WORD_DELAY_MS: "1" }), startBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await service.end("SIGTERM");
});

beforeEach(() => openContext());

afterEach(async () => {
  await context.close();
  expect(violations).toEqual([]);
});

async function openContext(options: Parameters<Browser["newContext"]>[0] = {}): Promise<void> {
  context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  violations = await watchViolations(context);
}

/** How far the end of the dialogue is below what is in sight, in CSS pixels. */
function distanceFromEnd({ page }: ChatPage): Promise<number> {
  return page.evaluate(() => {
    const scroller = document.querySelector(".scroller");
    if (scroller === null) throw new Error("There is no dialogue");
    return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  });
}

describe("a round", () => {
  test("of ten questions by clicks: each verdict has its source, and the end sums it up", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    for (let number = 1; number <= 10; number += 1) {
      await answer(chat, number);
      // What comes next is in sight without anybody scrolling there.
      await expect.poll(() => distanceFromEnd(chat)).toBeLessThan(5);
      const verdict = chat.last.getByRole("region", { name: `Question ${number}, decided` });
      await verdict.getByText(/^(?:Right!|Not quite\.)$/).waitFor();
      await verdict.getByRole("link").waitFor();
      const marked = chat.exchanges.nth(-2).locator(".option.right");
      if ((await chat.exchanges.nth(-2).locator(".option").count()) > 0) await marked.waitFor();
      expect(await verdict.locator(".source").innerText()).toMatch(/read on \d{4}-\d\d-\d\d\. .*(?:CC|licen)/i);
    }
    const over = chat.last.getByRole("region", { name: "The round is over" });
    await over.getByText("All questions, with their sources").click();
    expect(await over.locator(".verdict-list li").count()).toBe(10);
    const right = await over.locator(".verdict-list li.right").count();
    await over.getByText(`${right} of 10`).waitFor();
    await over.getByRole("button", { name: "Best players" }).click();
    await chat.page.getByRole("row").filter({ hasText: "TR" }).waitFor();
  });

  test("by digits, wherever the focus is but in the field to type in", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    const focused = () => chat.page.evaluate(() => document.activeElement?.className);
    await expect.poll(focused).toContain("question");
    let number = await nextWithOptions(chat, 1);
    await questionOf(chat, number).focus();
    const second = await questionOf(chat, number).locator(".option").nth(1).locator("bdi").innerText();
    await chat.page.keyboard.press("2");
    await questionOf(chat, number + 1).waitFor();
    // It stands in the dialogue as words, not as a letter that no card shows.
    expect(await chat.last.locator(".bubble").innerText()).toBe(`b) ${second}`);
    // Whoever plays by hand finds the next question under it.
    await expect.poll(focused).toContain("open");
    number = await nextWithOptions(chat, number + 1);
    await chat.field.focus();
    await chat.page.keyboard.type("1");
    await expect.poll(() => chat.field.inputValue()).toBe("1");
    await questionOf(chat, number).waitFor();
    // Of options that are numbers a digit may be none.
    await chat.say("a");
    await questionOf(chat, number + 1).waitFor();
    // Who types goes on typing.
    expect(await chat.page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
  });

  test("by typing alone is the same game, and ordinary talk in between does not answer anything", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.say("Quiz me on Frasier");
    await questionOf(chat, 1).waitFor();
    await chat.say("a");
    await questionOf(chat, 2).waitFor();
    await chat.ask("What is my name?");
    expect(await chat.answer.innerText()).toBe("Your name is TR.");
    await chat.page.locator(".question.open").getByText("Question 2 of 10").waitFor();
    await chat.say("stop the trivia");
    await chat.last.getByText("The game was ended").waitFor();
    expect(await chat.page.locator(".question.open").count()).toBe(0);
  });

  test("with a hint and 50:50, which cost a question but not its place", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    await questionOf(chat, 1).getByRole("button", { name: "Hint" }).click();
    await questionOf(chat, 1)
      .getByText(/^Hint: /)
      .waitFor();
    const halve = questionOf(chat, 1).getByRole("button", { name: "50:50" });
    if (await halve.isVisible()) {
      await halve.click();
      await questionOf(chat, 1).locator(".option.removed").first().waitFor();
      await expect.poll(() => questionOf(chat, 1).locator(".option:enabled").count()).toBe(2);
    }
    expect(await chat.page.locator(".question.open").count()).toBe(1);
  });

  test("goes on after a reload, and in several tabs at once", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    await answer(chat, 1);
    await chat.page.reload();
    await questionOf(chat, 2).waitFor();
    const other = await ChatPage.open(context, chat.page.url());
    await questionOf(other, 2).waitFor();
    await answer(other, 2);
    await questionOf(chat, 3).waitFor();
    expect(await chat.page.locator(".question.open").count()).toBe(1);
  });

  test("a click that another device has overtaken answers no other question", async () => {
    const chat = await beginTrivia(context, service.baseUrl);
    const number = await nextWithOptions(chat, 1);
    const elsewhere = await fetch(`${service.baseUrl}/chat/${chat.sessionId}`, {
      method: "PUT",
      headers: { "content-type": "application/json", accept: "application/json", "if-busy": "queue" },
      body: JSON.stringify({ payload: "b" }),
    });
    expect(elsewhere.status).toBe(200);
    await questionOf(chat, number).locator(".option").first().click();
    await chat.page.getByText("The game has gone on elsewhere.").waitFor();
    await questionOf(chat, number + 1).waitFor();
    const history = await (await fetch(`${service.baseUrl}/chat_history/${chat.sessionId}`)).json();
    const { message_history: messages } = history as { message_history: { role: string; content: string }[] };
    expect(messages.filter(({ role }) => role === "user").map(({ content }) => content)).not.toContainEqual(
      expect.stringMatching(/^a\b/),
    );
  });

  test("of the day is played once, and who wants it twice is told so", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    const choose = async () => {
      await chat.page.getByRole("button", { name: "Play trivia" }).last().click();
      await chat.page.getByRole("button", { name: "Quiz of the day" }).click();
    };
    await choose();
    await questionOf(chat, 1).getByText("daily quiz").waitFor();
    await answer(chat, 1);
    await chat.page.getByRole("button", { name: "New chat" }).click();
    await choose();
    await chat.answer.getByText("already").waitFor();
    await chat.whole();
    expect(await chat.last.locator(".mark").count()).toBe(0);
    expect(await chat.page.locator(".question").count()).toBe(0);
  });

  test("of a show that nobody knows is said not to be there", async () => {
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.say("Quiz me on The Wire");
    await chat.whole();
    expect(await chat.answer.innerText()).toContain("Known are: 3rd Rock from the Sun");
    expect(await chat.page.locator(".question").count()).toBe(0);
  });
});

describe("with a model that hosts", () => {
  test("its words are shown with the cards, and it is the same game", async () => {
    const provider = await startFakeProvider();
    provider.model("host", triviaHost);
    const hosted = await startTestApp({
      OPENAI_BASE_URL: provider.baseUrl,
      OPENAI_MODEL: "host",
      TRIVIA_MODEL: "off",
    });
    const chat = await ChatPage.enter(context, hosted.baseUrl);
    await chat.page.getByRole("button", { name: "Play trivia" }).last().click();
    await chat.page.getByRole("button", { name: "Play", exact: true }).click();
    const open = (number: number) => chat.last.locator(".question.open").filter({ hasText: `Question ${number} of 2` });
    for (const number of [1, 2]) {
      await open(number).waitFor();
      // New words, and the same move.
      await chat.last.getByRole("button", { name: "Answer again" }).click();
      await chat.last.getByText("Thinking").or(chat.page.getByText("Sending")).first().waitFor({ state: "hidden" });
      await open(number).waitFor();
      expect(await chat.page.locator(".question.open").count()).toBe(1);
      await chat.answer.getByText("And the host says:").waitFor();
      if ((await open(number).locator(".option").count()) > 0) await open(number).locator(".option").first().click();
      else await chat.say("a");
    }
    await chat.last.getByText("The round is over").waitFor();
    await chat.answer.getByText("And the host says:").waitFor();
    await hosted.close();
    await provider.close();
  });
});

describe("for everybody", () => {
  test.each([
    ["light", 1280, 800],
    ["dark", 390, 844],
  ] as const)(
    "axe-core finds nothing serious in %s at %i × %i, and nothing is wider than the screen",
    async (colorScheme, width, height) => {
      await context.close();
      // What axe does itself, the page's policy would forbid.
      await openContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce", bypassCSP: true });
      const found: string[] = [];
      const chat = await ChatPage.enter(context, service.baseUrl);
      await chat.page.getByRole("button", { name: "Play trivia" }).last().click();
      await chat.page.getByRole("heading", { name: "Best players" }).waitFor();
      await labelOf(chat, "Seinfeld");
      const widths = await chat.page.evaluate(() => {
        const dialog = document.querySelector("dialog[open]");
        return [dialog?.scrollWidth, dialog?.clientWidth];
      });
      expect(widths[0]).toBe(widths[1]);
      found.push(...(await axeFindings(chat.page, "choosing")));
      await chat.page.getByRole("button", { name: "Play", exact: true }).click();
      await questionOf(chat, 1).waitFor();
      found.push(...(await axeFindings(chat.page, "a question")));
      await answer(chat, 1);
      await questionOf(chat, 2).getByRole("button", { name: "Hint" }).click();
      await questionOf(chat, 2)
        .getByText(/^Hint: /)
        .waitFor();
      found.push(...(await axeFindings(chat.page, "a verdict and a hint")));
      await questionOf(chat, 2).getByRole("button", { name: "End the game" }).click();
      await chat.last.getByText("The game was ended").waitFor();
      found.push(...(await axeFindings(chat.page, "the end")));
      expect(found).toEqual([]);
      expect(await chat.page.evaluate(() => document.querySelector(".scroller")?.scrollWidth)).toBeLessThanOrEqual(
        width,
      );
    },
  );
});
