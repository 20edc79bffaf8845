/** The OpenAPI document as other programs see it, in every mode. */
import { Validator } from "@seriousme/openapi-schema-validator";
import postman, { type CollectionResult } from "openapi-to-postmanv2";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startTestApp, type TestApp } from "./helpers/app.ts";

const modes: Readonly<Record<string, Record<string, string>>> = {
  guest: {},
  keys: { AUTH: "keys" },
  jwt: {
    AUTH: "jwt",
    AUTH_JWKS_URL: "http://127.0.0.1:9/jwks.json",
    AUTH_JWT_ISSUER: "https://login.example",
    AUTH_JWT_AUDIENCE: "https://chat.example",
  },
};

/** For everybody in every mode: whatever is new here has to be of no use for looking at somebody's data. */
const onNobodysData = ["errors", "healthz", "logOut", "metrics", "openapi", "readyz", "selftestStream"];

/** For guests, the id of a session or a game is all that these need; the last few have no id and tell what all guests may know. */
const byCapability = [
  "ask",
  "continue",
  "followNewestTurn",
  "followTurn",
  "readHistory",
  "readSession",
  "regenerate",
  "stopRunningTurn",
  "stopTurn",
  "answerQuestion",
  "readGame",
  "stopGame",
  "takeHint",
  "listShows",
  "readDaily",
  "readLeaderboard",
  "openTriviaCategories",
  "openTriviaQuestions",
  "openTriviaToken",
];

/** What opens a session or begins a game, which makes a caller of a guest. */
const opening = ["openSession", "openSessionByLink", "startGame"];

/** Whoever may only read may sign in to do that. */
const readingByPost = ["logIn"];

type Operation = { readonly operationId: string; readonly security: readonly object[] };

type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: object };
};

type PostmanItem = {
  readonly name: string;
  readonly item?: PostmanItem[];
  readonly request?: { readonly method: string };
};

describe.each(Object.entries(modes))("the document with AUTH=%s", (mode, environment) => {
  let app: TestApp;
  let text: string;
  let document: Document;

  beforeAll(async () => {
    app = await startTestApp(environment);
    text = await (await fetch(`${app.baseUrl}/openapi.json`)).text();
    document = JSON.parse(text);
  });

  afterAll(() => app.close());

  test("is valid OpenAPI 3.1 by a third-party validator", async () => {
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(text))).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  test("is found out by that validator where it has a fault", async () => {
    const broken = text.replace('"paths":', '"pathes":');
    expect(await new Validator().validate(JSON.parse(broken))).toMatchObject({ valid: false });
  });

  test("is imported whole by Postman, which complains about nothing", async () => {
    const complaints = ["error", "warn", "log"].map((method) => vi.spyOn(console, method as "error"));
    const converted = await new Promise<CollectionResult | undefined>((resolve, reject) => {
      postman.convertV2({ type: "string", data: text }, {}, (error, result) =>
        error === null ? resolve(result) : reject(new Error(error.message)),
      );
    });
    expect(converted?.reason).toBeUndefined();
    expect(converted?.result).toBe(true);
    const requests = (items: readonly PostmanItem[] = []): PostmanItem[] =>
      items.flatMap((item) => (item.request === undefined ? requests(item.item) : [item]));
    const operations = Object.values(document.paths).flatMap(Object.keys);
    const collection = converted?.output?.[0]?.data as PostmanItem | undefined;
    expect(requests(collection?.item)).toHaveLength(operations.length);
    for (const complaint of complaints) expect(complaint.mock.calls).toEqual([]);
  });

  test("says which credential and which scope each operation needs: all but a few that are on nobody's data", () => {
    const name = { guest: "guestToken", keys: "key", jwt: "accessToken" }[mode] ?? "";
    expect(Object.keys(document.components.securitySchemes)).toEqual([name]);
    const operations = Object.values(document.paths).flatMap((methods) => Object.entries(methods));
    const needsNone = operations.filter(([, { security }]) => security.length === 0);
    const ids = needsNone.map(([, { operationId }]) => operationId).sort();
    expect(ids).toEqual([...onNobodysData, ...(mode === "guest" ? byCapability : [])].sort());
    for (const [method, { operationId, security }] of operations) {
      if (security.length === 0) continue;
      const mayBeMissing = mode === "guest" && opening.includes(operationId);
      const isReading = (method === "get" && !opening.includes(operationId)) || readingByPost.includes(operationId);
      const scope = isReading ? "read" : "write";
      const needed = { [name]: mode === "guest" ? [] : [scope] };
      expect({ operationId, security }).toEqual({ operationId, security: mayBeMissing ? [{}, needed] : [needed] });
    }
  });
});
