/**
 * Games: each is in a slot of its own, so are the session in which it is played and whoever plays. What has to be stored in
 * several is stored in an order in which a death in between does no harm, or is made good (`game-expiry.ts`).
 */
import type { Log } from "../../log.ts";
import { gameNotFound } from "../../protocol/refusals.ts";
import type { EndedGame, GameStore, StoredGame } from "../game-store.ts";
import type { Access, Retention } from "../storage.ts";
import type { Reply } from "./connection.ts";
import { notDurable } from "./failures.ts";
import { GameExpiry } from "./game-expiry.ts";
import { factRatingsKey, gameKey, sessionKey, unsettledKey } from "./keys.ts";
import { keptValues, Players } from "./players.ts";
import { checkFound, type List, listOf } from "./rows.ts";
import { grantValues, scripts } from "./script.ts";
import type { Server } from "./server.ts";

export type GameStoreOptions = {
  readonly server: Server;
  readonly clock: () => number;
  readonly retention: Retention;
  readonly log: Log | undefined;
};

export function gameStore({ server, clock, retention, log }: GameStoreOptions): GameStore {
  const players = new Players(server, clock, retention);
  const expiry = new GameExpiry(server, clock, retention, players);
  const times = () => [String(clock()), ...keptValues(retention)];

  return {
    async create({ gameId, player, sessionId, settings, moves }) {
      const { principal, username } = player;
      // First what a game is found by: one that then does not come is passed over.
      await players.note(player, "game", gameId);
      if (sessionId !== null) {
        const access = grantValues({ by: "owner", principal });
        const values = [gameId, username, ...access];
        const call = { script: scripts["begin-game"], key: sessionKey(sessionId), values };
        const { reply, isDurable } = await server.write(call);
        checkFound(reply, sessionId);
        if (!isDurable) throw notDurable();
      }
      const values = [...times(), principal, username, sessionId ?? "", settings, ...moves];
      const call = { script: scripts["create-game"], key: gameKey(gameId), values };
      const { reply, isDurable } = await server.write(call);
      if (!isDurable) throw notDurable();
      return reply === 1;
    },

    read: (access, gameId) => readGame(server, access, gameId),

    async runningIn(access, sessionId) {
      const call = { script: scripts["session-games"], key: sessionKey(sessionId), values: grantValues(access) };
      const [, newest] = checkFound(await server.read(call), sessionId);
      if (newest === undefined || newest === null) return undefined;
      return findGame(server, access, String(newest), "running");
    },

    async append(access, gameId, { after, moves, ended }) {
      const values = [...times(), String(after), ended === undefined ? "" : JSON.stringify(ended), ...moves];
      const call = {
        script: scripts["append-moves"],
        key: gameKey(gameId),
        values: [...values, ...grantValues(access)],
      };
      // Before it ends, so that whoever dies over counting it leaves word.
      const word = ended === undefined ? [] : [["ZADD", unsettledKey, String(clock()), gameId]];
      const { reply, isDurable } = await server.write(...word, call);
      const [state, principal, username] = checkGame(reply);
      if (state === "others") return false;
      const player = { principal: String(principal), username: String(username) };
      if (ended === undefined) server.note(players.noting(player, "move"));
      else await settleOrLeave(gameId, player, ended);
      if (!isDurable) throw notDurable();
      return true;
    },

    asked: (player) => players.asked(player),
    takeFact: async (player, fact) => (await players.note(player, "fact", fact)) === 1,
    takeDay: async (player, day, gameId) => String(await players.note(player, "day", day, gameId)),
    rating: (player) => players.rating(player),
    factRatings: (show) => players.factRatings(show),

    async rate(player, { show, fact, playerChange, factChange }) {
      const key = factRatingsKey(show);
      await server.write(
        players.noting(player, "rating", String(playerChange)),
        ["HINCRBYFLOAT", key, `rating:${fact}`, String(factChange)],
        ["HINCRBY", key, `answers:${fact}`, "1"],
      );
    },

    best: (board, limit) => players.best(board, limit),
    expire: (signal) => expiry.expire(signal),
  };

  /** The game is over, whatever becomes of counting it. */
  async function settleOrLeave(gameId: string, player: StoredGame["player"], ended: EndedGame): Promise<void> {
    try {
      await players.settle(gameId, player, ended);
    } catch (error) {
      log?.debug({ err: error }, "What a game is worth is counted later");
    }
  }
}

/** @throws Problem `game_not_found` */
async function readGame(server: Server, access: Access, gameId: string): Promise<StoredGame> {
  const game = await findGame(server, access, gameId);
  if (game === undefined) throw gameNotFound();
  return game;
}

/** @param which `running` passes over one that is over, without reading it */
export async function findGame(
  server: Server,
  access: Access,
  gameId: string,
  which: "any" | "running" = "any",
): Promise<StoredGame | undefined> {
  const call = { script: scripts["read-game"], key: gameKey(gameId), values: [which, ...grantValues(access)] };
  const [state, facts, moves] = listOf(await server.read(call));
  return state === "found" ? gameFrom(gameId, listOf(facts), listOf(moves)) : undefined;
}

function gameFrom(gameId: string, facts: List, moves: List): StoredGame {
  const [owner, username, session, settings, created, updated] = facts.map((fact) => String(fact ?? ""));
  return {
    gameId,
    player: { principal: owner ?? "", username: username ?? "" },
    sessionId: session === "" || session === undefined ? null : session,
    createdAt: Number(created),
    updatedAt: Number(updated),
    settings: settings ?? "",
    moves: moves.map(String),
  };
}

/** @throws Problem `game_not_found` */
function checkGame(reply: Reply): List {
  const list = listOf(reply);
  if (list[0] === "game_not_found") throw gameNotFound();
  return list;
}
