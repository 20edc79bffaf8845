/** The page for whoever cannot see it, uses no mouse, is made ill by what moves, or has a small screen. */
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { startTestServer, type TestServer } from "../helpers/http-server.ts";
import { axeFindings } from "./axe.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

declare global {
  interface Window {
    readonly counted: { additions: number };
  }
}

let browser: Browser;
let server: TestServer;
let context: BrowserContext;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  server = await startTestServer({ page: "built", isDemo: true });
});

afterEach(async () => {
  await context.close();
  await server.close();
});

async function openContext(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
  // What axe does itself, the page's policy would forbid.
  context = await browser.newContext({ bypassCSP: true, ...options });
  context.setDefaultTimeout(20_000);
  return context;
}

const sample =
  "## Heading\n\nWords, `code`, a [link](https://example.com) and https://example.com/x.\n\n" +
  "| a | b |\n|---|--:|\n| 1 | 2 |\n\n```js\nconst a = 1; // one\n```\n\n- [x] done\n- [ ] to do\n\n> quoted";

describe("axe-core finds nothing serious", () => {
  test.each([
    ["light", 1280, 800],
    ["dark", 1280, 800],
    ["light", 390, 844],
    ["dark", 390, 844],
  ] as const)("in %s at %i × %i, on any screen", async (colorScheme, width, height) => {
    await openContext({ colorScheme, viewport: { width, height }, reducedMotion: "reduce" });
    const isPhone = width < 700;
    const chat = await ChatPage.open(context, server.url);
    const { page } = chat;
    const found: string[] = [];
    const look = async (screen: string) => void found.push(...(await axeFindings(page, screen)));
    await page.getByText("No language model is connected").waitFor();
    await look("start");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("alert").waitFor();
    await look("start, no name");
    await chat.sayName("TR");
    await look("new chat");
    await chat.say("Show everything");
    server.model.say(sample);
    await chat.answer.getByText("quoted").waitFor();
    await look("answering");
    await chat.say("And then?");
    await chat.last.getByText("Waits for the answer").waitFor();
    server.model.finish("length");
    server.model.fail("upstream_auth");
    await chat.last.getByText("The model server is not well.").waitFor();
    await chat.exchanges.first().getByText("the answer is cut").waitFor();
    await chat.exchanges.first().locator(".hljs-keyword").waitFor();
    await look("a cut and a failed answer");
    if (isPhone) await page.getByRole("button", { name: "Your chats", exact: true }).click();
    await chat.session("Show everything").waitFor();
    await look("sessions");
    await page
      .getByRole("button", { name: /^What to do with/ })
      .first()
      .click();
    await page.getByRole("menuitem", { name: "Rename" }).waitFor();
    await look("menu");
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
    await look("deleted");
    await page.getByRole("button", { name: "You", exact: true }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("dialog").waitFor();
    await look("dialog");
    expect(found).toEqual([]);
  });
});

describe("by keyboard alone", () => {
  test("one says who one is, asks, stops, renames and deletes", async () => {
    await openContext();
    const { page } = await ChatPage.open(context, server.url);
    const press = async (...keys: readonly string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    /** Moves on until something of that name has the focus. */
    const tabTo = async (name: RegExp, key = "Tab") => {
      for (let presses = 0; presses < 40; presses += 1) {
        const label = await page.evaluate(() => {
          const { activeElement: element } = document;
          return element?.ariaLabel ?? (element instanceof HTMLElement ? element.innerText : "");
        });
        if (name.test(label)) return;
        await page.keyboard.press(key);
      }
      throw new Error(`Nothing that can be reached is called ${name}`);
    };
    await page.getByLabel("What is your name?").waitFor();
    await page.keyboard.type("TR");
    await press("Enter");
    await page.getByRole("textbox", { name: "Your message" }).waitFor();
    await page.keyboard.type("First line");
    await press("Shift+Enter");
    await page.keyboard.type("second line");
    await press("Enter");
    await page.getByRole("article").getByText("First line second line").waitFor();
    server.model.say("An answer that goes on");
    await page.getByRole("article").getByText("An answer that goes on").waitFor();
    await tabTo(/^Stop the answer$/);
    await press("Enter");
    await page.getByRole("article").getByText("Stopped. What was said stays.").waitFor();
    await tabTo(/^What to do with/, "Shift+Tab");
    await press("Enter");
    await tabTo(/^Rename$/, "ArrowDown");
    await press("Enter");
    await page.getByRole("textbox", { name: "Title" }).waitFor();
    await page.keyboard.type("By hand");
    await press("Enter");
    await page.getByRole("link", { name: "By hand" }).waitFor();
    await tabTo(/^What to do with “By hand”/, "Shift+Tab");
    await press("Enter", "End");
    await tabTo(/^Delete$/, "ArrowUp");
    await press("Enter");
    await page.getByText("Deleted “By hand”.").waitFor();
  });

  test("the sessions of a phone open, take the focus, and close with Escape", async () => {
    await openContext({ viewport: { width: 390, height: 844 } });
    const { page } = await ChatPage.enter(context, server.url);
    const button = page.getByRole("button", { name: "Your chats", exact: true });
    await button.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest("aside") !== null)).toBe(true);
    await page.keyboard.press("Escape");
    await expect.poll(() => button.getAttribute("aria-expanded")).toBe("false");
    await expect.poll(() => page.locator("aside").isVisible()).toBe(false);
  });
});

