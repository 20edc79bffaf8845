/** Requests made from the OpenAPI document: what a client would send that has read it. */
import type { Operation, Parameter } from "../helpers/api-description.ts";
import type { SeededRandom } from "../helpers/seeded-random.ts";

/** Put wherever a user's words or secrets can stand; no problem and no log line may repeat it. */
export const canary = "CANARY-user-7b1d2e";

/** A request that can still be changed. */
export type FuzzRequest = {
  method: string;
  path: string;
  query: [name: string, value: string][];
  /** The request target where it is no path and query. */
  target: string | undefined;
  version: string;
  headers: [name: string, value: string][];
  body: Buffer | undefined;
  framing: "length" | "chunked" | "none";
  /** Lines behind the last chunk. */
  trailer: string;
  /** What is sent, and what becomes of our side of the connection then. */
  ending: Ending;
  /** What was done to it, for whoever reads a failure. */
  readonly changes: string[];
  /** Why it cannot be a success, where that is sure. */
  refusal: string | undefined;
  readonly operation: Operation;
  readonly session: KnownSession;
};

/**
 * - `whole`: a request whose end the server can tell
 * - `misframed`: its length is not what it says, so what follows it on the connection is anybody's guess
 * - `cut`: half of it, then FIN
 * - `torn`: half of it, then RST
 * - `abandoned`: all of it, then RST before the answer
 */
export type Ending = "whole" | "misframed" | "cut" | "torn" | "abandoned";

/** With a game of fifty questions that is played in it. */
export type KnownSession = { readonly id: string; readonly token: string; readonly gameId: string };

const words = [
  "Hello!",
  "What is your name?",
  "Grüße, 世界! 😀",
  "a\nb\r\n\r\nevent: end\ndata: {}\n\n",
  "<script>alert(1)</script>",
  "'; DROP TABLE turns; --",
  "\u202e\u200d\ufeff",
  "tell me a story",
];

export function makeRequest(operation: Operation, session: KnownSession, random: SeededRandom): FuzzRequest {
  const request: FuzzRequest = {
    method: operation.method,
    path: operation.path
      .replace("{session_id}", session.id)
      .replace("{game_id}", session.gameId)
      .replace("{turn}", String(random.between(1, 4))),
    query: [],
    target: undefined,
    version: "HTTP/1.1",
    headers: [["Host", "127.0.0.1"]],
    body: undefined,
    framing: "none",
    trailer: "",
    ending: "whole",
    changes: [],
    refusal: undefined,
    operation,
    session,
  };
  for (const parameter of operation.parameters) addParameter(request, parameter, random);
  // Opening a session by a link gives JSON, the same path without a username a page.
  const isLink = request.query.some(([name]) => name === "username");
  const types = Object.keys(operation.responses["200"]?.content ?? {}).filter(
    (type) => !isLink || type !== "text/html",
  );
  if (operation.path === "/" && !isLink) types.splice(0, types.length, "text/html");
  const isPage = types.join() === "text/html";
  if (isPage) request.headers.push(["Accept", "text/html"]);
  else if (types.length > 0 && random.next() < 0.7) request.headers.push(["Accept", random.pick([...types, "*/*"])]);
  if (operation.needsToken) request.headers.push(["Authorization", `Bearer ${session.token}`]);
  if (random.next() < 0.3) request.headers.push(["X-Secret", canary]);
  if (operation.bodySchema !== undefined) {
    request.headers.push(["Content-Type", "application/json"]);
    request.body = Buffer.from(JSON.stringify(exampleOf(operation.bodySchema, random)));
    request.framing = "length";
  }
  return request;
}

function addParameter(request: FuzzRequest, parameter: Parameter, random: SeededRandom): void {
  const { name, in: place, schema, required = false } = parameter;
  if (place === "path") return;
  // A link without a username opens nothing; all other parameters are rather left out.
  if (!required && random.next() < (name === "username" ? 0.1 : 0.75)) return;
  if (name === "cursor") request.changes.push("a cursor that nobody was given");
  const value = String(parameterValue(name, schema, random));
  if (place === "query") request.query.push([name, value]);
  else request.headers.push([name, value]);
}

/** What a schema cannot say: which values have a meaning in the session. */
function parameterValue(name: string, schema: Readonly<Record<string, unknown>>, random: SeededRandom): unknown {
  switch (name) {
    case "after":
    case "last-event-id":
      return random.pick(["-1", "1.0", "1.3", "2.1", "3.99", `${random.between(1, 5)}.${random.between(0, 40)}`]);
    case "if-turn":
      return random.between(0, 3);
    case "idempotency-key":
      return `key-${random.between(1, 30)}`;
    default:
      return exampleOf(schema, random);
  }
}

/** A value that a schema allows. */
export function exampleOf(schema: Readonly<Record<string, unknown>>, random: SeededRandom): unknown {
  const {
    enum: choices,
    anyOf,
    properties,
    required,
    example,
  } = schema as {
    enum?: unknown[];
    anyOf?: (typeof schema)[];
    properties?: object;
    required?: string[];
    example?: object;
  };
  if (choices !== undefined) return random.pick(choices);
  if (anyOf !== undefined) return exampleOf(random.pick(anyOf), random);
  switch (schema["type"]) {
    case "null":
      return null;
    case "boolean":
      return random.next() < 0.5;
    case "integer":
      return random.between(Number(schema["minimum"] ?? 0), Math.min(Number(schema["maximum"] ?? 50), 50));
    case "object": {
      // Where nothing is required, but not just anything goes.
      if (required === undefined && example !== undefined) return example;
      const fields = Object.entries((properties ?? {}) as Record<string, Record<string, unknown>>);
      const kept = fields.filter(([name]) => required?.includes(name) || random.next() < 0.2);
      return Object.fromEntries(kept.map(([name, field]) => [name, exampleOf(field, random)]));
    }
    default: {
      if (schema["format"] === "date") return "2026-11-28";
      const text = `${random.pick(words)} ${random.next() < 0.2 ? canary : ""}`;
      return text.slice(0, Number(schema["maxLength"] ?? 1_000));
    }
  }
}

/** The bytes of a request as it stands, in the pieces in which they are written. */
export function serialize(request: FuzzRequest, random: SeededRandom): Buffer {
  const { method, version, headers, body, framing, trailer } = request;
  const query = request.query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  const target = request.target ?? `${request.path}${query === "" ? "" : `?${query}`}`;
  const lines = [...headers];
  if (framing === "length") lines.push(["Content-Length", String(body?.length ?? 0)]);
  if (framing === "chunked") lines.push(["Transfer-Encoding", "chunked"]);
  const head = `${method} ${target} ${version}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  const content = body === undefined ? Buffer.alloc(0) : framing === "chunked" ? inChunks(body, trailer, random) : body;
  // Header values are bytes, and so is anything that a change has put into them.
  return Buffer.concat([Buffer.from(head, "latin1"), content]);
}

/** What is escaped already stays as it is, so that changes can put anything into a query. */
function encode(text: string): string {
  return /^[\x21-\x7e]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed());
}

function inChunks(body: Buffer, trailer: string, random: SeededRandom): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = random.between(1, Math.max(1, Math.ceil(body.length / 3)));
    const piece = body.subarray(at, at + size);
    const extension = random.next() < 0.1 ? `;a="${"x".repeat(random.between(0, 50))}"` : "";
    pieces.push(Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece, Buffer.from("\r\n"));
    at += size;
  }
  pieces.push(Buffer.from(`0\r\n${trailer}\r\n`));
  return Buffer.concat(pieces);
}
