/** What a player is shown of a game. The answer and the evidence of a question come with its verdict, never before. */
import { hash } from "node:crypto";
import type { GameView, QuestionView, VerdictView } from "../protocol/trivia.ts";
import { takenByFiftyFifty } from "./fifty-fifty.ts";
import type { Asked, Game } from "./game-log.ts";

export function gameView({ stored, settings, asked, open, ...game }: Game): GameView {
  const { gameId, player, sessionId } = stored;
  const [first] = asked;
  if (first === undefined) throw new Error("A game begins with a question");
  return {
    game_id: gameId,
    username: player.username,
    session_id: sessionId,
    show: settings.show,
    difficulty: settings.difficulty,
    daily: settings.daily,
    status: game.status,
    questions: settings.questions,
    answered: asked.filter(({ answer }) => answer !== undefined).length,
    correct: game.correct,
    score: game.score,
    streak: game.streak,
    best_streak: game.bestStreak,
    started_at: timeOf(first.at),
    ended_at: game.endedAt === null ? null : timeOf(game.endedAt),
    question: open === undefined ? null : questionView(gameId, open),
    verdicts: asked.flatMap((each) => verdictView(each) ?? []),
  };
}

function questionView(gameId: string, { number, question, showTitle, at, until, helped }: Asked): QuestionView {
  const taken = helped.includes("fifty_fifty") ? takenByFiftyFifty(question).map(({ id }) => id) : [];
  return {
    number,
    // Its own id is made of the fact and so names the answer, and whoever guesses that could check it by a hash of it.
    id: hash("sha256", `${gameId}\n${number}`).slice(0, 16),
    show: question.show,
    show_title: showTitle,
    type: question.kind,
    question: question.text,
    options: question.options.map(({ id, text }) => ({ id, text, ...(taken.includes(id) && { removed: true }) })),
    difficulty: question.difficulty,
    hint: helped.includes("hint") ? question.hint : null,
    asked_at: timeOf(at),
    answer_until: timeOf(until),
  };
}

/** Undefined while there is none. */
export function verdictView({ number, question, answer }: Asked): VerdictView | undefined {
  if (answer === undefined) return undefined;
  const { evidence, source } = question.fact;
  return {
    number,
    question: question.text,
    given: answer.given,
    correct: answer.grade.correct,
    rule: answer.grade.rule,
    answer: question.answer,
    points: answer.points,
    explanation: question.explanation,
    evidence: { text: evidence, ...source },
  };
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
