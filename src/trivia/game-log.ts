/** A game as it is stored: what it was begun with, and a log of moves from which everything else follows. */
import type { StoredGame } from "../storage/game-store.ts";
import type { Difficulty, Grade, Question } from "./question.ts";

/** What has a request that is sent twice find what the first one did. */
export type Once = {
  readonly key: string;
  /** Stands for what was asked for: with another, the key was used for something else. */
  readonly fingerprint: string;
};

export type Settings = {
  readonly show: string | null;
  readonly difficulty: Difficulty | null;
  readonly questions: number;
  /** The day whose questions these are, as 2026-11-28. */
  readonly daily: string | null;
  readonly once?: Once | undefined;
};

export const helps = ["hint", "fifty_fifty"] as const;
export type Help = (typeof helps)[number];

/** Times are milliseconds since 1970. */
export type Move = { readonly at: number; readonly once?: Once | undefined } & (
  | {
      readonly kind: "asked";
      /** As it was asked, whatever becomes of the facts. */
      readonly question: Question;
      readonly showTitle: string;
      readonly until: number;
    }
  | { readonly kind: "helped"; readonly help: Help }
  | { readonly kind: "answered"; readonly given: string; readonly grade: Grade; readonly points: number }
  /** The last question is answered, or there is no further one. */
  | { readonly kind: "finished" }
  | { readonly kind: "stopped" }
);

/** A question of the game, and what became of it. */
export type Asked = {
  readonly number: number;
  readonly question: Question;
  readonly showTitle: string;
  readonly at: number;
  readonly until: number;
  readonly helped: readonly Help[];
  readonly answer: { readonly given: string; readonly grade: Grade; readonly points: number } | undefined;
};

export type Game = {
  readonly stored: Pick<StoredGame, "gameId" | "player" | "sessionId">;
  readonly settings: Settings;
  readonly moves: readonly Move[];
  readonly asked: readonly Asked[];
  /** The one to answer now. */
  readonly open: Asked | undefined;
  readonly status: "playing" | "finished" | "stopped";
  readonly endedAt: number | null;
  readonly score: number;
  readonly correct: number;
  readonly streak: number;
  readonly bestStreak: number;
};

export function gameFrom(stored: StoredGame): Game {
  const moves = stored.moves.map((move) => JSON.parse(move) as Move);
  return gameOf(stored, JSON.parse(stored.settings) as Settings, moves);
}

/** The game as it was once these moves were made. */
export function gameOf(stored: Game["stored"], settings: Settings, moves: readonly Move[]): Game {
  const asked: Asked[] = [];
  let status: Game["status"] = "playing";
  let endedAt: number | null = null;
  let [score, correct, streak, bestStreak] = [0, 0, 0, 0];
  for (const move of moves) {
    const last = asked.at(-1);
    switch (move.kind) {
      case "asked": {
        const { question, showTitle, at, until } = move;
        const number = asked.length + 1;
        asked.push({ number, question, showTitle, at, until, helped: [], answer: undefined });
        break;
      }
      case "helped":
        if (last !== undefined) asked[asked.length - 1] = { ...last, helped: [...last.helped, move.help] };
        break;
      case "answered": {
        const { given, grade, points } = move;
        if (last !== undefined) asked[asked.length - 1] = { ...last, answer: { given, grade, points } };
        score += points;
        correct += grade.correct ? 1 : 0;
        streak = grade.correct ? streak + 1 : 0;
        bestStreak = Math.max(bestStreak, streak);
        break;
      }
      case "finished":
      case "stopped":
        status = move.kind;
        endedAt = move.at;
        break;
    }
  }
  const newest = asked.at(-1);
  const open = status === "playing" && newest?.answer === undefined ? newest : undefined;
  return { stored, settings, moves, asked, open, status, endedAt, score, correct, streak, bestStreak };
}

/**
 * The game as it was after what was done with that key, if anything was. What came together with an answer belongs to it.
 */
export function gameAfter({ stored, settings, moves }: Game, key: string): { game: Game; once: Once } | undefined {
  const index = moves.findIndex(({ once }) => once?.key === key);
  const move = moves[index];
  if (move?.once === undefined) return undefined;
  const end = move.kind === "answered" ? index + 2 : index + 1;
  return { game: gameOf(stored, settings, moves.slice(0, end)), once: move.once };
}
