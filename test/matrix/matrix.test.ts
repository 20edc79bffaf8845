/** Who may do what in every mode, and that the matrix finds what is wrong. */
import { describe, expect, test } from "vitest";
import { startRedisServer } from "../helpers/redis-server.ts";
import { faultsOf, type Send } from "./matrix.ts";
import { openStage } from "./stage.ts";
import { type Matrix, matrixSuite } from "./suite.ts";

matrixSuite("keys", () => openStage("keys"));
matrixSuite("access tokens", () => openStage("jwt"));

matrixSuite("keys on Redis", async () => {
  const server = await startRedisServer();
  const { cast, close } = await openStage("keys", { STORAGE_URL: server.url });
  return { cast, close: () => close().finally(() => server.close()) };
});

matrixSuite(
  "guests",
  () => openStage("guest"),
  (matrix) => {
    describe("a service that lacks a check", () => {
      test("of who owns a session is found out: whom it lets in, what that changes, and that a session is no secret", async () => {
        const faults = await faultsOf(matrix().world, matrix().operation("changeSession"), asOwner(matrix()));
        expect(faults).toContain("changeSession: other, alice's: 200 undefined instead of 404 session_not_found");
        expect(faults).toContain("changeSession: nobody, alice's: 200 undefined instead of 401 unauthenticated");
        expect(faults).toContain("changeSession: refused requests changed something");
        expect(faults).toContain("changeSession: other: alice's is answered otherwise than what never existed");
      });

      test("of who owns what is listed is found out", async () => {
        const all: Send = async (url, request, about) => {
          const [mine, theirs] = [await fetch(url, request), await asOwner(matrix())(url, request, about)];
          return mine.ok ? theirs : mine;
        };
        const faults = await faultsOf(matrix().world, matrix().operation("listSessions"), all);
        expect(faults).toContain("listSessions: other, alice's: sees what is alice's");
      });

      test("of what a refusal says is found out by a word", async () => {
        const talkative: Send = async (url, request, { owner }) => {
          const response = await fetch(url, request);
          if (response.status !== 404 || owner === undefined) return response;
          return new Response((await response.text()).replace("Invalid", "Forbidden"), response);
        };
        expect(await faultsOf(matrix().world, matrix().operation("exportSession"), talkative)).toEqual([
          "exportSession: owner: bob's is answered otherwise than what never existed",
          "exportSession: other: alice's is answered otherwise than what never existed",
        ]);
      });

      test("of what a refusal says is found out by a header", async () => {
        const talkative: Send = async (url, request, { owner }) => {
          const response = await fetch(url, request);
          if (response.status !== 404 || owner === undefined) return response;
          const headers = new Headers(response.headers);
          headers.set("x-turn", "1");
          return new Response(await response.text(), { status: 404, headers });
        };
        expect(await faultsOf(matrix().world, matrix().operation("deleteSession"), talkative)).toHaveLength(2);
      });
    });

    test("an operation for which no request can be made is none that passes", async () => {
      const { path, parameters, ...operation } = matrix().operation("readSession");
      const folder = { name: "folder", in: "path", required: true, schema: { type: "string" } } as const;
      const unknown = { ...operation, path: `${path}/{folder}`, parameters: [...parameters, folder] };
      await expect(faultsOf(matrix().world, unknown)).rejects.toThrow("nothing here knows a folder for the path");
    });
  },
);

/** Whatever credential comes, it is taken for that of the session's owner. */
function asOwner({ world }: Matrix): Send {
  return (url, request, { owner }) => {
    const { headers } = world.people[owner ?? "alice"];
    return fetch(url, { ...request, headers: { ...request.headers, ...headers } });
  };
}
