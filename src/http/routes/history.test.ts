import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";
import { openConnection } from "../../../test/helpers/http-socket.ts";
import { sessionDeleted } from "../../protocol/refusals.ts";
import type { History, Storage, Turn } from "../../storage/storage.ts";

let test: TestServer;

afterEach(() => test.close());

async function startWithTurns(texts: readonly string[]): Promise<string> {
  test = await startTestServer();
  const { sessionId } = await test.openSession();
  for (const text of texts) {
    test.model.say(text);
    test.model.finish();
    await (await test.ask(sessionId, "text/event-stream", `Prompt for ${text}`)).text();
  }
  return sessionId;
}

type Body = {
  readonly message_history: { readonly content: string; readonly turn: number }[];
  readonly has_more: boolean;
};

async function read(sessionId: string, query = ""): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${test.url}/chat_history/${sessionId}${query}`);
  return { status: response.status, body: (await response.json()) as Body };
}

/** A session of any size, made as it is read. */
function manyTurns(count: number, answer: string, onPage: (page: number) => void) {
  return (real: Storage): Storage => ({
    ...real,
    turns: {
      ...real.turns,
      async history(access, sessionId, window): Promise<History> {
        const history = await real.turns.history(access, sessionId, window);
        async function* pages() {
          for (let page = 0; page < count; page += 1) {
            onPage(page);
            yield Array.from({ length: 4 }, (_, index) => made(page * 4 + index + 1, answer));
          }
        }
        return { ...history, pages: pages() };
      },
    },
  });
}

function made(turn: number, answer: string): Turn {
  return {
    turn,
    prompt: "Go on",
    answer,
    head: answer.length,
    createdAt: 0,
    continues: null,
    replaces: null,
    error: null,
    tools: [],
    trimmedTurns: null,
    sources: [],
    model: "m",
    status: "completed",
    end: { type: "end", status: "completed", finish_reason: "stop", usage: null, model: "m" },
    endedAt: 0,
  };
}

describe("GET /chat_history", () => {
  it("is the whole dialogue, oldest first, with its fields in their order", async () => {
    const sessionId = await startWithTurns(["one", "two 😀\u2028"]);
    const text = await (await fetch(`${test.url}/chat_history/${sessionId}`)).text();
    expect(
      text.startsWith(`{"payload":"","session_id":"${sessionId}","username":"TR","message_history":[{"role":"user"`),
    ).toBe(true);
    const body = JSON.parse(text) as Body;
    expect(body.message_history.map(({ content }) => content)).toEqual([
      "Prompt for one",
      "one",
      "Prompt for two 😀\u2028",
      "two 😀\u2028",
    ]);
    expect(body.has_more).toBe(false);
    expect(text.endsWith('],"has_more":false}')).toBe(true);
  });

  it("of a session without a turn is an empty list", async () => {
    const sessionId = await startWithTurns([]);
    expect((await read(sessionId)).body).toEqual({
      payload: "",
      session_id: sessionId,
      username: "TR",
      message_history: [],
      has_more: false,
    });
  });

  it("A20: limit is clamped to 1..200 and gives the newest turns; before pages back", async () => {
    const sessionId = await startWithTurns(["one", "two", "three"]);
    const turnsOf = async (query: string) => {
      const { body } = await read(sessionId, query);
      return [[...new Set(body.message_history.map(({ turn }) => turn))], body.has_more];
    };
    for (const one of ["?limit=0", "?limit=-1", "?limit=1", "?limit=-99999999999999999999"]) {
      expect(await turnsOf(one)).toEqual([[3], true]);
    }
    for (const all of ["", "?limit=1e9", "?limit=200", "?limit=1000000000", "?limit=3"]) {
      expect(await turnsOf(all)).toEqual([[1, 2, 3], false]);
    }
    expect(await turnsOf("?limit=1&before=3")).toEqual([[2], true]);
    expect(await turnsOf("?before=2")).toEqual([[1], false]);
    expect(await turnsOf("?before=1")).toEqual([[], false]);
  });

  it.each([
    "limit=NaN",
    "limit=abc",
    "limit=",
    "limit=1.5",
    "limit=1&limit=2",
    "before=0",
    "before=-1",
    "before=x",
    "before=",
  ])("A20: ?%s is 422 and names the parameter", async (query) => {
    const sessionId = await startWithTurns([]);
    const { status, body } = await read(sessionId, `?${query}`);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: "invalid_request", errors: [{ path: query.split("=")[0] }] });
  });

  it("A21: is read only as fast as the client takes it", async () => {
    let pages = 0;
    test = await startTestServer({
      storage: manyTurns(400, "x".repeat(100_000), (page) => {
        pages = page;
      }),
    });
    const { sessionId } = await test.openSession();
    const connection = await openConnection(test.port);
    connection.socket.pause();
    connection.send(`GET /chat_history/${sessionId} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await delay(500);
    // 160 MB in all; what a few socket buffers take is 400 KB a page.
    expect(pages).toBeLessThan(40);
    connection.socket.destroy();
    await delay(50);
    const read = pages;
    await delay(100);
    expect(pages).toBe(read);
  });

  it("A21: of 100 MB never holds up others", async () => {
    test = await startTestServer({ storage: manyTurns(250, "\u00e4".repeat(50_000), () => undefined) });
    const { sessionId } = await test.openSession();
    const began = performance.now();
    const response = await fetch(`${test.url}/chat_history/${sessionId}`);
    let bytes = 0;
    let slowest = 0;
    let reading = true;
    const watching = (async () => {
      while (reading) {
        const startedAt = performance.now();
        await (await fetch(`${test.url}/healthz`)).text();
        slowest = Math.max(slowest, performance.now() - startedAt);
        await delay(10);
      }
    })();
    for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length;
    reading = false;
    await watching;
    expect(bytes).toBeGreaterThan(100_000_000);
    // Whoever read without letting go would hold them up for as long as the whole takes.
    expect(slowest).toBeLessThan(Math.max(500, (performance.now() - began) / 3));
  });

  it("C15: a fault in the middle cuts the connection, so that half a history is not taken for the whole", async () => {
    test = await startTestServer({
      storage: manyTurns(10, "x".repeat(100_000), (page) => {
        if (page === 5) throw new Error("The disk is gone");
      }),
    });
    const { sessionId } = await test.openSession();
    const response = await fetch(`${test.url}/chat_history/${sessionId}`);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(test.log.find(({ level }) => level === "error")).toMatchObject({ err: { message: "The disk is gone" } });
  });

  it("C22: a session that is deleted in the middle cuts the connection too, and is no fault of the service", async () => {
    test = await startTestServer({
      storage: manyTurns(10, "x".repeat(100_000), (page) => {
        if (page === 5) throw sessionDeleted();
      }),
    });
    const { sessionId } = await test.openSession();
    const response = await fetch(`${test.url}/chat_history/${sessionId}`);
    await expect(response.text()).rejects.toThrow();
    expect(test.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("a fault at the beginning is a plain error", async () => {
    test = await startTestServer({
      storage: manyTurns(10, "x", () => {
        throw new Error("The disk is gone");
      }),
    });
    const { sessionId } = await test.openSession();
    expect((await read(sessionId)).status).toBe(500);
  });
});
