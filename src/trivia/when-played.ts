/** The game as the service has it: loaded when somebody plays for the first time, as most starts are of no concern to it. */
import type { Trivia, TriviaOptions } from "./open.ts";

export function openTriviaWhenPlayed(options: TriviaOptions): Trivia {
  let opening: Promise<Trivia> | undefined;
  const opened = () => {
    opening ??= import("./open.ts").then(({ openTrivia }) => openTrivia(options));
    return opening;
  };
  return {
    games: {
      start: async (...given) => (await opened()).games.start(...given),
      read: async (...given) => (await opened()).games.read(...given),
      ofSession: async (...given) => (await opened()).games.ofSession(...given),
      answer: async (...given) => (await opened()).games.answer(...given),
      hint: async (...given) => (await opened()).games.hint(...given),
      stop: async (...given) => (await opened()).games.stop(...given),
    },
    overview: {
      shows: async () => (await opened()).overview.shows(),
      leaderboard: async (...given) => (await opened()).overview.leaderboard(...given),
      daily: async (...given) => (await opened()).overview.daily(...given),
    },
    database: {
      categories: async () => (await opened()).database.categories(),
      find: async (...given) => (await opened()).database.find(...given),
      newToken: async () => (await opened()).database.newToken(),
      resetToken: async (...given) => (await opened()).database.resetToken(...given),
    },
    close: async () => (await opening)?.close(),
  };
}
