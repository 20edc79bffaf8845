import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../../test/helpers/client.ts";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { exchange, statusOf } from "../../test/helpers/http-socket.ts";

let test: TestServer;
let sessionId: string;
let token: string;

beforeAll(async () => {
  test = await startTestServer();
  ({ sessionId, token } = await test.openSession());
});

afterAll(() => test.close());

describe("credentials", () => {
  const remove = (headers: Record<string, string>) =>
    fetch(`${test.url}/sessions/${sessionId}`, { method: "DELETE", headers });

  it("B1: where a token is needed and none is sent: 401, which says what to send", async () => {
    const response = await remove({});
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
    const { code, detail } = await problemOf(response);
    expect(code).toBe("unauthenticated");
    expect(detail).toContain("Authorization: Bearer");
  });

  it("B2, B5: another token or scheme: 401, the same whatever is wrong with it", async () => {
    const wrong = [`Bearer guest_${"A".repeat(43)}`, "Bearer x", `Basic ${token}`, "Bearer", "Bearer a b", token];
    const bodies = await Promise.all(
      wrong.map(async (authorization) => {
        const response = await remove({ authorization });
        expect(response.status).toBe(401);
        return (await problemOf(response))["code"];
      }),
    );
    expect(new Set(bodies)).toEqual(new Set(["invalid_credential"]));
  });

  it("B8: another guest's token: 404, the same body as for an id that never was", async () => {
    const other = await test.openSession();
    const authorization = `Bearer ${other.token}`;
    const ask = async (id: string) => {
      const response = await fetch(`${test.url}/sessions/${id}`, {
        method: "DELETE",
        headers: { authorization, "x-request-id": "same" },
      });
      expect(response.status).toBe(404);
      return (await response.text()).replace(id, "<id>");
    };
    expect(await ask(sessionId)).toBe(await ask("f".repeat(32)));
    expect(await ask("1234")).toBe(await ask("f".repeat(32)));
  });

  it("B5: two credentials in one request: 400, on every route", async () => {
    for (const path of ["/healthz", `/sessions/${sessionId}`]) {
      const response = await exchange(
        test.port,
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`,
      );
      expect(statusOf(response)).toBe(400);
      expect(response).toContain('"code":"ambiguous_credentials"');
    }
    const response = await remove({ authorization: `Bearer ${token}`, "x-api-key": "x" });
    expect((await problemOf(response))["code"]).toBe("ambiguous_credentials");
  });

  it.each(["token", "access_token", "api_key"])("B7: ?%s= in the URL: 400, and it is not read", async (name) => {
    const response = await fetch(`${test.url}/?username=TR&${name}=${token}`);
    expect(response.status).toBe(400);
    expect((await problemOf(response))["code"]).toBe("credential_in_url");
  });

  it("a token opens the next session for the same guest, an unknown one opens none", async () => {
    const open = (authorization: string) => fetch(`${test.url}/?username=TR`, { headers: { authorization } });
    const again = (await (await open(`Bearer ${token}`)).json()) as { token: string; session_id: string };
    expect(again.token).toBe(token);
    expect(again.session_id).not.toBe(sessionId);
    expect((await open(`Bearer guest_${"A".repeat(43)}`)).status).toBe(401);
  });
});
