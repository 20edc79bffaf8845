import { beforeEach, expect, test } from "vitest";
import { capability, silentLog } from "../../test/helpers/storage.ts";
import type { EndedToolCall } from "../observer.ts";
import { Problem } from "../protocol/problems.ts";
import { runCall } from "./tool-run.ts";
import type { Tool, ToolOutcome } from "./tools.ts";

const facts = { access: capability, sessionId: "s", principal: "p", username: "TR", turn: 1, once: "1", earlier: [] };

/** What whoever counts was told in the test. */
let told: EndedToolCall[] = [];
beforeEach(() => {
  told = [];
});

function toolThat(run: Tool["run"]): Tool {
  return { name: "t", description: "", parameters: {}, run, tell: (card) => card };
}

function run(tool: Tool, signal = new AbortController().signal, milliseconds = 10_000) {
  const call = { name: "t", tool, callId: "call00001", given: "{}", facts, milliseconds };
  return runCall(call, signal, { log: silentLog, observer: { toolCalled: (ended) => told.push(ended) } });
}

test("a call that takes too long fails, and is told to let go", async () => {
  let given: AbortSignal | undefined;
  const hanging = toolThat((_, { signal }) => {
    given = signal;
    return new Promise<ToolOutcome>(() => undefined);
  });
  expect(await run(hanging, undefined, 20)).toMatchObject({
    used: { status: "failed", result: { code: "tool_timeout" } },
  });
  expect(given?.aborted).toBe(true);
});

test("a call ends soon after its turn, and none begins behind it", async () => {
  const ending = new AbortController();
  const reason = new Error("stopped");
  const running = run(
    toolThat(() => new Promise<ToolOutcome>(() => undefined)),
    ending.signal,
  );
  ending.abort(reason);
  await expect(running).rejects.toBe(reason);
  await expect(
    run(
      toolThat(async () => ({ card: {}, sources: [] })),
      ending.signal,
    ),
  ).rejects.toBe(reason);
});

test("a card that nobody should have to store fails the call", async () => {
  const card = { words: "x".repeat(32 * 1024) };
  const { used } = await run(toolThat(async () => ({ card, sources: [] })));
  expect(used).toMatchObject({ status: "failed", result: { code: "tool_failed" } });
});

test("whoever counts is told of every call how it went, and of nothing else", async () => {
  const ending = new AbortController();
  await run(toolThat(async () => ({ card: {}, sources: [] })));
  await run(toolThat(() => Promise.reject(new Problem("question_not_open", "The question is not open any more."))));
  await run(toolThat(() => Promise.reject(new Error("a fault of ours"))));
  ending.abort(new Error("stopped"));
  const late = toolThat(async () => ({ card: {}, sources: [] }));
  await run(late, ending.signal).catch(() => undefined);
  expect(told).toEqual(
    ["done", "question_not_open", "tool_failed", "abandoned"].map((outcome) => ({ tool: "t", outcome })),
  );
});
