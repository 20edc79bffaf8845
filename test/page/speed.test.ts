/** What the page costs: to load, to watch, to scroll. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser } from "../helpers/browser.ts";
import { ChatPage } from "../helpers/chat-page.ts";
import { writeDialogues } from "../helpers/dialogues.ts";
import { startTestServer, type TestServer } from "../helpers/http-server.ts";
import { type Service, startService } from "../helpers/service.ts";

// A browser on a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

declare global {
  interface Window {
    /** How long each frame took, in ms. */
    readonly timedFrames: number[];
    /** How often the newest answer was drawn anew. */
    readonly changes: { count: number };
  }
}

const built = path.join(import.meta.dirname, "../../web/dist");

describe("what is loaded", () => {
  test("first is less than 100 KB of compressed script; reading Markdown and colouring code come later", async () => {
    const index = await readFile(path.join(built, "index.html"), "utf8");
    const scripts = [...index.matchAll(/(?:src|href)="\/(?<name>assets\/[^"]+\.js)"/g)];
    const sizes = await Promise.all(
      scripts.map(async (script) => (await readFile(path.join(built, `${script.groups?.["name"]}.gz`))).length),
    );
    expect(sizes.length).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(100_000);
    const names = await readdir(path.join(built, "assets"));
    for (const later of [/^markdown-.*\.js$/, /^highlight-.*\.js$/, /^python-.*\.js$/]) {
      const name = names.find((candidate) => later.test(candidate));
      expect(name).toBeDefined();
      expect(index).not.toContain(name);
    }
  });

  test("I10: nothing of it holds a key, and no script makes HTML, code or policies", async () => {
    const names = (await readdir(built, { recursive: true })).filter((name) => /\.(?:js|html|css)$/.test(name));
    for (const name of names) {
      const text = await readFile(path.join(built, name), "utf8");
      expect(text, name).not.toMatch(/\bsk-[A-Za-z0-9]{8}|guest_[\w-]{20}|OPENAI_API_KEY=/);
      expect(text, name).not.toMatch(/\beval\(|new Function\(|createPolicy\(|document\.write\(|insertAdjacentHTML/);
      // Files of a page that is served by others would tell them who reads it.
      expect(text.match(/\b(?:src|href)="https?:[^"]*"/g) ?? [], name).toEqual([]);
    }
  });
});

let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(20_000);
});

afterEach(() => context.close());

/** Measures every frame from now on. */
async function countFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const timedFrames: number[] = [];
    Object.assign(window, { timedFrames });
    let last = performance.now();
    const frame = (now: number) => {
      timedFrames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

async function frameTimes(page: Page): Promise<{ p50: number; p95: number; longest: number; count: number }> {
  const frames = (await page.evaluate(() => window.timedFrames)).sort((one, other) => one - other);
  const at = (share: number) => Math.round(frames[Math.floor(frames.length * share)] ?? 0);
  return { p50: at(0.5), p95: at(0.95), longest: Math.round(frames.at(-1) ?? 0), count: frames.length };
}

type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Time of the processor, in µs. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
};

/** How long the longest task of the page's thread kept the processor, in ms. */
function longestWorkIn(trace: Buffer): number {
  const { traceEvents: events } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const threads = events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const isOfPage = ({ pid, tid }: TraceEvent) => threads.some((thread) => thread.pid === pid && thread.tid === tid);
  const tasks = events.filter((event) => event.ph === "X" && event.tdur !== undefined && isOfPage(event));
  expect(tasks.length).toBeGreaterThan(100);
  return Math.round(Math.max(...tasks.map(({ tdur = 0 }) => tdur)) / 1_000);
}

/** Tells how long the page's thread has worked since this was called, in seconds. */
async function watchWork(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const read = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  const before = await read();
  return async () => (await read()) - before;
}

async function countChanges(page: Page): Promise<void> {
  await page.evaluate(() => {
    const changes = { count: 0 };
    Object.assign(window, { changes });
    const answer = [...document.querySelectorAll(".answer")].at(-1);
    if (answer === undefined) throw new Error("There is no answer");
    const observer = new MutationObserver(() => {
      changes.count += 1;
    });
    observer.observe(answer, { childList: true, characterData: true, subtree: true });
  });
}

const paragraph = "A paragraph of **some** words with `code`, a [link](https://example.com) and more of them. ".repeat(
  3,
);

function manyBlocks(length: number): string {
  const block = `${paragraph}\n\n- an item\n- and another\n\n\`\`\`js\nconst a = "b"; // c\n\`\`\`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`;
  return block.repeat(Math.ceil(length / block.length)).slice(0, length);
}

describe("while an answer streams", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await startTestServer({ page: "built" });
  });

  afterEach(() => server.close());

  /** Says a text at a speed; resolves when it was said. */
  async function sayAtSpeed(text: string, tokensPerSecond: number): Promise<void> {
    const tokens = text.match(/\S+\s*|\s+/g) ?? [];
    const started = performance.now();
    for (let said = 0; said < tokens.length; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const due = Math.min(tokens.length, Math.floor(((performance.now() - started) / 1_000) * tokensPerSecond));
      for (; said < due; said += 1) server.model.say(tokens[said] ?? "");
    }
  }

  test("at 200 tokens a second, frames stay short", async ({ annotate }) => {
    const chat = await ChatPage.enter(context, server.url);
    await chat.say("Talk");
    server.model.say("Words. ");
    await chat.answer.getByText("Words.").waitFor();
    await countFrames(chat.page);
    await browser.startTracing(chat.page, { categories: ["toplevel"] });
    await sayAtSpeed(manyBlocks(4_000), 200);
    const times = await frameTimes(chat.page);
    const longestWork = longestWorkIn(await browser.stopTracing());
    server.model.finish();
    await chat.whole();
    await annotate(`frames at 200 tokens a second: ${JSON.stringify({ ...times, longestWork })}`);
    expect(times.count).toBeGreaterThan(50);
    // Frames also wait for whatever else the machine does; this is what the page itself has to do between two of them.
    expect(longestWork).toBeLessThan(50);
    // Half of what a frame may take on a machine that does nothing else, as this one does much.
    expect(times.p50).toBeLessThan(50);
    expect(times.p95).toBeLessThan(150);
  });

  test("drawing one more word costs the same late in a long answer as early", async ({ annotate }) => {
    const chat = await ChatPage.enter(context, server.url);
    const text = manyBlocks(150_000);
    /** Says a part of the text slowly; how much work each change of the page was, in ms. */
    const workAChange = async (from: number) => {
      const workOf = await watchWork(chat.page);
      await countChanges(chat.page);
      await sayAtSpeed(text.slice(from, from + 2_500), 200);
      return ((await workOf()) * 1_000) / (await chat.page.evaluate(() => window.changes.count));
    };
    await chat.say("Talk");
    server.model.say(text.slice(0, 5_000));
    await chat.answer.locator("table").nth(2).waitFor();
    const early = await workAChange(5_000);
    server.model.say(text.slice(7_500, 145_000));
    await chat.answer.locator("table").nth(200).waitFor();
    const late = await workAChange(145_000);
    server.model.finish();
    await chat.whole();
    await annotate(`work for a change of the page at 5 KB: ${early.toFixed(1)} ms, at 145 KB: ${late.toFixed(1)} ms`);
    // Thirty times as much text: what draws all of it each time takes many times as long.
    expect(late / early).toBeLessThan(5);
  });
});

