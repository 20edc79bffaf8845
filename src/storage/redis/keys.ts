/** The names of what is stored. All keys of a session share a hash tag, so that they are in one slot of a cluster. */

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
