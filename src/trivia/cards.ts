/** A card of the game: what a page draws, what a model is told of it, and where its facts are from. */
import { z } from "zod";
import type { SourceView } from "../protocol/events.ts";
import { type GameCard, type GameView, gameCardSchema, type VerdictView } from "../protocol/trivia.ts";

/** Verdicts of a round that is over, in UTF-16 code units of JSON: of a long one the newest have to do. */
const longestSummary = 24 * 1024;

/** While a game runs its verdicts are left out: each was on a card of its own. */
export function cardOf(game: GameView, verdict: VerdictView | null): GameCard {
  return { game: { ...game, verdicts: game.status === "playing" ? [] : newestThatFit(game.verdicts) }, verdict };
}

function newestThatFit(verdicts: readonly VerdictView[]): VerdictView[] {
  const kept: VerdictView[] = [];
  let length = 0;
  for (const verdict of verdicts.toReversed()) {
    length += JSON.stringify(verdict).length;
    if (length > longestSummary) break;
    kept.push(verdict);
  }
  return kept.reverse();
}

export function sourcesOf({ verdict }: GameCard): SourceView[] {
  if (verdict === null) return [];
  const { text: _, ...source } = verdict.evidence;
  return [source];
}

const toldSchema = z.object({
  verdict: z
    .object({
      correct: z.boolean(),
      too_late: z.boolean(),
      given: z.string(),
      right_answer: z.string(),
      points: z.number(),
      explanation: z.string(),
      source: z.object({ title: z.string(), url: z.string(), licence: z.string() }),
    })
    .optional(),
  game: z.object({
    status: z.enum(["playing", "finished", "stopped"]),
    score: z.number(),
    streak: z.number(),
    best_streak: z.number(),
    correct: z.number(),
    answered: z.number(),
    questions: z.number(),
  }),
  question: z
    .object({
      number: z.number(),
      show: z.string(),
      difficulty: z.string(),
      text: z.string(),
      options: z.array(z.object({ id: z.string(), text: z.string() })),
      hint: z.string().optional(),
    })
    .optional(),
});
/** What a model is told, and what plain sentences are made of. */
export type Told = z.infer<typeof toldSchema>;

const failedSchema = z.object({ failed: z.object({ message: z.string() }) });

export function tellCard(card: Readonly<Record<string, unknown>>): Told {
  const { game, verdict } = gameCardSchema.parse(card);
  const { question } = game;
  return {
    ...(verdict !== null && { verdict: tellVerdict(verdict) }),
    game: {
      status: game.status,
      score: game.score,
      streak: game.streak,
      best_streak: game.best_streak,
      correct: game.correct,
      answered: game.answered,
      questions: game.questions,
    },
    ...(question !== null && {
      question: {
        number: question.number,
        show: question.show_title,
        difficulty: question.difficulty,
        text: question.question,
        options: question.options.filter(({ removed }) => removed !== true).map(({ id, text }) => ({ id, text })),
        ...(question.hint !== null && { hint: question.hint }),
      },
    }),
  };
}

function tellVerdict({ correct, rule, given, answer, points, explanation, evidence }: VerdictView) {
  const { title, url, licence } = evidence;
  const source = { title, url, licence };
  return { correct, too_late: rule === "too_late", given, right_answer: answer, points, explanation, source };
}

/** What a model was told, read again. */
export function readTold(result: string): Told | { readonly failed: string } {
  const value: unknown = JSON.parse(result);
  const failed = failedSchema.safeParse(value);
  return failed.success ? { failed: failed.data.failed.message } : toldSchema.parse(value);
}
