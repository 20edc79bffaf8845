/** Answers on their way through nginx, as deploy/nginx sets it up: at once, whole or visibly cut, and for as long as anybody reads. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openSession, send, startTurn, textOf } from "./helpers/client.ts";
import { type FakeReplica, startFakeReplica } from "./helpers/fake-replica.ts";
import { openConnection } from "./helpers/http-socket.ts";
import { type Nginx, startNginx } from "./helpers/nginx.ts";
import { type Service, startService } from "./helpers/service.ts";

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

/** A replica whose answers the test writes itself, and nginx before it. */
let replica: FakeReplica;
let nginx: Nginx;
let next = Promise.withResolvers<Exchange>();

beforeAll(async () => {
  replica = await startFakeReplica((request, response) => {
    next.resolve({ request, response });
    next = Promise.withResolvers();
  });
  nginx = await startNginx({ upstreams: [replica.baseUrl] });
});

afterAll(async () => {
  await nginx.close();
  await replica.close();
});

/** Asks, and gives both ends. */
async function ask(through: Nginx = nginx, method = "PUT") {
  const arrived = next.promise;
  const controller = new AbortController();
  const { signal } = controller;
  const body = method === "GET" ? {} : { body: '{"payload":"Hello!"}' };
  const answer = fetch(`${through.baseUrl}/chat/1`, { method, signal, ...body });
  answer.catch(() => undefined);
  return { ...(await arrived), answer, leave: () => controller.abort() };
}

/** Begins an answer and gives a reader of it. */
async function begin(through?: Nginx) {
  const { response, answer, ...rest } = await ask(through);
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).flushHeaders();
  const reader = (await answer).body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("The answer has no body");
  return { ...rest, response, reader };
}

function closed(socket: Socket | null): Promise<unknown> {
  return socket === null || socket.destroyed ? Promise.resolve() : once(socket, "close");
}

describe("an answer arrives piece by piece", () => {
  /** Each piece is only written once the one before has arrived, so that none can have waited for another one. */
  async function passOn(through: Nginx, pieces: readonly string[]): Promise<string[]> {
    const { response, reader } = await begin(through);
    const received: string[] = [];
    for (const piece of pieces) {
      response.write(piece);
      const { value = "" } = await reader.read();
      received.push(value);
    }
    response.end();
    expect((await reader.read()).done).toBe(true);
    return received;
  }

  test("the headers before there is any text, then every word at once", async () => {
    const pieces = ["Hello ", "TR", "! ", "My name is ", "Démo 🦊", "."];
    expect(await passOn(nginx, pieces)).toEqual(pieces);
  });

  test("which by nginx's default the headers would not", async () => {
    const buffering = { upstreams: [replica.baseUrl], replace: { line: "proxy_buffering off;" } };
    const before = await startNginx(buffering);
    onTestFinished(() => before.close());
    const { response, answer } = await ask(before);
    response.flushHeaders();
    expect(await Promise.race([answer, delay(300, "nothing")])).toBe("nothing");
    response.end("Hello TR!");
    expect(await (await answer).text()).toBe("Hello TR!");
  });
});

describe("an answer that is cut on the way to nginx is cut for the client", () => {
  const cuts: [how: string, cut: (socket: Socket) => void][] = [
    ["a reset", (socket) => void socket.resetAndDestroy()],
    ["an end of the connection", (socket) => void socket.destroySoon()],
  ];

  test.each(cuts)("by %s: over HTTP/1.1 without the last chunk", async (_, cut) => {
    const arrived = next.promise;
    const client = await openConnection(nginx.port);
    client.send("GET /chat/1 HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\n\r\n");
    const { response } = await arrived;
    response.write("Half of the ans");
    await client.waitFor("Half of the ans");
    cut(response.socket as Socket);
    await client.closed;
    expect(client.received()).toMatch(/\r\n\r\nf\r\nHalf of the ans\r\n$/);
  });

  test.each(cuts)("by %s: so that fetch says so", async (_, cut) => {
    const { response, reader } = await begin();
    response.write("Half of the ans");
    expect((await reader.read()).value).toBe("Half of the ans");
    cut(response.socket as Socket);
    await expect(reader.read()).rejects.toThrow();
  });

  test("while one that ends properly has its last chunk, and the connection stays", async () => {
    const arrived = next.promise;
    const client = await openConnection(nginx.port);
    client.send("GET /chat/1 HTTP/1.1\r\nHost: x\r\n\r\n");
    const { response } = await arrived;
    response.write("The ans");
    response.end("wer");
    await client.waitFor("\r\n0\r\n\r\n");
    expect(client.socket.destroyed).toBe(false);
    client.socket.destroy();
  });
});

