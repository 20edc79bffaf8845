/** What a client asks about sessions, and what it makes of the answers; README.md's programs ask the real service. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeAnswer, type FakeChat, json, noAnswer, problem, startFakeChat } from "../test/helpers/fake-chat.ts";
import { ChatClient } from "./index.ts";

let fake: FakeChat;
let client: ChatClient;

beforeEach(async () => {
  fake = await startFakeChat();
  client = new ChatClient({ baseUrl: fake.baseUrl, token: "guest_x", maxDelayMs: 5 });
});

afterEach(() => fake.close());

const asked = () => fake.requests.map(({ method, url }) => `${method} ${url}`);

describe("sessions", () => {
  it("are listed and searched with the token, and with nothing in the query that was not asked for", async () => {
    fake.answers(json({ sessions: [], next_cursor: null, results: [] }));
    expect(await client.listSessions("T&R ü")).toMatchObject({ sessions: [], next_cursor: null });
    await client.listSessions("TR", { limit: 2, cursor: "a=b" });
    expect(await client.search('zebra "& café')).toMatchObject({ results: [] });
    await client.search("x", { username: "TR", limit: 1, cursor: "c" });
    expect(asked()).toEqual([
      "GET /sessions?username=T%26R%20%C3%BC",
      "GET /sessions?username=TR&limit=2&cursor=a%3Db",
      "GET /sessions/search?q=zebra%20%22%26%20caf%C3%A9",
      "GET /sessions/search?q=x&username=TR&limit=1&cursor=c",
    ]);
    for (const { headers } of fake.requests) expect(headers.authorization).toBe("Bearer guest_x");
  });

  it("are changed by what is named alone, and a change whose answer is lost is sent again", async () => {
    fake.answers(noAnswer, json({ title: null }));
    expect(await client.changeSession("s/1", { title: null, pinned: true })).toEqual({ title: null });
    expect(asked()).toEqual(["PATCH /sessions/s%2F1", "PATCH /sessions/s%2F1"]);
    expect(fake.requests.map(({ body }) => JSON.parse(body))).toEqual(Array(2).fill({ title: null, pinned: true }));
  });

  it("are exported as JSON or as a document", async () => {
    const markdown: FakeAnswer = (response) =>
      void response.writeHead(200, { "content-type": "text/markdown; charset=utf-8" }).end("# Chat of TR\n");
    fake.answers(json({ session: { session_id: "s" }, message_history: [] }), markdown);
    expect(await client.exportSession("s")).toEqual({ session: { session_id: "s" }, message_history: [] });
    expect(await client.exportMarkdown("s")).toBe("# Chat of TR\n");
    expect(asked()).toEqual(["GET /sessions/s/export", "GET /sessions/s/export?format=markdown"]);
    expect(fake.requests[1]?.headers.accept).toBe("text/markdown");
  });

  it("cannot be searched everywhere, which is told and not tried again", async () => {
    fake.answers(problem(501, { code: "search_unavailable", retryable: false }));
    await expect(client.search("x")).rejects.toMatchObject({ code: "search_unavailable", status: 501 });
    expect(fake.requests).toHaveLength(1);
  });
});
