import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { exchange, statusOf } from "../../test/helpers/http-socket.ts";

let test: TestServer;

beforeAll(async () => {
  test = await startTestServer();
});

afterAll(() => test.close());

describe("hosts", () => {
  const get = (port: number, host: string, path = "/healthz") =>
    exchange(port, `GET ${path} HTTP/1.1\r\n${host === "" ? "" : `Host: ${host}\r\n`}Connection: close\r\n\r\n`);

  it.each(["localhost", "localhost:1", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "[::1]"])(
    "A23: %s is us",
    async (host) => {
      expect(statusOf(await get(test.port, host))).toBe(200);
    },
  );

  it.each([
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "x@localhost",
  ])("A23: %s is not us: 421 on every route", async (host) => {
    for (const path of [
      "/healthz",
      "/",
      "/?username=x",
      "/chat/x",
      "/chat/%zz",
      "/nothing",
      "/docs",
      "/openapi.json",
    ]) {
      const response = await get(test.port, host, path);
      expect(statusOf(response)).toBe(421);
      expect(response).toContain('"code":"host_not_allowed"');
    }
  });

  it("A23: ALLOWED_HOSTS adds names", async () => {
    const named = await startTestServer({ config: { allowedHosts: ["chat.example"] } });
    expect(statusOf(await get(named.port, "chat.example"))).toBe(200);
    expect(statusOf(await get(named.port, "Chat.Example:443"))).toBe(200);
    expect(statusOf(await get(named.port, "evil.example"))).toBe(421);
    await named.close();
  });

  it("A23: beyond loopback any host passes, until there are ALLOWED_HOSTS", async () => {
    const open = await startTestServer({ config: { host: "0.0.0.0" } });
    expect(statusOf(await get(open.port, "any.example"))).toBe(200);
    await open.close();
    const named = await startTestServer({ config: { host: "0.0.0.0", allowedHosts: ["chat.example"] } });
    expect(statusOf(await get(named.port, "any.example"))).toBe(421);
    expect(statusOf(await get(named.port, "localhost"))).toBe(200);
    await named.close();
  });
});
