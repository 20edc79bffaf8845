/**
 * What becomes of games by themselves: the server deletes one that is in no session, and a player, at the time that they were
 * given with their newest activity. What is in other slots, and what was left half done, is put in order now and then.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { EndedGame } from "../game-store.ts";
import type { Retention } from "../storage.ts";
import {
  askedKey,
  everyBoard,
  everyGame,
  everyPlayer,
  gameIdOf,
  gameKey,
  gamesKeptKey,
  movesKey,
  playerKey,
  sessionKey,
  unsettledKey,
} from "./keys.ts";
import { keptValues, type Players, playerOf } from "./players.ts";
import { listOf } from "./rows.ts";
import { scripts } from "./script.ts";
import type { Server } from "./server.ts";
import { type Kind, keysLike, membersOf } from "./walk.ts";

/** Milliseconds between two steps, which leave the server to others. */
const stepPause = 10;

/** Milliseconds until the next walk, where the setting stays as it is. */
const walkInterval = 6 * 60 * 60_000;

/** Milliseconds after which a game that is not counted was left so by somebody who died. */
const longestCounting = 60_000;

export class GameExpiry {
  readonly #server: Server;
  readonly #clock: () => number;
  readonly #retention: Retention;
  readonly #players: Players;

  constructor(server: Server, clock: () => number, retention: Retention, players: Players) {
    this.#server = server;
    this.#clock = clock;
    this.#retention = retention;
    this.#players = players;
  }

  /** Two replicas that do it at once do no harm. @throws Problem */
  async expire(signal: AbortSignal): Promise<number> {
    await this.#settleLeft();
    const [, guestMs = "", otherMs = ""] = keptValues(this.#retention);
    const setting = `${guestMs} ${otherMs}`;
    if ((await this.#server.read(["GET", gamesKeptKey])) === setting) return 0;
    let gone = 0;
    await this.#walk(everyGame, "hash", signal, async (key) => {
      gone += await this.#renewGame(key);
    });
    await this.#walk(everyPlayer, "hash", signal, (key) => this.#tidyPlayer(key));
    await this.#walk(everyBoard, "zset", signal, (key) => this.#tidyBoard(key));
    if (!signal.aborted) await this.#server.write(["SET", gamesKeptKey, setting, "PX", String(walkInterval)]);
    return gone;
  }

  async #settleLeft(): Promise<void> {
    const until = String(this.#clock() - longestCounting);
    const left = listOf(await this.#server.read(["ZRANGEBYSCORE", unsettledKey, "-inf", until])).map(String);
    for (const gameId of left) {
      const facts = ["HMGET", gameKey(gameId), "owner", "username", "ended"];
      const [principal, username, ended] = listOf(await this.#server.read(facts));
      if (typeof ended !== "string") await this.#server.write(["ZREM", unsettledKey, gameId]);
      else {
        const player = { principal: String(principal), username: String(username) };
        await this.#players.settle(gameId, player, JSON.parse(ended) as EndedGame);
      }
    }
  }

  /** Gives 1 for a game that is deleted, as its session is gone. */
  async #renewGame(key: string): Promise<number> {
    const call = { script: scripts["renew-game"], key, values: keptValues(this.#retention) };
    const sessionId = String((await this.#server.write(call)).reply);
    if (sessionId === "" || (await this.#server.read(["EXISTS", sessionKey(sessionId)])) === 1) return 0;
    const gameId = gameIdOf(key);
    await this.#server.write(["UNLINK", gameKey(gameId), movesKey(gameId)]);
    return 1;
  }

  /** Takes from a player the games that are gone, and says until when the player is kept, as it is now. */
  async #tidyPlayer(key: string): Promise<void> {
    const [principal, username, updated] = listOf(
      await this.#server.read(["HMGET", key, "principal", "username", "updated"]),
    );
    if (typeof principal !== "string" || typeof username !== "string") return;
    const fields = listOf(await this.#server.read(["HKEYS", key])).map(String);
    const games = fields.filter((field) => field.startsWith("game:"));
    const exist = await Promise.all(games.map((field) => this.#server.read(["EXISTS", gameKey(field.slice(5))])));
    const missing = games.filter((_, index) => exist[index] === 0);
    if (missing.length > 0) await this.#server.write(["HDEL", key, ...missing]);
    const kept = this.#players.keptMs(principal);
    for (const each of [key, askedKey({ principal, username })]) {
      const due = kept === undefined ? ["PERSIST", each] : ["PEXPIREAT", each, String(Number(updated) + kept)];
      await this.#server.write(due);
    }
  }

  /** Takes from a board the players who are gone. */
  async #tidyBoard(key: string): Promise<void> {
    for await (const members of membersOf(this.#server, key)) {
      const exist = await Promise.all(
        members.map((member) => this.#server.read(["EXISTS", playerKey(playerOf(member))])),
      );
      const missing = members.filter((_, index) => exist[index] === 0);
      if (missing.length > 0) {
        await this.#server.write({ script: scripts["remove-scores"], key, values: missing });
      }
    }
  }

  async #walk(pattern: string, kind: Kind, signal: AbortSignal, visit: (key: string) => Promise<void>): Promise<void> {
    for await (const keys of keysLike(this.#server, pattern, kind)) {
      for (const key of keys) await visit(key);
      if (signal.aborted) return;
      await delay(stepPause);
    }
  }
}
