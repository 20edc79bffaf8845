/** Signing in on the page where a key or an access token is needed, in a real browser. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openKeys } from "../../src/commands/open-keys.ts";
import { loadConfig } from "../../src/config.ts";
import { startBrowser, watchViolations } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { addKey, type ModeService, startMode } from "../helpers/modes.ts";
import { axeFindings } from "./axe.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

let browser: Browser;
let context: BrowserContext;
let violations: readonly string[];
let service: ModeService;

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

const tokenOf = (name: "owner" | "other" | "unknown") =>
  service.caller(name).headers["authorization"]?.replace("Bearer ", "") ?? "";

/** All that script of the page could find of what was typed into it. */
function kept(page: Page): Promise<string> {
  return page.evaluate(() =>
    JSON.stringify([
      document.cookie,
      { ...localStorage },
      { ...sessionStorage },
      location.href,
      document.documentElement.outerHTML,
      [...document.querySelectorAll("input")].map(({ value }) => value),
    ]),
  );
}

async function signOut({ page }: ChatPage): Promise<void> {
  await page.getByRole("button", { name: "You", exact: true }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
}

describe("with a key", () => {
  beforeAll(async () => {
    service = await startMode("keys");
  });

  afterAll(() => service.close());

  async function signIn(key: string, name = "alice"): Promise<ChatPage> {
    const chat = await ChatPage.open(context, service.baseUrl);
    await chat.page.getByLabel("What is your name?").fill(name);
    await chat.page.getByLabel("Your key").fill(key);
    await chat.page.getByRole("button", { name: "Start" }).click();
    return chat;
  }

  test("I10: one signs in, chats, and is known after a reload; script finds the key nowhere", async () => {
    const chat = await signIn(tokenOf("owner"));
    await chat.ask("Hello!");
    await chat.page.reload();
    await chat.session("Hello!").waitFor();
    await chat.ask("And once more");
    expect(await kept(chat.page)).not.toContain(tokenOf("owner"));
    expect(await context.cookies()).toMatchObject([{ name: "chat_login", httpOnly: true, sameSite: "Lax" }]);
    await chat.page.getByRole("button", { name: "You", exact: true }).click();
    await chat.page.getByRole("menuitem", { name: "Use another name" }).click();
    await chat.sayName("bob");
    await chat.page.getByText("Your chats will be here.").waitFor();
  });

  test("a key that is none, or nothing, is said to be so, and what was typed stays", async () => {
    const chat = await signIn("two words");
    await chat.page.getByRole("alert").getByText("That is none").waitFor();
    await chat.page.getByLabel("Your key").fill(tokenOf("unknown"));
    await chat.page.getByRole("button", { name: "Start" }).click();
    await chat.page.getByRole("alert").getByText("The key is not valid.").waitFor();
    expect(await chat.page.getByLabel("What is your name?").inputValue()).toBe("alice");
    expect(await context.cookies()).toEqual([]);
  });

  test("is offered only where a key cannot be read on its way", async () => {
    await context.addInitScript(() => Object.defineProperty(window, "isSecureContext", { value: false }));
    const chat = await ChatPage.open(context, service.baseUrl);
    await chat.page.getByRole("alert").getByText("Open the page by https.").waitFor();
    expect(await chat.page.getByRole("textbox").count()).toBe(0);
    expect(await chat.page.getByLabel("Your key").count()).toBe(0);
  });

  test.each(["light", "dark"] as const)(
    "axe-core finds nothing serious where one signs in, in %s",
    async (colorScheme) => {
      await context.close();
      // What axe does itself, the page's policy would forbid.
      context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 844 }, bypassCSP: true });
      const chat = await signIn("two words");
      await chat.page.getByRole("alert").waitFor();
      expect(await axeFindings(chat.page, "signing in")).toEqual([]);
    },
  );

  test("I12: signing out forgets the key in all tabs, and the chats are there for whoever has it", async () => {
    const chat = await signIn(tokenOf("owner"));
    await chat.ask("Lighthouses");
    const other = await ChatPage.open(context, service.baseUrl);
    await other.session("Lighthouses").waitFor();
    await signOut(chat);
    for (const { page } of [chat, other]) await page.getByLabel("Your key").waitFor();
    expect(await context.cookies()).toEqual([]);
    const again = await signIn(tokenOf("owner"));
    await again.session("Lighthouses").waitFor();
    await signOut(again);
    const stranger = await signIn(tokenOf("other"));
    await stranger.page.getByText("Your chats will be here.").waitFor();
  });

  test("I13: a key that is revoked is asked for anew; what was typed is sent with the next one, once", async () => {
    const beside = await openKeys(loadConfig({ environment: { AUTH: "keys", STORAGE_URL: service.storageUrl } }));
    const key = await addKey(beside.keys, {});
    const chat = await signIn(key.secret);
    await chat.ask("Before");
    await beside.keys.revoke(key.id);
    await beside.close();
    await chat.say("Blue trains");
    await chat.page.getByLabel("Your key").fill(tokenOf("owner"));
    expect(await chat.page.getByLabel("What is your name?").inputValue()).toBe("alice");
    await chat.page.getByRole("button", { name: "Start" }).click();
    await chat.answer.getByText("Blue trains").waitFor();
    await chat.whole();
    const response = await fetch(`${service.baseUrl}/sessions/${chat.sessionId}`, {
      headers: service.caller("owner").headers,
    });
    expect(await response.json()).toMatchObject({ turns: 2 });
  });
});

describe("with an access token", () => {
  beforeAll(async () => {
    service = await startMode("jwt");
  });

  afterAll(() => service.close());

  test("I10: it says who one is, also after the page has forgotten; there is no other name to use", async () => {
    const chat = await ChatPage.open(context, service.baseUrl);
    await chat.page.getByLabel("Your access token").fill(tokenOf("owner"));
    expect(await chat.page.getByLabel("What is your name?").count()).toBe(0);
    await chat.page.getByRole("button", { name: "Start" }).click();
    await chat.page.getByRole("heading", { name: "Hello, alice." }).waitFor();
    await chat.ask("Hello!");
    expect(await kept(chat.page)).not.toContain(tokenOf("owner"));
    await chat.page.evaluate(() => localStorage.clear());
    await chat.page.reload();
    await chat.session("Hello!").waitFor();
    await chat.page.getByRole("button", { name: "You", exact: true }).click();
    await chat.page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    expect(await chat.page.getByRole("menuitem", { name: "Use another name" }).count()).toBe(0);
  });
});