describe("a client that reads slowly", () => {
  const mebibyte = "x".repeat(1_048_576);

  /** How many mebibytes of 64 leave the replica while the client takes nothing. */
  async function leaveReplica(through: Nginx): Promise<number> {
    const { response, leave } = await ask(through);
    for (let count = 0; count < 64; count += 1) {
      const left = new Promise((resolve) => response.write(mebibyte, () => resolve(true)));
      if (await Promise.race([left, delay(1_000, false)])) continue;
      leave();
      return count;
    }
    leave();
    return 64;
  }

  test("holds up its replica, which notices", async () => {
    expect(await leaveReplica(nginx)).toBeLessThan(32);
  });

  test("which by nginx's default would be relieved of all of it, into a file", async () => {
    const buffering = { upstreams: [replica.baseUrl], replace: { line: "proxy_buffering off;" } };
    const before = await startNginx(buffering);
    onTestFinished(() => before.close());
    expect(await leaveReplica(before)).toBe(64);
  });
});

describe("a client that goes away", () => {
  test("takes its connection to the replica along, in mid-answer", async () => {
    const { response, reader, leave } = await begin();
    response.write("Hello");
    await reader.read();
    const gone = closed(response.socket);
    leave();
    await gone;
  });

  test.each(["PUT", "GET"])("also while %s has no answer yet", async (method) => {
    const { response, leave } = await ask(nginx, method);
    const gone = closed(response.socket);
    leave();
    await gone;
  });
});

describe("a real service behind nginx", () => {
  let service: Service;
  let before: Nginx;

  beforeAll(async () => {
    service = await startService({ DEMO_WORD_DELAY_MS: "20" });
    before = await startNginx({ upstreams: [service.baseUrl] });
  });

  afterAll(async () => {
    await before.close();
    await service.end("SIGTERM");
  });

  test("C12: heartbeats pass, so that nothing between takes the silence for an end", async () => {
    const slow = await startService({ HEARTBEAT_SECONDS: "0.1", DEMO_WORD_DELAY_MS: "60000" });
    const silent = await startNginx({ upstreams: [slow.baseUrl] });
    onTestFinished(async () => {
      await silent.close();
      await slow.end("SIGKILL");
    });
    const { sessionId } = await openSession(silent.baseUrl);
    const response = await send(silent.baseUrl, sessionId, "Hello!");
    let received = "";
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += piece;
      if (received.split("\n:").length > 3) break;
    }
    expect(received).not.toContain('data: {"text"');
  });

  test("a text whose turn is stopped is cut, one that completes is not", async () => {
    const { sessionId } = await openSession(before.baseUrl);
    const accept = "text/plain";
    expect(await (await send(before.baseUrl, sessionId, "Hello!", { accept })).text()).toContain("TR");
    const long = await send(before.baseUrl, sessionId, "Tell me a story of three hundred words.", { accept });
    const reading = long.text();
    reading.catch(() => undefined);
    await fetch(`${before.baseUrl}/chat/${sessionId}`, { method: "DELETE" });
    await expect(reading).rejects.toThrow();
  });

  test("an answer goes on when nginx is gone, and can be followed where it still is", async () => {
    const dying = await startNginx({ upstreams: [service.baseUrl] });
    const { sessionId, events } = await startTurn(dying.baseUrl);
    await dying.close();
    const seen = await events;
    expect(seen.at(-1)?.type).toBe("text");
    const rest = await fetch(`${before.baseUrl}/chat/${sessionId}`, {
      headers: { "last-event-id": seen.at(-1)?.id ?? "" },
    });
    expect(await rest.text()).toContain("event: end");
    expect(textOf(seen)).not.toBe("");
  });
});
