/** The game as players see it, for tests that need no store of games. */
import type { GameView, QuestionView, VerdictView } from "../../src/protocol/trivia.ts";

const time = "2026-11-28T10:00:00.000Z";

export function questionView(facts: Partial<QuestionView> = {}): QuestionView {
  return {
    number: 1,
    id: "q1",
    show: "frasier",
    show_title: "Frasier",
    type: "multiple",
    question: "Who is Frasier's brother?",
    options: [
      { id: "a", text: "Martin Crane" },
      { id: "b", text: "Niles Crane" },
      { id: "c", text: "Sam Malone" },
      { id: "d", text: "Roz Doyle" },
    ],
    difficulty: "easy",
    hint: null,
    asked_at: time,
    answer_until: time,
    ...facts,
  };
}

export function gameView(facts: Partial<GameView> = {}): GameView {
  return {
    game_id: "0123456789abcdef0123456789abcdef",
    username: "TR",
    session_id: null,
    show: null,
    difficulty: null,
    daily: null,
    status: "playing",
    questions: 10,
    answered: 0,
    correct: 0,
    score: 0,
    streak: 0,
    best_streak: 0,
    started_at: time,
    ended_at: null,
    question: questionView(),
    verdicts: [],
    ...facts,
  };
}

export function verdictView(facts: Partial<VerdictView> = {}): VerdictView {
  return {
    number: 1,
    question: "Who is Frasier's brother?",
    given: "b",
    correct: true,
    rule: "option",
    answer: "Niles Crane",
    points: 120,
    explanation: "Niles Crane is Frasier's brother.",
    evidence: {
      text: "Niles Crane is Frasier's younger brother.",
      title: "Niles Crane",
      url: "https://example.org/wiki/Niles_Crane",
      revision: 7,
      licence: "CC BY-SA 4.0",
      retrieved: "2026-11-28",
    },
    ...facts,
  };
}
