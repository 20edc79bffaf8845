/** Who may do what, of everything that the OpenAPI document names: see matrix/matrix.ts. */
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ApiDescription, type Document, type Operation } from "./helpers/api-description.ts";
import { startTestApp, type TestApp } from "./helpers/app.ts";
import { authorized, openSession } from "./helpers/client.ts";
import { faultsOf, type Send } from "./matrix/matrix.ts";
import { commonPrincipals, makeWorld, type World } from "./matrix/world.ts";

const names = new ApiDescription(inject("apiDocument")).operations.map(({ operationId }) => operationId);
const guestScopes = ["read", "write"];

describe("guests", () => {
  let app: TestApp;
  let world: World;
  let api: ApiDescription;

  beforeAll(async () => {
    app = await startTestApp({ DEMO_WORD_DELAY_MS: "0" });
    const { baseUrl } = app;
    api = new ApiDescription((await (await fetch(`${baseUrl}/openapi.json`)).json()) as Document);
    const [alice, bob] = await Promise.all([openSession(baseUrl), openSession(baseUrl)]);
    world = await makeWorld({
      baseUrl,
      usernamesAreOwn: false,
      people: {
        alice: { username: "TR", headers: authorized(alice.token) },
        bob: { username: "TR", headers: authorized(bob.token) },
      },
      principals: [
        ...commonPrincipals(alice.token, {
          "a token that was never given out": `Bearer guest_${"A".repeat(43)}`,
          "a key": `Bearer chatkey_${"A".repeat(43)}`,
        }),
        {
          name: "alice",
          headers: authorized(alice.token),
          credential: { kind: "good", of: "alice", scopes: guestScopes },
        },
        { name: "bob", headers: authorized(bob.token), credential: { kind: "good", of: "bob", scopes: guestScopes } },
      ],
    });
  });

  afterAll(() => app.close());

  const operationOf = (name: string): Operation => {
    const operation = api.operations.find(({ operationId }) => operationId === name);
    if (operation === undefined) throw new Error(`The document of this mode has no ${name}`);
    return operation;
  };

  test.each(names)("P10: %s", async (name) => {
    expect(await faultsOf(world, operationOf(name))).toEqual([]);
  });

  describe("where a check is missing", () => {
    /** Whatever credential comes, it is taken for that of the session's owner. */
    const asOwner: Send = (url, request, { owner }) => {
      const { headers } = world.people[owner ?? "alice"];
      return fetch(url, { ...request, headers: { ...request.headers, ...headers } });
    };

    test("of who owns a session, all is found: who was let in, what was changed, and that it is no secret", async () => {
      const faults = await faultsOf(world, operationOf("changeSession"), asOwner);
      expect(faults).toContain("changeSession: bob, alice's: 200 undefined instead of 404 session_not_found");
      expect(faults).toContain("changeSession: nobody, alice's: 200 undefined instead of 401 unauthenticated");
      expect(faults).toContain("changeSession: refused requests changed something");
      expect(faults).toContain("changeSession: bob: alice's is answered otherwise than what never existed");
    });

    test("of who owns what is listed, it is found", async () => {
      const all: Send = async (url, request, about) => {
        const [mine, theirs] = [await fetch(url, request), await asOwner(url, request, about)];
        return mine.ok ? theirs : mine;
      };
      const faults = await faultsOf(world, operationOf("listSessions"), all);
      expect(faults).toContain("listSessions: bob, alice's: sees what is alice's");
    });

    test("a word more about what exists is found", async () => {
      const talkative: Send = async (url, request, { owner }) => {
        const response = await fetch(url, request);
        if (response.status !== 404 || owner === undefined) return response;
        return new Response((await response.text()).replace("Invalid", "Forbidden"), response);
      };
      expect(await faultsOf(world, operationOf("exportSession"), talkative)).toEqual([
        "exportSession: alice: bob's is answered otherwise than what never existed",
        "exportSession: bob: alice's is answered otherwise than what never existed",
      ]);
    });

    test("a header more on what exists is found", async () => {
      const talkative: Send = async (url, request, { owner }) => {
        const response = await fetch(url, request);
        if (response.status !== 404 || owner === undefined) return response;
        const headers = new Headers(response.headers);
        headers.set("x-turn", "1");
        return new Response(await response.text(), { status: 404, headers });
      };
      expect(await faultsOf(world, operationOf("deleteSession"), talkative)).toHaveLength(2);
    });
  });

  test("an operation for which no request can be made is none that passes", async () => {
    const { path, parameters, ...operation } = operationOf("readSession");
    const folder = { name: "folder", in: "path", required: true, schema: { type: "string" } } as const;
    const unknown = { ...operation, path: `${path}/{folder}`, parameters: [...parameters, folder] };
    await expect(faultsOf(world, unknown)).rejects.toThrow("nothing here knows a folder for the path");
  });
});
