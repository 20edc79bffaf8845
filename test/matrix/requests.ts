/** Requests for the operations of the document, each about somebody's session. */
import type { Operation } from "../helpers/api-description.ts";
import { type PersonName, sharedWord, type World } from "./world.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/** What a request is about. */
export type Target = {
  readonly name: string;
  readonly sessionId: string;
  readonly gameId: string;
  /** Undefined where there is no such session. */
  readonly owner: PersonName | undefined;
  readonly turn: number;
  readonly hasTurn: boolean;
  readonly username: string;
};

export type MatrixRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
};

const newestTurn = 1;

export function takes(operation: Operation, parameter: string): boolean {
  return operation.parameters.some(({ name }) => name === parameter);
}

/** About a session or a game, which is somebody's. */
export function isAboutOne(operation: Operation): boolean {
  return takes(operation, "session_id") || takes(operation, "game_id");
}

export function takesUsername({ parameters, bodySchema }: Operation): boolean {
  return parameters.some(({ name }) => name === "username") || "username" in propertiesOf(bodySchema);
}

/** All that one operation can be asked about. */
export function targetsOf(operation: Operation, world: World): readonly Target[] {
  const { people, sessions, games, deleted, deletedGame, never } = world;
  const names = ["alice", "bob"] as const;
  const common = { turn: newestTurn, hasTurn: true, username: people.alice.username };
  const of = (owner: PersonName): Target => ({
    ...common,
    name: `${owner}'s`,
    sessionId: sessions[owner],
    gameId: games[owner],
    owner,
    username: people[owner].username,
  });
  const nobodys = { ...common, owner: undefined, hasTurn: false, sessionId: never, gameId: never };
  if (!isAboutOne(operation)) {
    const nobody = { ...nobodys, name: "what never existed", username: "carol" };
    return takesUsername(operation) ? [...names.map(of), nobody] : [of("alice")];
  }
  const targets = [
    ...names.map(of),
    { ...nobodys, name: "a deleted session", sessionId: deleted, gameId: deletedGame },
    { ...nobodys, name: "what never existed" },
  ];
  if (!takes(operation, "turn")) return targets;
  const noTurn = names.map((owner) => ({
    ...of(owner),
    name: `a turn that never existed of ${owner}'s`,
    turn: 99,
    hasTurn: false,
  }));
  return [...targets, ...noTurn];
}

/** @throws Error for an operation with something that no rule here knows how to fill */
export function requestOf(operation: Operation, { sessionId, gameId, turn, username }: Target): MatrixRequest {
  const ids = { session_id: sessionId, game_id: gameId };
  const known: Readonly<Record<string, string>> = { ...ids, turn: String(turn), username };
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  let path = operation.path;
  for (const { name, in: place, required = false, schema } of operation.parameters) {
    const value = known[name] ?? (required && place !== "path" ? String(exampleOf(name, schema, username)) : undefined);
    if (value === undefined) {
      if (required) throw new Error(`${operation.operationId}: nothing here knows a ${name} for the path`);
    } else if (place === "path") path = path.replace(`{${name}}`, value);
    else if (place === "query") query.set(name, value);
    else headers[name] = value;
  }
  const { bodySchema } = operation;
  if (bodySchema !== undefined) headers["content-type"] = "application/json";
  return {
    method: operation.method,
    path: query.size === 0 ? path : `${path}?${query}`,
    headers,
    body: bodySchema === undefined ? undefined : JSON.stringify(exampleOf("body", bodySchema, username)),
  };
}

function propertiesOf(schema: JsonSchema | undefined): Readonly<Record<string, JsonSchema>> {
  return (schema?.["properties"] ?? {}) as Readonly<Record<string, JsonSchema>>;
}

/** A value that a schema allows: of an object what it requires, or where it requires nothing what its example has, or all. */
function exampleOf(name: string, schema: JsonSchema, username: string): unknown {
  if (name === "username") return username;
  const {
    enum: choices,
    anyOf,
    type,
    format,
    minimum,
    example,
  } = schema as {
    enum?: readonly unknown[];
    anyOf?: readonly JsonSchema[];
    type?: string;
    format?: string;
    minimum?: number;
    example?: object;
  };
  if (choices !== undefined) return choices[0];
  if (anyOf?.[0] !== undefined) return exampleOf(name, anyOf[0], username);
  if (type === "object") {
    if (example !== undefined) return { ...example, ...("username" in example && { username }) };
    const properties = Object.entries(propertiesOf(schema));
    const required = (schema["required"] ?? properties.map(([property]) => property)) as readonly string[];
    const wanted = properties.filter(([property]) => required.includes(property));
    return Object.fromEntries(wanted.map(([property, value]) => [property, exampleOf(property, value, username)]));
  }
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return minimum ?? 1;
  if (type === "string" && format === undefined) return sharedWord;
  if (format === "date") return "2026-11-28";
  throw new Error(`Nothing here knows a ${type} ${format} for ${name}`);
}
