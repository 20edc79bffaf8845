/** What can go wrong in the game; a part of the table in `problems.ts`. */
import { kind, type ProblemKind } from "./problem-kind.ts";

export const triviaProblemKinds = {
  game_not_found: kind(
    404,
    "No such game",
    false,
    "The id is malformed, was never given out, was deleted, or belongs to somebody else.",
  ),
  show_not_found: kind(
    404,
    "No such show",
    false,
    "Nothing is known about a show of that name; `GET /trivia/shows` lists all shows.",
  ),
  game_over: kind(409, "Game is over", false, "Its last question was answered, or it was stopped; begin another one."),
  question_not_open: kind(
    409,
    "Question is not open",
    false,
    "`number` is not that of the question to answer now: it was answered already, or has not been asked. Read the game again.",
  ),
  no_hint: kind(409, "No such help is left", false, "It was taken already, or the question has none of that kind."),
  no_questions_left: kind(
    409,
    "No questions left",
    false,
    "The player has been asked everything about this show or of this difficulty; name another show, or leave `difficulty` out.",
  ),
  daily_already_played: kind(
    409,
    "Daily quiz was played",
    false,
    "The player has begun today's quiz already; the next one is there at midnight UTC.",
  ),
} as const satisfies Record<string, ProblemKind>;
