import { setTimeout as delay } from "node:timers/promises";
import type { GameStore } from "../game-store.ts";
import type { Retention } from "../storage.ts";
import type { Database } from "./database.ts";

/** Milliseconds between two steps of expiry, which leave the disk and the writer to others. */
const stepPause = 20;

export function gameStore(database: Database, clock: () => number, { guestMs, otherMs }: Retention): GameStore {
  return {
    create: (game) => database.write("createGame", { game, now: clock() }),
    read: (access, gameId) => database.read("readGame", { access, gameId }),
    runningIn: (access, sessionId) => database.read("runningGame", { access, sessionId }),
    append: (access, gameId, given) => database.write("appendMoves", { access, gameId, given, now: clock() }),
    asked: (player) => database.read("readAsked", { player }),
    takeFact: (player, fact) => database.write("takeFact", { player, fact, now: clock() }),
    takeDay: (player, day, gameId) => database.write("takeDay", { player, day, gameId, now: clock() }),
    rating: (player) => database.read("readRating", { player }),
    factRatings: (show) => database.read("readFactRatings", { show }),
    rate: (player, answer) => database.write("rateAnswer", { player, answer }),
    best: (board, limit) => database.read("readBest", { board, limit }),
    async expire(signal) {
      for (let count = 0; ; ) {
        const now = clock();
        const cutoff = (kept: number | undefined) => (kept === undefined ? undefined : now - kept);
        const cutoffs = { guests: cutoff(guestMs), others: cutoff(otherMs) };
        const { games, isAll } = await database.write("expireGames", { cutoffs, now });
        count += games;
        if (isAll || signal.aborted) return count;
        await delay(stepPause);
      }
    },
  };
}