describe("a dialogue of 10,000 messages", () => {
  let directory: string;
  let service: Service;
  let written: Awaited<ReturnType<typeof writeDialogues>>;
  const turns = 5_000;

  beforeAll(async () => {
    // In memory where that is possible: the service syncs each of the turns to the disk.
    directory = await mkdtemp(path.join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "chat-page-"));
    const held = Array.from({ length: turns }, (_, index) => ({
      prompt: `Question ${index + 1}`,
      answer: `Answer ${index + 1}. ${paragraph}\n\n- one\n- two`,
    }));
    written = await writeDialogues(`${directory}/chat.db`, "TR", [{ title: "Long", turns: held }]);
    service = await startService({ STORAGE_URL: `sqlite:${directory}/chat.db` });
  }, 120_000);

  afterAll(async () => {
    await service.end("SIGTERM");
    await rm(directory, { recursive: true });
  });

  test("opens at its end at once, scrolls smoothly, and never has more than what is in sight", async ({ annotate }) => {
    await context.addCookies([{ name: "chat_guest", value: written.token, url: service.baseUrl }]);
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.session("Long").click();
    await chat.page.getByText(`Answer ${turns}.`).waitFor();
    await countFrames(chat.page);
    const scroller = chat.page.getByRole("region", { name: "Dialogue" });
    const box = await scroller.boundingBox();
    await chat.page.mouse.move((box?.x ?? 0) + 300, (box?.y ?? 0) + 300);
    let most = 0;
    const topTurn = async () => Number((await chat.exchanges.first().getAttribute("aria-label"))?.slice(5));
    const passed = [await topTurn()];
    for (let wheel = 0; wheel < 60; wheel += 1) {
      await chat.page.mouse.wheel(0, -1_500);
      await chat.page.evaluate(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      );
      most = Math.max(most, await chat.exchanges.count());
      passed.push(await topTurn());
    }
    const times = await frameTimes(chat.page);
    await annotate(
      `scrolling 10,000 messages: ${JSON.stringify({ ...times, most, from: passed[0], to: passed.at(-1) })}`,
    );
    expect(passed.at(-1)).toBeLessThan(turns - 100);
    // Nothing jumps: each step of the wheel leads further back.
    expect(passed).toEqual([...passed].sort((one, other) => other - one));
    expect(most).toBeLessThan(60);
    expect(times.p50).toBeLessThan(50);
  });

  test("leads to a turn that was found far back", async () => {
    await context.addCookies([{ name: "chat_guest", value: written.token, url: service.baseUrl }]);
    const chat = await ChatPage.enter(context, service.baseUrl);
    await chat.page.getByRole("searchbox", { name: "Search your chats" }).fill("Question 1717");
    await chat.page.getByRole("navigation", { name: "Found" }).locator("a.result").first().click();
    await chat.page.getByRole("article", { name: "Turn 1717", exact: true }).getByText("Answer 1717.").waitFor();
    await expect
      .poll(() => chat.page.getByRole("article", { name: "Turn 1717", exact: true }).boundingBox())
      .toMatchObject({ y: expect.closeTo(46, -2) });
  });
});
