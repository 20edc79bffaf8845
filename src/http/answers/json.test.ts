import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../../test/helpers/http-server.ts";

let test: TestServer;
let sessionId: string;

async function start(waitMs: number): Promise<void> {
  test = await startTestServer({ config: { waitMs } });
  ({ sessionId } = await test.openSession());
}

beforeEach(() => start(5_000));

afterEach(() => test.close());

describe("an answer as JSON", () => {
  it("comes when it is whole", async () => {
    const asked = test.ask(sessionId, "application/json");
    test.model.say("Hello, ");
    test.model.say("TR!");
    test.model.finish();
    const response = await asked;
    expect(response.status).toBe(200);
    expect(response.headers.get("x-turn")).toBe("1");
    expect(await response.json()).toEqual({
      session_id: sessionId,
      turn: 1,
      status: "completed",
      answer: "Hello, TR!",
      finish_reason: "stop",
      usage: { input_tokens: 1, output_tokens: 1 },
      model: "scripted",
    });
  });

  it("is 202 with how it stands and where to ask, when it takes longer than the client is kept waiting", async () => {
    await test.close();
    await start(100);
    test.model.say("Wait");
    const response = await test.ask(sessionId, "application/json");
    expect(response.status).toBe(202);
    const location = response.headers.get("location");
    expect(location).toBe(`/chat/${sessionId}/1`);
    expect(await response.json()).toMatchObject({ status: "running", answer: "Wait", turn: 1 });

    const ask = async () => (await fetch(`${test.url}${location}`, { headers: { accept: "application/json" } })).json();
    expect(await ask()).toMatchObject({ status: "running", answer: "Wait" });
    const stream = fetch(`${test.url}${location}`);
    test.model.finish();
    await (await stream).text();
    expect(await ask()).toMatchObject({ status: "completed", answer: "Wait" });
  });

  it("of a turn that fails just when nobody waits any more still names what went wrong", async () => {
    await test.close();
    await start(1);
    for (let round = 0; round < 20; round += 1) {
      const { sessionId: id } = await test.openSession();
      const asked = test.ask(id, "application/json");
      test.model.fail("upstream_error");
      const response = await asked;
      if (response.status === 202) continue;
      expect(await response.json()).toMatchObject({ code: "upstream_error", status: 502 });
    }
  });

  const unwell = "The model server is not well.";
  it.each([
    ["upstream_error", 502, unwell],
    ["upstream_timeout", 504, unwell],
    ["upstream_rate_limited", 503, unwell],
    ["context_too_long", 422, "The conversation takes about 9 tokens, more than the model takes."],
  ] as const)(
    "of a turn that failed with %s is a problem with status %i and the turn",
    async (code, status, detail) => {
      test.model.fail(code);
      const response = await test.ask(sessionId, "application/json");
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
      expect(response.headers.get("x-turn")).toBe("1");
      expect(response.headers.has("retry-after")).toBe(status === 503);
      expect(await response.json()).toMatchObject({ code, status, turn: 1, detail });
    },
  );

  it("of a turn that failed after some text, or ended short, is that text with its status", async () => {
    test.model.say("Half");
    test.model.fail("upstream_truncated");
    const cut = await test.ask(sessionId, "application/json");
    expect(cut.status).toBe(200);
    expect(await cut.json()).toMatchObject({ status: "incomplete", reason: "upstream_truncated", answer: "Half" });

    test.model.say("Short");
    test.model.finish("length");
    const short = await test.ask(sessionId, "application/json");
    expect(await short.json()).toMatchObject({ status: "incomplete", reason: "max_tokens", answer: "Short" });
  });

  it("asked for later is how the turn stands, at once, also when it failed", async () => {
    test.model.fail("upstream_error");
    await (await test.ask(sessionId)).text();
    for (const path of [`/chat/${sessionId}`, `/chat/${sessionId}/1`]) {
      const response = await fetch(test.url + path, { headers: { accept: "application/json" } });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ status: "failed", answer: "" });
    }
    const none = await fetch(`${test.url}/chat/${sessionId}/2`, { headers: { accept: "application/json" } });
    expect(none.status).toBe(404);
    const { sessionId: empty } = await test.openSession();
    expect((await fetch(`${test.url}/chat/${empty}`, { headers: { accept: "application/json" } })).status).toBe(204);
  });
});
