import { expect, test } from "vitest";
import { capability } from "../../test/helpers/storage.ts";
import type { Session, Turn, TurnStore } from "../storage/storage.ts";
import { readDialogue } from "./history.ts";

function made(turn: number, continues: number | null): Turn {
  const end = { type: "end", status: "completed", finish_reason: "stop", usage: null, model: "m" } as const;
  const settled = { status: "completed", end, endedAt: 0 } as const;
  const facts = {
    head: 3,
    createdAt: 0,
    replaces: null,
    error: null,
    trimmedTurns: null,
    tools: [],
    sources: [],
    model: "m",
  } as const;
  return { turn, prompt: "?", answer: `<${turn}>`, continues, ...facts, ...settled };
}

test("an answer in pieces is one message, also where its pieces come in different pages", async () => {
  async function* pages() {
    yield [made(1, null), made(2, 1)];
    yield [made(3, 2)];
    yield [made(4, null)];
  }
  const session = { username: "TR", createdAt: 0, updatedAt: 0 } as Session;
  const turns = { history: async () => ({ session, hasMore: false, pages: pages() }) } as unknown as TurnStore;
  const { pages: read } = await readDialogue(turns, capability, "s", {});
  const answers = (await Array.fromAsync(read)).flat().filter(({ role }) => role === "assistant");
  expect(answers).toMatchObject([
    { turn: 1, content: "<1><2><3>", continued_by: 3 },
    { turn: 4, content: "<4>" },
  ]);
  expect(answers[1]).not.toHaveProperty("continued_by");
});
