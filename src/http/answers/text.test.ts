import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import { openConnection, type RawConnection } from "../../../test/helpers/http-socket.ts";
import { feedOf } from "../../../test/helpers/storage.ts";
import type { TurnEvent } from "../../protocol/events.ts";
import type { Storage } from "../../storage/storage.ts";

let test: TestServer;
let sessionId: string;

beforeEach(async () => {
  test = await startTestServer();
  ({ sessionId } = await test.openSession());
});

afterEach(() => test.close());

async function ask(): Promise<RawConnection> {
  const connection = await openConnection(test.port);
  const body = '{"payload":"Hello!"}';
  connection.send(
    `PUT /chat/${sessionId} HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  return connection;
}

describe("an answer as text", () => {
  it("is the text as it comes, after headers that come at once", async () => {
    const connection = await ask();
    await connection.waitFor("content-type: text/plain; charset=utf-8");
    await connection.waitFor("\r\n\r\n");
    test.model.say("Hello, ");
    await connection.waitFor("Hello, ");
    test.model.say("TR 😀\n");
    test.model.finish();
    await connection.waitFor("\r\n0\r\n\r\n");
    expect(connection.received()).toContain("TR 😀\n");
    expect(connection.socket.destroyed).toBe(false);
    connection.socket.destroy();
  });

  it("of a turn that ends incomplete ends in a reset of the connection, after the text", async () => {
    const connection = await ask();
    test.model.say("Half of it");
    test.model.finish("length");
    expect(await connection.closed).toBe("ECONNRESET");
    expect(connection.received()).toContain("Half of it");
  });

  it("of a turn that fails, or is stopped, ends in a reset of the connection", async () => {
    const failing = await ask();
    test.model.fail("upstream_error");
    expect(await failing.closed).toBe("ECONNRESET");

    const stopped = await ask();
    await stopped.waitFor("x-turn: 2");
    await fetch(`${test.url}/chat/${sessionId}`, { method: "DELETE" });
    expect(await stopped.closed).toBe("ECONNRESET");
  });

  it("of a session that is deleted ends in a reset of the connection", async () => {
    const { sessionId: id, token } = await test.openSession();
    sessionId = id;
    const connection = await ask();
    await connection.waitFor("x-turn: 1");
    await fetch(`${test.url}/sessions/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    expect(await connection.closed).toBe("ECONNRESET");
  });

  it("whose client closes its half ends in a reset, which is no success over HTTP/1.0 either", async () => {
    const connection = await openConnection(test.port);
    const body = '{"payload":"Hello!"}';
    connection.send(
      `PUT /chat/${sessionId} HTTP/1.0\r\nHost: localhost\r\nAccept: text/plain\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    test.model.say("Half of it");
    await connection.waitFor("Half of it");
    connection.socket.end();
    expect(await connection.closed).toBe("ECONNRESET");
  });

  it("from a place that is not in the log ends in a reset: its client cannot be told to begin anew", async () => {
    const asking = await ask();
    test.model.say("So far");
    await asking.waitFor("So far");
    const resuming = await openConnection(test.port);
    resuming.send(`GET /chat/${sessionId}/1?after=1.9999 HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n`);
    expect(await resuming.closed).toBe("ECONNRESET");
    expect(resuming.received()).not.toContain("So far");
    asking.socket.destroy();
  });

  it("that is reset after text was sent ends in a reset of the connection; before, it begins anew", async () => {
    await test.close();
    const reset: TurnEvent = { type: "reset", text: "Anew", reason: "test" };
    let text = "";
    const withReset = (real: Storage): Storage => ({
      ...real,
      turns: {
        ...real.turns,
        follow: async (...place) => {
          const following = await real.turns.follow(...place);
          async function* events() {
            if (text !== "") yield [{ position: 4, event: { type: "text", text } as const }];
            yield [{ position: 5, event: reset }];
            yield* following.events;
          }
          return { ...following, events: feedOf(events()) };
        },
      },
    });
    test = await startTestServer({ storage: withReset });
    ({ sessionId } = await test.openSession());
    test.model.finish();
    const fresh = await ask();
    await fresh.waitFor("\r\n0\r\n\r\n");
    expect(fresh.received()).toContain("Anew");
    fresh.socket.destroy();

    text = "Old ";
    test.model.finish();
    const late = await ask();
    expect(await late.closed).toBe("ECONNRESET");
    expect(late.received()).not.toContain("Anew");
  });
});
