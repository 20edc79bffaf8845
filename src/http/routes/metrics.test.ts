import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";

const metricsToken = "metrics-token-0123456789";

let test: TestServer;

afterEach(() => test.close());

type Answer = { readonly status: number | undefined; readonly body: string };

/** With a `Host` of the test's own, which `fetch` does not send. */
function get(path: string, headers: Record<string, string> = {}, address = "127.0.0.1"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: address, port: test.port, path, headers }, async (response) => {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() });
    });
    asked.on("error", reject).end();
  });
}

function withoutRequestId({ status, body }: Answer): unknown {
  const { request_id: _, ...problem } = JSON.parse(body) as Record<string, unknown>;
  return { status, problem };
}

/** Addresses of this machine beyond loopback. */
const ownAddresses = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ internal, family }) => !internal && family === "IPv4")
  .map(({ address }) => address);

describe("GET /metrics", () => {
  it("answers whoever is on the machine", async () => {
    test = await startTestServer();
    expect((await get("/metrics")).status).toBe(200);
    expect((await get("/metrics", { host: `localhost:${test.port}` })).status).toBe(200);
  });

  it.each([
    ["a proxy that says whom it asks for", { "x-forwarded-for": "203.0.113.9" }],
    ["a proxy that only says that it is one", { via: "1.1 proxy" }],
    ["a proxy that hands on the host", { host: "chat.example.org" }],
    ["a proxy that names the host beside", { "x-forwarded-host": "chat.example.org" }],
  ])("H15: is to a stranger behind %s as if it were not there", async (_, headers: Record<string, string>) => {
    test = await startTestServer({ config: { allowedHosts: ["chat.example.org"] } });
    const answer = await get("/metrics", headers);
    expect(answer.status).toBe(404);
    expect(withoutRequestId(answer)).toEqual(withoutRequestId(await get("/nothing-here", headers)));
  });

  it("is as if it were not there to another machine", async () => {
    test = await startTestServer({ config: { host: "0.0.0.0" } });
    const [address = "127.0.0.1"] = ownAddresses;
    // Where the machine has no other address than loopback there is no other machine either.
    expect((await get("/metrics", {}, address)).status).toBe(ownAddresses.length === 0 ? 200 : 404);
  });

  it("answers whoever sends the token, from anywhere", async () => {
    test = await startTestServer({ config: { metricsToken } });
    const headers = { via: "1.1 proxy" };
    expect((await get("/metrics", { ...headers, authorization: `Bearer ${metricsToken}` })).status).toBe(200);
    const without = await get("/metrics", headers);
    expect([without.status, JSON.parse(without.body).code]).toEqual([401, "unauthenticated"]);
    const wrong = await get("/metrics", { ...headers, authorization: `Bearer ${metricsToken}x` });
    expect([wrong.status, JSON.parse(wrong.body).code]).toEqual([401, "invalid_credential"]);
    expect(JSON.stringify([without, wrong])).not.toContain(metricsToken);
  });
});
