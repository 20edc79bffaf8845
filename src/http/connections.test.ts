/** What a connection may carry: headers, framing, pace and pipelining, over real sockets (group A of the faults). */
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/helpers/http-server.ts";
import { exchange, openConnection, statusOf } from "../../test/helpers/http-socket.ts";

let test: TestServer;
let sessionId: string;

beforeAll(async () => {
  test = await startTestServer();
  ({ sessionId } = await test.openSession());
});

afterAll(() => test.close());

describe("connections", () => {
  it("A17: a body that is refused once it is there costs nobody behind it the connection", async () => {
    const put = `PUT /chat/${"0".repeat(32)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`;
    const received = await exchange(
      test.port,
      `${put}Content-Length: 4\r\n\r\n{badGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect([...received.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => status)).toEqual(["400", "200"]);
  });

  it("A14: headers over 16 KiB are 431 and the connection closes", async () => {
    const response = await exchange(
      test.port,
      `GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ${"x".repeat(17_000)}\r\n\r\n`,
    );
    expect(statusOf(response)).toBe(431);
    expect(response).toContain('"code":"headers_too_large"');
  });

  it("A14: over 100 headers are 431, 100 are fine", async () => {
    const request = (lines: number) =>
      `GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${Array.from({ length: lines - 2 }, (_, index) => `X-${index}: 1\r\n`).join("")}\r\n`;
    expect(statusOf(await exchange(test.port, request(100)))).toBe(200);
    expect(statusOf(await exchange(test.port, request(101)))).toBe(431);
    // Node's own parser refuses so many.
    expect(await exchange(test.port, request(200))).toContain("The headers may have 16 KiB and 100 lines at most.");
    expect(statusOf(await exchange(test.port, request(400)))).toBe(431);
  });

  it.each([
    ["no host", "GET /healthz HTTP/1.1\r\n"],
    ["two hosts", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n"],
    ["the same host twice", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n"],
    ["no host and a path that cannot be decoded", "GET /chat/%zz HTTP/1.1\r\n"],
  ])("a request with %s is 400", async (_name, head) => {
    const response = await exchange(test.port, `${head}Connection: close\r\n\r\n`);
    expect(statusOf(response)).toBe(400);
    expect(response).toContain('"code":"bad_request"');
  });

  it("HTTP/1.0 knows no hosts, so none is missing", async () => {
    expect(statusOf(await exchange(test.port, "GET /healthz HTTP/1.0\r\n\r\n"))).toBe(200);
  });

  it("A15: the limits on slow requests are what the service promises", () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout, timeout } = test.server.app.server;
    expect({ headersTimeout, requestTimeout, keepAliveTimeout, timeout }).toEqual({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 75_000,
      timeout: 0,
    });
  });

  it("A15: slow headers, a slow body and a silent connection are 408 and closed", async () => {
    const impatient = await startTestServer();
    const { sessionId: id } = await impatient.openSession();
    impatient.server.app.server.headersTimeout = 100;
    impatient.server.app.server.requestTimeout = 200;
    const beginnings = [
      "",
      "GET / HTTP/1.1\r\nHost: local",
      `PUT /chat/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{"pay`,
    ];
    const answers = await Promise.all(beginnings.map((beginning) => exchange(impatient.port, beginning)));
    expect(answers.map(statusOf)).toEqual([408, 408, 408]);
    await impatient.close();
  });

  it.each([
    ["both lengths", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a bad chunk size", "Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n"],
    ["two lengths", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"],
    ["bare line feeds", "X-A: 1\nX-B: 2\r\n\r\n"],
    ["a header without a name", ": x\r\n\r\n"],
  ])("A16: %s: 400 and the connection closes", async (_name, rest) => {
    const response = await exchange(
      test.port,
      `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${rest}`,
    );
    expect(statusOf(response)).toBe(400);
    expect(response).toContain('"code":"bad_request"');
  });

  it("A16: garbage behind a request that is being answered is not answered into that answer", async () => {
    for (const accept of ["text/event-stream", "application/json"]) {
      const { sessionId } = await test.openSession();
      const connection = await openConnection(test.port);
      const body = '{"payload":"Hello!"}';
      connection.send(
        `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      const turns = async () => (await fetch(`${test.url}/sessions/${sessionId}`)).text();
      await expect.poll(turns).toContain('"turns":1');
      if (accept === "text/event-stream") await connection.waitFor("x-turn: 1");
      connection.send("this is no HTTP\r\n\r\n");
      await connection.closed;
      expect(connection.received()).not.toContain("HTTP/1.1 400");
      await fetch(`${test.url}/chat/${sessionId}`, { method: "DELETE" });
    }
  });

  it("A16: a body that turns out to be faulty after its request was answered gets no second answer", async () => {
    const connection = await openConnection(test.port);
    connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    await connection.waitFor('{"status":"ok"}');
    connection.send("no chunk\r\n");
    await connection.closed;
    expect(connection.received().match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it("A16: a connection whose body is faulty is given back, also when nobody reads that body", async () => {
    const impatient = await startTestServer();
    const connections = () => promisify(impatient.server.app.server.getConnections.bind(impatient.server.app.server))();
    const { sessionId: id } = await impatient.openSession();
    // More than Node reads ahead, so that it has stopped reading when the fault shows.
    const body = `${(70_000).toString(16)}\r\n${"x".repeat(70_000)}\r\n0\r\nContent-Length: 7\r\n\r\n`;
    const connection = await openConnection(impatient.port);
    connection.send(`GET /sessions/${id} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    await connection.closed;
    await fetch(`${impatient.url}/healthz`, { headers: { connection: "close" } });
    await expect.poll(connections, { timeout: 5_000 }).toBe(0);
    await impatient.close();
  });

  it("A17: pipelined requests are answered in their order, 1,000 on one connection", async () => {
    const request = (index: number) => `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r${index}\r\n\r\n`;
    const response = await exchange(test.port, Array.from({ length: 1_100 }, (_, index) => request(index)).join(""));
    const order = [...response.matchAll(/^x-request-id: r(\d+)\r$/gm)].map((match) => Number(match[1]));
    expect(order.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect([...response.matchAll(/HTTP\/1\.1 200 OK/g)]).toHaveLength(1_000);
  });
});
