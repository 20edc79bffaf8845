/** Two people with a session each, one that was deleted, and everybody who may come and ask for them. */
import { send } from "../helpers/client.ts";
import type { TestCaller } from "../helpers/modes.ts";

/** Stands in everything that is said, so that whoever searches for it finds all that they may see. */
export const sharedWord = "canary";

export type PersonName = "alice" | "bob";

/** Stands in what is said in the sessions of one person alone. */
export function canaryOf(person: PersonName): string {
  return `${sharedWord} of ${person}`;
}

/** With what opens, reads and changes everything that is theirs. */
export type Person = Pick<TestCaller, "username" | "headers">;

/** Somebody who asks. */
export type Principal = {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly credential:
    | { readonly kind: "none" }
    | { readonly kind: "bad" }
    | { readonly kind: "ambiguous" }
    | { readonly kind: "good"; readonly of: PersonName; readonly scopes: readonly string[] };
};

/** Who there is, before there is any session. */
export type Cast = {
  readonly baseUrl: string;
  readonly people: Readonly<Record<PersonName, Person>>;
  readonly principals: readonly Principal[];
  /** Whether a caller may use no other username than its own. */
  readonly usernamesAreOwn: boolean;
};

export type World = Cast & {
  /** A session of each, with one turn. */
  readonly sessions: Readonly<Record<PersonName, string>>;
  /** A game of each, with one answer. */
  readonly games: Readonly<Record<PersonName, string>>;
  /** Of a session that alice had. */
  readonly deleted: string;
  /** Of a game in that session. */
  readonly deletedGame: string;
  /** An id that was never given out. */
  readonly never: string;
};

export async function makeWorld(cast: Cast): Promise<World> {
  const deleted = await openSession(cast, "alice");
  const deletedGame = await beginGame(cast, "alice", deleted);
  const { headers } = cast.people.alice;
  const response = await fetch(`${cast.baseUrl}/sessions/${deleted}`, { method: "DELETE", headers });
  if (response.status !== 204) throw new Error(`The session was not deleted: ${await response.text()}`);
  const [alice, bob] = await Promise.all([openSession(cast, "alice"), openSession(cast, "bob")]);
  const sessions = { alice, bob };
  const games = { alice: await beginGame(cast, "alice"), bob: await beginGame(cast, "bob") };
  return { ...cast, sessions, games, deleted, deletedGame, never: "0123456789abcdef".repeat(2) };
}

/** Begins a game and gives a wrong answer, in which the person's canary stands; in a session, where one is named. */
export async function beginGame({ baseUrl, people }: Cast, name: PersonName, sessionId?: string): Promise<string> {
  const { username, headers } = people[name];
  const post = async (path: string, body: object) => {
    const response = await fetch(baseUrl + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`The game was refused: ${await response.text()}`);
    return (await response.json()) as { game_id: string };
  };
  const whose = sessionId === undefined ? { username } : { session_id: sessionId };
  const { game_id: gameId } = await post("/trivia/games", { ...whose, questions: 50 });
  await post(`/trivia/games/${gameId}/answers`, { number: 1, answer: canaryOf(name) });
  return gameId;
}

/** Opens a session and asks in it; its first turn is over then. */
export async function openSession({ baseUrl, people }: Cast, name: PersonName): Promise<string> {
  const { username, headers } = people[name];
  const opened = await fetch(`${baseUrl}/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ username, title: canaryOf(name), instructions: canaryOf(name) }),
  });
  const { session_id: id } = (await opened.json()) as { session_id: string };
  const answer = await send(baseUrl, id, canaryOf(name), { accept: "application/json", headers });
  if (answer.status !== 200) throw new Error(`The prompt was not answered: ${await answer.text()}`);
  await answer.text();
  return id;
}

/** All that a person can see of what is theirs. */
export async function viewOf({ baseUrl, people, sessions, games }: World, name: PersonName): Promise<unknown> {
  const { username, headers } = people[name];
  const paths = [
    `/sessions/${sessions[name]}`,
    `/chat_history/${sessions[name]}`,
    `/sessions?username=${username}&limit=200`,
    `/usage?username=${username}`,
    `/trivia/games/${games[name]}`,
  ];
  return Promise.all(paths.map(async (path) => (await fetch(baseUrl + path, { headers })).json()));
}
