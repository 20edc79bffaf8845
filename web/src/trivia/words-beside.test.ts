import { expect, test } from "vitest";
import type { GameView, VerdictView } from "../../../src/protocol/trivia.ts";
import { cardOf, tellCard } from "../../../src/trivia/cards.ts";
import { sentencesFor } from "../../../src/trivia/plain-sentences.ts";
import { gameView, questionView, verdictView } from "../../../test/helpers/trivia-views.ts";
import { wordsBeside } from "./words-beside.ts";

/** What the service says of a move where no model does. */
function sentences(game: GameView, verdict: VerdictView | null): string {
  return sentencesFor([JSON.stringify(tellCard(cardOf(game, verdict)))]);
}

const evidence = {
  ...verdictView().evidence,
  title: "Mad About You *(season 2)*",
  url: "https://example.org/wiki/Mad_About_You_(season_2)_list",
};
const typed = questionView({ type: "text", options: [], question: "What does “_Café_ Nervosa” sell? [1]" });
const halved = questionView({ number: 3, hint: "A *psychiatrist*, too." });

test.each<[string, GameView, VerdictView | null]>([
  ["the first question", gameView(), null],
  ["one with two options", gameView({ question: questionView({ options: questionView().options.slice(0, 2) }) }), null],
  ["one that is typed, with marks of Markdown", gameView({ question: typed }), null],
  ["a hint", gameView({ question: halved, score: 1, answered: 2 }), null],
  ["a right answer", gameView({ question: halved, score: 1_234, streak: 2 }), verdictView({ points: 1_120, evidence })],
  ["a wrong one", gameView({ question: halved }), verdictView({ correct: false, points: 0, explanation: "No." })],
  [
    "one that came too late",
    gameView({ question: halved }),
    verdictView({ correct: false, rule: "too_late", points: 0 }),
  ],
  ["the end", gameView({ status: "finished", question: null, best_streak: 3, score: 1 }), verdictView({ points: 1 })],
  ["the end before its time", gameView({ status: "stopped", question: null }), null],
])("nothing is left of what the service says of %s", (_, game, verdict) => {
  const text = sentences(game, verdict);
  const shown = { game, verdicts: verdict === null ? [] : [verdict] };
  expect(text).not.toBe("");
  expect(wordsBeside(shown, text, true)).toBe("");
  // Nor of any beginning of it.
  for (let length = 0; length < text.length; length += 1) {
    expect(wordsBeside(shown, text.slice(0, length), false)).toBe("");
  }
});

test("a model's own words stay as they are, and what it repeats of the question goes", () => {
  const shown = { game: gameView(), verdicts: [] };
  const question = "**Question 1 of 10:** Who is Frasier's brother?\n\n- **a)** Martin Crane\n- **b)** Niles Crane";
  expect(wordsBeside(shown, `Let *us* see.\n\n${question}\n\nTake your time!`, true)).toMatch(
    /^Let \*us\* see\.\n+Take your time!$/,
  );
  const own = "Niles Crane? Martin Crane?\n\n1. Who knows\n2. Question 2 of 10";
  expect(wordsBeside(shown, own, true)).toBe(own);
});

test("only the last line of a text that grows is waited for, and only where it may become the card's", () => {
  const shown = { game: gameView(), verdicts: [] };
  expect(wordsBeside(shown, "Who is\nWho is Fra", false)).toBe("Who is");
  expect(wordsBeside(shown, "Who is Frank", false)).toBe("Who is Frank");
  expect(wordsBeside(shown, "Who is Fra", true)).toBe("Who is Fra");
});
