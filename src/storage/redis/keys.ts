/** The names of what is stored. All keys of a session share a hash tag, so that they are in one slot of a cluster. */
import type { PlayerName } from "../game-store.ts";

/** The session's hash; the scripts know the others by its name (`scripts/common.lua`). */
export function sessionKey(sessionId: string): string {
  return `chat:{${sessionId}}`;
}

/** Tells that there is more to read of one of the session's turns. */
export function wakeChannel(sessionId: string): string {
  return `${sessionKey(sessionId)}:wake`;
}

/** Tells a worker to stop a turn, or that a session is gone. */
export function workerChannel(worker: string): string {
  return `chat:worker:${worker}`;
}

/** That a principal ever opened a session. */
export function principalKey(principal: string): string {
  return `chat:principal:{${principal}}`;
}

/** The principal's sessions of a username by their newest activity; the scripts know it by the principal's key. */
export function sessionListKey(principal: string, username: string): string {
  return `${principalKey(principal)}:sessions:${username}`;
}

/** What the principal's turns cost on a day; the scripts know it, and the two below, by the principal's key. */
export function usageKey(principal: string, day: number): string {
  return `${principalKey(principal)}:usage:${day}`;
}

/** The days of which there is something. */
export function usageDaysKey(principal: string): string {
  return `${principalKey(principal)}:usage-days`;
}

/** What the keys of all these match. */
export const everyUsageDays = "chat:principal:{*}:usage-days";

/** The key of the principal whose days those are. */
export function spenderKeyOf(key: string): string {
  return key.slice(0, -":usage-days".length);
}

/** For how many days what turns cost is kept, as was last seen to. */
export const usagePrunedKey = "chat:usage:pruned";

/** The tokens of a day. */
export function tokensKey(principal: string, day: number): string {
  return `${principalKey(principal)}:tokens:${day}`;
}

/** That what a turn cost is counted. */
export function countedKey(principal: string, sessionId: string, turn: string): string {
  return `${principalKey(principal)}:counted:${sessionId}.${turn}`;
}
/** What the keys of all sessions match, and of nothing else. */
export const everySession = "chat:{*}";

/** The id in a session's key. */
export function sessionIdOf(key: string): string {
  return key.slice("chat:{".length, -1);
}

/** What the keys of all lists of sessions match. */
export const everyList = "chat:principal:{*}:sessions:*";

/** Whose list it is, by its key. */
export function listOwnerOf(key: string): { readonly principalKey: string; readonly username: string } {
  const separator = "}:sessions:";
  const place = key.indexOf(separator);
  return { principalKey: key.slice(0, place + 1), username: key.slice(place + separator.length) };
}

/** The principal in its key. */
export function principalOf(key: string): string {
  return key.slice("chat:principal:{".length, -1);
}

/** For how long sessions are kept, as all of them have been told. */
export const retentionKey = "chat:retention";

/** Held by the replica that is telling them. */
export const walkKey = "chat:retention:walk";

/** The sessions of the owner's username in which a turn runs. */
export function placesKey(owner: string, username: string): string {
  return `${principalKey(owner)}:running:${username}`;
}

/** The sessions that have unfinished turns, by the time when somebody is to look after them. */
export const busyKey = "chat:busy";

/** The keys of programs, each with its facts (`key:<id>`) and when it was revoked (`revoked:<id>`). */
export const programKeysKey = "chat:keys";

/** Written to find out whether writing works. */
export const checkKey = "chat:check";

/** A game's hash; its moves are beside it, in the same slot. */
export function gameKey(gameId: string): string {
  return `chat:game:{${gameId}}`;
}

export function movesKey(gameId: string): string {
  return `${gameKey(gameId)}:moves`;
}

/** What the keys of all games match. */
export const everyGame = "chat:game:{*}";

/** The id in a game's key. */
export function gameIdOf(key: string): string {
  return key.slice("chat:game:{".length, -1);
}

/** What is stored of who plays; the scripts know it, and the one below, by the principal's key. */
export function playerKey({ principal, username }: PlayerName): string {
  return `${principalKey(principal)}:player:${username}`;
}

/** The facts that the player was asked for. */
export function askedKey({ principal, username }: PlayerName): string {
  return `${principalKey(principal)}:asked:${username}`;
}

/** What the keys of all players match. */
export const everyPlayer = "chat:principal:{*}:player:*";

/** The players of a board by their best score. */
export function boardKey(board: string): string {
  return `chat:board:{${board}}`;
}

/** What the keys of all boards match. */
export const everyBoard = "chat:board:{*}";

/** How hard the facts of a show are (`rating:<fact>`), and how often they were answered (`answers:<fact>`). */
export function factRatingsKey(show: string): string {
  return `chat:ratings:{${show}}`;
}

/** The games that are over and whose scores may not be counted yet, by the time when they ended. */
export const unsettledKey = "chat:games:unsettled";

/** For how long games are kept, as all of them have been told. */
export const gamesKeptKey = "chat:games:kept";
