import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { maxPayloadBytes } from "../../protocol/chat.ts";
import { estimateTokens } from "../estimate.ts";
import type { TokenCounter } from "../token-counter.ts";
import { openO200kCounter } from "./counter.ts";

/** Milliseconds that no test should come near. */
const patience = 20_000;

const warnings: string[] = [];
const log = { warn: (_: object, message: string) => void warnings.push(message) };

describe("counting with o200k_base", () => {
  const counter = openO200kCounter({ log });
  const count = (...texts: string[]) => counter.count(texts, patience);
  afterAll(() => counter.close());

  test("counts each text as OpenAI's vocabulary has it", async () => {
    expect(await count("Hello world", "", "Hello!")).toEqual({ counts: [2, 0, 2], estimated: false });
  });

  test("takes special tokens for the text that somebody typed", async () => {
    const { counts, estimated } = await count("<|endoftext|>", "<|im_start|>system<|im_end|>");
    expect(estimated).toBe(false);
    for (const each of counts) expect(each).toBeGreaterThan(3);
  });

  test("never counts more tokens than bytes, nor half a character for none", async () => {
    const texts = ["😀", "世界", "👩‍👩‍👧", "\ud83d", "\u0000", "ﷺ", "x".repeat(300), "é".repeat(700)];
    const { counts } = await count(...texts);
    counts.forEach((each, index) => {
      expect(each).toBeGreaterThan(0);
      expect(each).toBeLessThanOrEqual(Buffer.byteLength(texts[index] ?? ""));
    });
  });

  test.each([
    ["spaces", " "],
    ["one letter", "a"],
    ["emoji", "😀"],
    ["CJK", "世界和平"],
    ["line ends", "\n"],
    ["special tokens", "<|endoftext|>"],
  ])("a whole prompt of %s takes little time, and none of the event loop's", async (_, unit) => {
    const text = unit.repeat(maxPayloadBytes / Buffer.byteLength(unit));
    await count("start the thread");
    const delays = monitorEventLoopDelay({ resolution: 5 });
    delays.enable();
    const started = performance.now();
    const { estimated } = await count(text, text);
    const took = performance.now() - started;
    delays.disable();
    expect(estimated).toBe(false);
    // Whole, 64 KiB of spaces take seconds; in slices about a tenth of one.
    expect(took).toBeLessThan(3_000);
    expect(delays.max / 1e6).toBeLessThan(500);
  });

  test("many counts at once each get their own answer", async () => {
    const asked = Array.from({ length: 50 }, (_, index) => count("word ".repeat(index)));
    const found = (await Promise.all(asked)).map(({ counts }) => counts[0]);
    expect(found).toEqual([...found].sort((one, other) => Number(one) - Number(other)));
    expect(new Set(found).size).toBe(50);
  });
});

describe("a counting thread that fails", () => {
  /** Counts letters; dies of one word, is silent at another. */
  const mortal = new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ id, texts }) => {
        if (texts.includes("die")) throw new Error("died");
        if (texts.includes("exit")) process.exit(3);
        if (texts.includes("silence")) return;
        parentPort.postMessage({ id, counts: texts.map((text) => text.length) });
      });
    `)}`,
  );
  const estimate = (...texts: string[]) => ({ counts: texts.map(estimateTokens), estimated: true });

  let opened: TokenCounter | undefined;
  afterEach(async () => {
    await opened?.close();
    warnings.length = 0;
  });

  function open(restartPauseMs: number, thread = mortal): TokenCounter {
    opened = openO200kCounter({ log, thread, restartPauseMs });
    return opened;
  }

  test.each(["die", "exit"])("costs an estimate, is told once, and starts anew for a later count: %s", async (word) => {
    const mortalCounter = open(0);
    expect(await mortalCounter.count(["alive"], patience)).toEqual({ counts: [5], estimated: false });
    const [dying, beside] = await Promise.all([
      mortalCounter.count([word, "a longer text"], patience),
      mortalCounter.count(["beside"], patience),
    ]);
    expect(dying).toEqual(estimate(word, "a longer text"));
    expect(beside).toEqual(estimate("beside"));
    expect(await mortalCounter.count(["alive"], patience)).toEqual({ counts: [5], estimated: false });
    await mortalCounter.count([word], patience);
    expect(warnings).toHaveLength(1);
  });

  test("is left alone for a while", async () => {
    const mortalCounter = open(60_000);
    await mortalCounter.count(["die"], patience);
    expect(await mortalCounter.count(["alive"], patience)).toEqual(estimate("alive"));
  });

  test("that cannot even start costs an estimate", async () => {
    const nothing = open(0, new URL("./no-such-thread.ts", import.meta.url));
    expect(await nothing.count(["Hello"], patience)).toEqual(estimate("Hello"));
    expect(warnings).toHaveLength(1);
  });

  test("or takes too long holds its caller no longer than that one can wait", async () => {
    const mortalCounter = open(0);
    await mortalCounter.count(["alive"], patience);
    expect(await mortalCounter.count(["silence"], 50)).toEqual(estimate("silence"));
    expect(await mortalCounter.count(["no time"], 0)).toEqual(estimate("no time"));
    expect(await mortalCounter.count(["alive"], patience)).toEqual({ counts: [5], estimated: false });
    expect(warnings).toEqual([]);
  });

  test("or is far behind is not given more", async () => {
    const mortalCounter = open(0);
    const behind = mortalCounter.count(["silence", "x".repeat(4 * 1024 * 1024)], patience);
    expect(await mortalCounter.count(["alive"], patience)).toEqual(estimate("alive"));
    await mortalCounter.close();
    expect((await behind).estimated).toBe(true);
  });

  test("a closed counter estimates", async () => {
    const closing = open(0);
    const underWay = closing.count(["silence"], patience);
    await closing.close();
    expect(await underWay).toEqual(estimate("silence"));
    expect(await closing.count(["alive"], patience)).toEqual(estimate("alive"));
    expect(warnings).toEqual([]);
  });
});
