/** The game on the wire: over HTTP, and as the structured part of what is said in a session. */
import { z } from "zod";
import { exactText, guestTokenSchema, sessionIdPattern, usernameSchema } from "./sessions.ts";

/** 128 random bits as 32 lower-case hex characters, as of sessions: whoever holds a guest's may play. */
export const gameIdPattern = /^[0-9a-f]{32}$/;

export const difficultySchema = z.enum(["easy", "medium", "hard"]);

const showIdSchema = z
  .string()
  .min(1)
  .max(100)
  .describe("The `id` of a show, or its title as people say it; all shows if it is left out");

export const startGameSchema = z
  .object({
    username: usernameSchema.optional(),
    session_id: z
      .string()
      .regex(sessionIdPattern)
      .optional()
      .describe("The game is played in this session, under its username"),
    show: showIdSchema.optional(),
    difficulty: difficultySchema.optional().describe("If it is left out, the difficulty follows the player's answers"),
    questions: z.number().int().min(1).max(50).default(10),
    daily: z
      .boolean()
      .default(false)
      .describe(
        "Plays the ten questions of the day, which are the same for everybody; once a day for each player, and without a show or a difficulty",
      ),
  })
  .refine(({ username, session_id }) => (username === undefined) !== (session_id === undefined), {
    message: "or session_id must be given, and not both",
    path: ["username"],
  })
  // A day is taken by beginning its quiz, so whoever wished for something else is told before.
  .refine(({ daily, show, difficulty }) => !daily || (show === undefined && difficulty === undefined), {
    message: "goes without show and difficulty: the questions of the day are the same for all",
    path: ["daily"],
  })
  .meta({ id: "StartGame", example: { username: "TR", show: "frasier" } });

export const evidenceSchema = z
  .object({
    text: z.string().describe("The words that the question was made from"),
    title: z.string(),
    url: z.string(),
    revision: z.number().int().nullable().describe("The revision of the page, if it is known"),
    licence: z.string(),
    retrieved: z.iso.date(),
  })
  .meta({ id: "Evidence" });

/** What a player may see before the answer is in. */
export const questionViewSchema = z
  .object({
    number: z.number().int().min(1).describe("The number of the question in the game"),
    id: z.string().describe("Identifies this question in this game"),
    show: z.string().describe("The id of the show"),
    show_title: z.string(),
    type: z.enum(["multiple", "boolean", "text"]),
    question: z.string(),
    options: z
      .array(z.object({ id: z.string(), text: z.string(), removed: z.literal(true).optional() }))
      .describe("Empty if the answer is typed; options that 50:50 took away are `removed`"),
    difficulty: difficultySchema,
    hint: z.string().nullable().describe("Present once it was asked for"),
    asked_at: z.iso.datetime(),
    answer_until: z.iso.datetime().describe("An answer after this time is too late; the service keeps the time"),
  })
  .meta({ id: "TriviaQuestion" });
export type QuestionView = z.infer<typeof questionViewSchema>;

export const verdictSchema = z
  .object({
    number: z.number().int().min(1),
    question: z.string(),
    given: z.string().describe("The answer as it was given; empty if none came in time"),
    correct: z.boolean(),
    rule: z
      .enum(["option", "exact", "alias", "edit_distance", "judge", "no_match", "too_late"])
      .describe("The rule that decided"),
    answer: z.string().describe("The right answer"),
    points: z.number().int().min(0),
    explanation: z.string(),
    evidence: evidenceSchema,
  })
  .meta({ id: "TriviaVerdict" });
export type VerdictView = z.infer<typeof verdictSchema>;

export const gameSchema = z
  .object({
    game_id: z.string().regex(gameIdPattern),
    username: z.string(),
    session_id: z.string().nullable(),
    show: z.string().nullable(),
    difficulty: difficultySchema.nullable(),
    daily: z.iso.date().nullable().describe("The day whose questions these are"),
    status: z.enum(["playing", "finished", "stopped"]),
    questions: z.number().int().min(1).describe("How many questions the round has"),
    answered: z.number().int().min(0),
    correct: z.number().int().min(0),
    score: z.number().int(),
    streak: z.number().int().min(0),
    best_streak: z.number().int().min(0),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime().nullable(),
    question: questionViewSchema.nullable().describe("The question to answer now; null when the game is over"),
    verdicts: z.array(verdictSchema).describe("The questions that were answered, oldest first"),
  })
  .meta({ id: "TriviaGame", description: "A round, without the answers to questions that are still open" });
export type GameView = z.infer<typeof gameSchema>;

export const startedGameSchema = gameSchema.extend({ token: guestTokenSchema }).meta({ id: "StartedTriviaGame" });

export const answerSchema = z
  .object({
    number: z
      .number()
      .int()
      .min(1)
      .describe("The number of the question that you answer, so that a repeated request cannot hit the next one"),
    answer: exactText(500)
      .refine((text) => text.trim().length > 0, "must not be empty or blank")
      .describe("The id of an option, or words; `skip` gives the question up"),
  })
  .meta({ id: "TriviaAnswer" });

export const hintSchema = z
  .object({ number: z.number().int().min(1), kind: z.enum(["hint", "fifty_fifty"]).default("hint") })
  .meta({ id: "TriviaHint" });

export const answeredSchema = z.object({ verdict: verdictSchema, game: gameSchema }).meta({ id: "TriviaAnswered" });
export type AnsweredView = z.infer<typeof answeredSchema>;

/** What the game puts into a `tool` event's `result`: a page draws a card from it. */
export const gameCardSchema = z
  .object({ game: gameSchema, verdict: verdictSchema.nullable() })
  .meta({ id: "TriviaCard" });
export type GameCard = z.infer<typeof gameCardSchema>;

export const showsSchema = z
  .object({
    shows: z.array(
      z.object({ id: z.string(), title: z.string(), years: z.string().nullable(), facts: z.number().int().min(0) }),
    ),
  })
  .meta({ id: "TriviaShows" });
export type ShowsView = z.infer<typeof showsSchema>;

const boardEntriesSchema = z
  .array(
    z.object({
      rank: z.number().int().min(1).describe("Players with the same score have the same rank"),
      username: z.string(),
      score: z.number().int().describe("The player's best score"),
      games: z.number().int().min(1).describe("How many players there are in all"),
    }),
  )
  .describe("Best first");

export const leaderboardSchema = z
  .object({ show: z.string().nullable(), entries: boardEntriesSchema })
  .meta({ id: "TriviaLeaderboard", description: "By finished rounds of ten questions" });
export type LeaderboardView = z.infer<typeof leaderboardSchema>;

export const dailySchema = z
  .object({
    date: z.iso.date().describe("In UTC"),
    questions: z
      .number()
      .int()
      .min(1)
      .describe("How many questions it has; they come one by one in a game with `daily`"),
    ends_at: z.iso.datetime().describe("When the next quiz begins"),
    entries: boardEntriesSchema,
  })
  .meta({ id: "TriviaDaily", description: "The quiz of the day, the same for everybody, and who is best in it" });
export type DailyView = z.infer<typeof dailySchema>;
