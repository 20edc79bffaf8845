import { expect, test } from "vitest";
import { capability } from "../../test/helpers/storage.ts";
import { gameView } from "../../test/helpers/trivia-views.ts";
import type { ToolPrompt } from "../chat/tools.ts";
import type { StoredGame } from "../storage/game-store.ts";
import type { Games } from "./games.ts";
import { triviaToolsWhenPlayed } from "./tools-when-played.ts";

function offer(prompt: Partial<ToolPrompt>, runs: boolean) {
  const asked: string[] = [];
  const games = {
    ofSession: async () => {
      asked.push("game");
      return runs ? gameView() : undefined;
    },
  } as unknown as Games;
  const store = {
    runningIn: async () => {
      asked.push("store");
      return runs ? ({} as StoredGame) : undefined;
    },
  };
  const knowledge = { shows: async () => [] };
  const whose = { access: capability, sessionId: "f".repeat(32), principal: "guest:p", username: "TR" };
  const facts = { ...whose, prompt: "Hello!", done: [], replaced: [], ...prompt };
  const offered = triviaToolsWhenPlayed({ games, knowledge, store }).offer(facts);
  return offered.then((found) => ({ found: found !== undefined, asked }));
}

const used = { type: "tool", call_id: "call00001", name: "answer_trivia", status: "done", result: {} } as const;

test("an ordinary prompt costs a look whether a game runs, and loads nothing of the game", async () => {
  expect(await offer({}, false)).toEqual({ found: false, asked: ["store"] });
});

test("the tools are offered while a game runs, where one is asked for, and where one of them was used", async () => {
  expect(await offer({}, true)).toEqual({ found: true, asked: ["store", "game"] });
  expect(await offer({ prompt: "play trivia" }, false)).toEqual({ found: true, asked: ["game"] });
  expect(await offer({ done: [used] }, false)).toEqual({ found: true, asked: ["game"] });
});
