/** Who plays: all of a player is beside the principal, in one slot; what players share, as boards, is in others. */
import type { BoardEntry, EndedGame, PlayerName, Rating } from "../game-store.ts";
import { guestPrincipalPrefix, type Retention } from "../storage.ts";
import type { Reply, ScriptCall } from "./connection.ts";
import { notDurable } from "./failures.ts";
import { askedKey, boardKey, factRatingsKey, playerKey, principalKey, unsettledKey } from "./keys.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";

/** Seconds for which a game is known as counted: longer than it may wait to be. */
const countedSeconds = 7 * 24 * 60 * 60;

/** What is stored of a player, and its values. */
type Note =
  | readonly ["game", id: string]
  | readonly ["fact", id: string]
  | readonly ["day", day: string, gameId: string]
  | readonly ["board", name: string]
  | readonly ["rating", change: string]
  | readonly ["move"];

export class Players {
  readonly #server: Server;
  readonly #clock: () => number;
  readonly #retention: Retention;

  constructor(server: Server, clock: () => number, retention: Retention) {
    this.#server = server;
    this.#clock = clock;
    this.#retention = retention;
  }

  /** Stores something of a player, who may be new. @throws Problem */
  async note(player: PlayerName, ...note: Note): Promise<Reply> {
    const { reply, isDurable } = await this.#server.write(this.noting(player, ...note));
    if (!isDurable) throw notDurable();
    return reply;
  }

  noting(player: PlayerName, ...note: Note): ScriptCall {
    const { principal, username } = player;
    const now = this.#clock();
    const kept = this.keptMs(principal);
    const values = [principal, username, String(now), kept === undefined ? "" : String(now + kept), ...note];
    return { script: scripts["note-player"], key: principalKey(principal), values };
  }

  /** For how many milliseconds what is stored of somebody is kept; undefined for ever. */
  keptMs(principal: string): number | undefined {
    return principal.startsWith(guestPrincipalPrefix) ? this.#retention.guestMs : this.#retention.otherMs;
  }

  async asked(player: PlayerName): Promise<ReadonlySet<string>> {
    return new Set(listOf(await this.#server.read(["SMEMBERS", askedKey(player)])).map(String));
  }

  async rating(player: PlayerName): Promise<Rating> {
    const fields = ["HMGET", playerKey(player), "rating", "answers"];
    const [rating, answers] = listOf(await this.#server.read(fields));
    return { rating: Number(rating ?? 0), answers: Number(answers ?? 0) };
  }

  async factRatings(show: string): Promise<ReadonlyMap<string, Rating>> {
    const list = listOf(await this.#server.read(["HGETALL", factRatingsKey(show)]));
    const fields = new Map<string, number>();
    for (let index = 0; index < list.length; index += 2) fields.set(String(list[index]), Number(list[index + 1]));
    const facts = [...fields.keys()].filter((field) => field.startsWith("rating:")).map((field) => field.slice(7));
    return new Map(
      facts.map((fact) => [
        fact,
        { rating: fields.get(`rating:${fact}`) ?? 0, answers: fields.get(`answers:${fact}`) ?? 0 },
      ]),
    );
  }

  async best(board: string, limit: number): Promise<readonly BoardEntry[]> {
    const call = { script: scripts["read-board"], key: boardKey(board), values: [String(limit)] };
    return listOf(await this.#server.read(call)).map((entry) => {
      const [member, score, games] = listOf(entry);
      return { username: playerOf(String(member)).username, score: Number(score), games: Number(games ?? 1) };
    });
  }

  /** Counts what a game is worth, once, where its player is known still. @throws Problem when it is not certain that it is */
  async settle(gameId: string, player: PlayerName, { score, boards }: EndedGame): Promise<void> {
    for (const { name, until } of boards) {
      if ((await this.#server.write(this.noting(player, "board", name))).reply === 0) break;
      const values = [gameId, String(countedSeconds), memberOf(player), String(score), String(until ?? "")];
      await this.#server.write({ script: scripts["add-score"], key: boardKey(name), values });
    }
    await this.#server.write(["ZREM", unsettledKey, gameId]);
  }
}

/** How the names of guests begin, and for how many milliseconds their games and those of others are kept. */
export function keptValues({ guestMs, otherMs }: Retention): readonly string[] {
  return [guestPrincipalPrefix, String(guestMs ?? ""), String(otherMs ?? "")];
}

/** The player on a board. */
export function memberOf({ principal, username }: PlayerName): string {
  return JSON.stringify([principal, username]);
}

export function playerOf(member: string): PlayerName {
  const [principal, username] = JSON.parse(member) as [string, string];
  return { principal, username };
}