describe("for who listens", () => {
  test("an answer is said in sentences and with its end, and no token by itself", async () => {
    await openContext();
    const chat = await ChatPage.enter(context, server.url);
    await chat.page.evaluate(() => {
      const counted = { additions: 0 };
      Object.assign(window, { counted });
      const log = document.querySelector("[role=log]");
      if (log === null) throw new Error("There is no live region");
      new MutationObserver((records) => {
        counted.additions += records.reduce((sum, record) => sum + record.addedNodes.length, 0);
      }).observe(log, { childList: true, subtree: true });
    });
    await chat.say("Talk");
    const sentence = "This is a sentence with a number of **words** in it, which is said as one. ";
    for (const word of sentence.repeat(4).match(/\S+\s/g) ?? []) {
      server.model.say(word);
      await chat.page.waitForTimeout(20);
    }
    server.model.finish();
    await chat.whole();
    const log = chat.page.getByRole("log");
    await log.getByText("End of the answer.").waitFor();
    expect(await log.innerText()).toContain("which is said as one.");
    expect(await log.innerText()).not.toContain("**");
    expect(await chat.page.evaluate(() => window.counted.additions)).toBeLessThan(12);
    // What is drawn as it comes is not live itself.
    expect(await chat.page.locator("[aria-live]:not([role=log])").count()).toBe(0);
  });
});

describe("for who wants nothing to move", () => {
  test("nothing does", async () => {
    await openContext({ reducedMotion: "reduce" });
    const chat = await ChatPage.enter(context, server.url);
    await chat.say("Talk");
    await chat.last.getByText("Thinking").waitFor();
    const running = await chat.page.evaluate(() =>
      document.getAnimations().filter((animation) => Number(animation.effect?.getComputedTiming().activeDuration) > 1),
    );
    expect(running).toEqual([]);
  });
});

describe("on a phone", () => {
  test("nothing is wider than the screen, whatever the model says", async () => {
    await openContext({ viewport: { width: 390, height: 844 } });
    const chat = await ChatPage.enter(context, server.url);
    await chat.say("w".repeat(400));
    server.model.say(
      `${"x".repeat(400)}\n\n| ${"column | ".repeat(30)}\n|${"---|".repeat(30)}\n\n\`\`\`\n${"y".repeat(400)}\n\`\`\``,
    );
    server.model.finish();
    await chat.whole();
    const widths = await chat.page.evaluate(() => {
      const scroller = document.querySelector(".scroller");
      return [document.documentElement.scrollWidth, scroller?.scrollWidth];
    });
    expect(widths).toEqual([390, 390]);
  });
});
