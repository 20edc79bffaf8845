import { expect, test } from "vitest";
import { capability, silentLog } from "../../test/helpers/storage.ts";
import { runCall } from "./tool-run.ts";
import type { Tool, ToolOutcome } from "./tools.ts";

const facts = { access: capability, sessionId: "s", principal: "p", username: "TR", turn: 1, once: "1", earlier: [] };

function toolThat(run: Tool["run"]): Tool {
  return { name: "t", description: "", parameters: {}, run, tell: (card) => card };
}

function run(tool: Tool, signal = new AbortController().signal, milliseconds = 10_000) {
  return runCall({ name: "t", tool, callId: "call00001", given: "{}", facts, milliseconds }, signal, silentLog);
}

test("a call that takes too long fails, and is told to let go", async () => {
  let told: AbortSignal | undefined;
  const hanging = toolThat((_, { signal }) => {
    told = signal;
    return new Promise<ToolOutcome>(() => undefined);
  });
  expect(await run(hanging, undefined, 20)).toMatchObject({
    used: { status: "failed", result: { code: "tool_timeout" } },
  });
  expect(told?.aborted).toBe(true);
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
