import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type * as Judged from "../../../test/helpers/api-description.ts";
import { ApiDescription } from "../../../test/helpers/api-description.ts";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import { exchange } from "../../../test/helpers/http-socket.ts";
import { judgeStream } from "../../../test/helpers/stream-checks.ts";
import { problemKinds } from "../../protocol/problems.ts";

type Described = { readonly description?: string };

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: Judged.Operation["security"];
  readonly parameters?: readonly (Judged.Parameter & Described)[];
  readonly responses: Readonly<
    Record<string, Judged.ResponseDescription & { readonly headers?: Readonly<Record<string, Described>> }>
  >;
};

type Document = Judged.Document & {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly object[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

let test: TestServer;
let document: Document;
let operations: { readonly name: string; readonly operation: Operation }[];

beforeAll(async () => {
  test = await startTestServer();
  document = (await (await fetch(`${test.url}/openapi.json`)).json()) as Document;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );
});

afterAll(() => test.close());

/** Errors of the path, which no operation can have, and those that only streams and what was done in them have. */
const notOfOperations = ["not_found", "method_not_allowed", "turn_interrupted", "tool_failed", "tool_timeout"];

/** The codes that the schema of a problem allows. */
function codesOf({ content }: Judged.ResponseDescription): readonly string[] {
  const schema = content?.["application/problem+json"]?.schema as
    | { readonly allOf: readonly { readonly properties?: { readonly code: { readonly enum: readonly string[] } } }[] }
    | undefined;
  return schema?.allOf.flatMap(({ properties }) => properties?.code.enum ?? []) ?? [];
}

describe("/openapi.json", () => {
  it("is OpenAPI 3.1 and names every route that there is", () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(operations.map(({ name }) => name).sort()).toEqual(
      [
        "GET /",
        "POST /chat/{session_id}/continue",
        "POST /chat/{session_id}/regenerate",
        "POST /sessions",
        "GET /sessions",
        "GET /sessions/search",
        "GET /sessions/{session_id}",
        "PATCH /sessions/{session_id}",
        "GET /sessions/{session_id}/export",
        "GET /usage",
        "DELETE /sessions/{session_id}",
        "POST /login",
        "POST /logout",
        "PUT /chat/{session_id}",
        "GET /chat/{session_id}",
        "DELETE /chat/{session_id}",
        "GET /chat/{session_id}/{turn}",
        "DELETE /chat/{session_id}/{turn}",
        "GET /chat_history/{session_id}",
        "POST /trivia/games",
        "GET /trivia/games/{game_id}",
        "POST /trivia/games/{game_id}/answers",
        "POST /trivia/games/{game_id}/hint",
        "POST /trivia/games/{game_id}/stop",
        "GET /trivia/shows",
        "GET /trivia/leaderboard",
        "GET /trivia/daily",
        "GET /api.php",
        "GET /api_token.php",
        "GET /api_category.php",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /selftest/stream",
        "GET /openapi.json",
        "GET /docs/errors",
      ].sort(),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("names the address that its reader used as the server, where that says which", async () => {
    const serversOf = async (request: string) => {
      const [, body = ""] = (await exchange(test.port, request)).split("\r\n\r\n");
      return (JSON.parse(body) as Document).servers;
    };
    const named = "GET /openapi.json HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n";
    expect(await serversOf(named)).toMatchObject([{ url: "http://localhost:8000" }]);
    expect(await serversOf("GET /openapi.json HTTP/1.0\r\n\r\n")).toMatchObject([{ url: "/" }]);
  });

  it("refers to nothing that is not there, and has nothing that is not referred to", () => {
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(?<name>[^"]+)"/g)];
    const names = new Set(references.map((reference) => reference.groups?.["name"]));
    expect([...names].sort()).toEqual(Object.keys(document.components.schemas).sort());
    expect(Object.keys(document.components.schemas).filter((name) => name.endsWith("Input"))).toEqual([]);
  });

  it("describes every error code where it can come", () => {
    const described = operations.flatMap(({ operation }) => Object.values(operation.responses).flatMap(codesOf));
    const codes = Object.keys(problemKinds).filter((code) => !notOfOperations.includes(code));
    expect(codes.filter((code) => !described.includes(code))).toEqual([]);
    for (const { operation } of operations) {
      for (const [status, response] of Object.entries(operation.responses)) {
        const codes = codesOf(response);
        expect(codes.length > 0).toBe(Number(status) >= 400);
        // For people the same as for programs.
        const explained = [...response.description.matchAll(/^`(\w+)`:/gm)].map(([, code]) => code);
        expect(explained).toEqual(codes);
      }
    }
  });

  it("describes the three shapes of an answer and every event of a stream", () => {
    const content = document.paths["/chat/{session_id}"]?.["put"]?.responses["200"]?.content;
    expect(Object.keys(content ?? {})).toEqual(["text/event-stream", "application/json", "text/plain"]);
    expect(content).toMatchObject({
      "text/event-stream": {
        schema: {
          "x-events": {
            turn: { $ref: "#/components/schemas/TurnEvent" },
            message: { $ref: "#/components/schemas/TextEvent" },
            tool: { $ref: "#/components/schemas/ToolEvent" },
            sources: { $ref: "#/components/schemas/SourcesEvent" },
            reset: { $ref: "#/components/schemas/ResetEvent" },
            error: { $ref: "#/components/schemas/ErrorEvent" },
            end: { $ref: "#/components/schemas/EndEvent" },
          },
        },
      },
    });
    // What a page draws a card from is under its name.
    expect(document.components.schemas).toHaveProperty("TriviaCard");
  });

  it("says where a token is needed, and where it may be sent", () => {
    const security = Object.fromEntries(operations.map(({ name, operation }) => [name, operation.security]));
    expect(security["DELETE /sessions/{session_id}"]).toEqual([{ guestToken: [] }]);
    expect(security["POST /sessions"]).toEqual([{}, { guestToken: [] }]);
    expect(security["PUT /chat/{session_id}"]).toEqual([]);
  });

  it("says of every operation, parameter, answer and header what it is", () => {
    const tags = document.tags.map(({ name }) => name);
    for (const { name, operation } of operations) {
      expect([name, tags.includes(operation.tags.join())]).toEqual([name, true]);
      expect([name, operation.summary, operation.description]).not.toContain(undefined);
      const parts = [
        ...Object.entries(operation.responses),
        ...(operation.parameters ?? []).map((parameter) => [parameter.name, parameter] as const),
        ...Object.values(operation.responses).flatMap(({ headers = {} }) => Object.entries(headers)),
      ];
      const silent = parts.filter(([, { description = "" }]) => description.trim() === "").map(([part]) => part);
      expect([name, silent]).toEqual([name, []]);
    }
    expect(document.info.version).toBe("1.2.3");
    expect(document.servers).toEqual([{ url: test.url, description: "This service" }]);
  });

  it("gives examples that are what they are examples of", () => {
    const api = new ApiDescription(document);
    const found: string[] = [];
    const visit = (part: unknown, place: string): void => {
      if (typeof part !== "object" || part === null) return;
      for (const [key, value] of Object.entries(part)) if (key !== "example") visit(value, `${place}/${key}`);
      if (!("example" in part)) return;
      found.push(place);
      const { example, ...schema } = part;
      expect([place, api.faults(schema, example)]).toEqual([place, undefined]);
      if (!("x-events" in schema)) return;
      expect(judgeStream(api, schema, String(example))).toEqual({ faults: [], ended: true });
    };
    visit(document, "");
    const talkedAbout = ["Ask", "ChatHistory", "Problem", "Session", "StoppedTurn", "TurnAnswer"];
    const places = talkedAbout.map((name) => `/components/schemas/${name}`);
    expect(places.filter((place) => !found.some((other) => other.startsWith(place)))).toEqual([]);
  });
});

describe("/docs", () => {
  it("loads nothing from another origin", async () => {
    const response = await fetch(`${test.url}/docs`);
    expect(response.headers.get("content-security-policy")).toContain("script-src 'self'; ");
    const text = await response.text();
    for (const [, reference = ""] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect(reference).toMatch(/^\/docs\/static\//);
      expect((await fetch(test.url + reference)).status).toBe(200);
    }
  });

  it("is a 404 problem where a file is missing", async () => {
    const response = await fetch(`${test.url}/docs/static/nothing.js`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "not_found" });
  });

  it("every `type` of a problem leads to its explanation", async () => {
    const problem = (await (await fetch(`${test.url}/chat/x`)).json()) as { type: string };
    const url = new URL(problem.type, test.url);
    const page = await (await fetch(url)).text();
    expect(url.hash).toBe("#session_not_found");
    for (const code of Object.keys(problemKinds)) expect(page).toContain(`id="${code}"`);
  });
});
