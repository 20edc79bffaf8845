import { describe, expect, it } from "vitest";
import type { GameView, QuestionView, VerdictView } from "../../../src/protocol/trivia.ts";
import { type Exchange, newExchange, type ToolUse } from "./exchange.ts";
import { gameFailureOf, gameOf, gamesIn, promptFor } from "./trivia.ts";

const question = { number: 2, question: "Who?" } as QuestionView;

function game(fields: Partial<GameView> = {}): GameView {
  return { game_id: "a".repeat(32), question, verdicts: [], ...fields } as GameView;
}

function verdict(number: number): VerdictView {
  return { number, given: "a", correct: true } as VerdictView;
}

function tool(fields: Partial<ToolUse> = {}): ToolUse {
  return { call_id: "c", name: "answer_trivia", status: "done", result: { game: game(), verdict: null }, ...fields };
}

function exchange(key: string, ...tools: readonly ToolUse[]): Exchange {
  return { ...newExchange(key, Number(key), "?", "completed"), tools };
}

describe("what an answer tells of a game", () => {
  it("is nothing where no tool of the game ran, whatever others say", () => {
    expect(gameOf(exchange("1"))).toBeUndefined();
    expect(gameOf(exchange("1", tool({ name: "look_up" })))).toBeUndefined();
    expect(gameOf(exchange("1", tool({ result: { game: "<img>" } })))).toBeUndefined();
    expect(gameFailureOf(exchange("1", tool({ name: "look_up", status: "failed", result: { message: "No" } })))).toBe(
      undefined,
    );
  });

  it("is the game as it stood last, and each verdict once", () => {
    const shown = gameOf(
      exchange(
        "1",
        tool({ result: { game: game({ score: 1 }), verdict: verdict(1) } }),
        tool({ result: { game: game({ score: 1 }), verdict: verdict(1) } }),
        tool({ name: "trivia_hint", result: { game: game({ score: 2 }), verdict: null } }),
      ),
    );
    expect(shown).toEqual({ game: game({ score: 2 }), verdicts: [verdict(1)] });
  });

  it("is why it did not work, where the last tool failed", () => {
    const failed = tool({ status: "failed", result: { code: "no_hint", message: "There is nothing to take away." } });
    expect(gameFailureOf(exchange("1", failed))).toBe("There is nothing to take away.");
    expect(gameFailureOf(exchange("1", failed, tool()))).toBeUndefined();
  });
});

describe("the games of a dialogue", () => {
  it("have one question to answer: the newest, unless the game is over", () => {
    const [first, second, talk] = [exchange("1", tool()), exchange("2", tool()), exchange("3")];
    expect(gamesIn([first, second, talk]).openKey).toBe("2");
    const over = exchange("4", tool({ result: { game: game({ question: null }), verdict: null } }));
    expect(gamesIn([first, second, talk, over]).openKey).toBeUndefined();
  });

  it("tell of an old question how it was answered later, and not of another game's", () => {
    const later = exchange("2", tool({ result: { game: game({ question: null }), verdict: verdict(2) } }));
    const games = gamesIn([exchange("1", tool()), later]);
    expect(games.verdictOn(game(), 2)).toEqual(verdict(2));
    expect(games.verdictOn(game({ game_id: "b".repeat(32) }), 2)).toBeUndefined();
  });
});

describe("what begins a game", () => {
  it("is what somebody would type", () => {
    expect(promptFor({})).toBe("Let's play 90s sitcom trivia");
    expect(promptFor({ show: "Frasier", difficulty: "hard" })).toBe("Let's play hard trivia about Frasier");
    expect(promptFor({ daily: true, show: "Frasier" })).toBe("Let's play the daily trivia quiz");
  });
});
