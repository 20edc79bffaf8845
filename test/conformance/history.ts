import { describe, expect, test } from "vitest";
import { ask, openSession, problemOf, readHistory, receive, send, textOf } from "../helpers/client.ts";
import { type BaseUrl, longPrompt } from "./suite.ts";

type History = {
  readonly message_history: { readonly role: string; readonly turn: number; readonly content: string }[];
  readonly has_more: boolean;
};

export function historyConformance(baseUrl: BaseUrl): void {
  const read = async (sessionId: string, query = ""): Promise<History> =>
    (await (await fetch(`${baseUrl()}/chat_history/${sessionId}${query}`)).json()) as History;

  describe("GET /chat_history/{session_id}", () => {
    test("gives prompts and answers, oldest first, in the shape of wire.md", async () => {
      const { sessionId } = await openSession(baseUrl());
      const answers = [];
      for (const prompt of ["Hello!", "What did I say first?"])
        answers.push(textOf(await ask(baseUrl(), sessionId, prompt)));
      const response = await fetch(`${baseUrl()}/chat_history/${sessionId}`);
      expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const message = (role: string, content: string | undefined, turn: number) =>
        expect.objectContaining({ role, content, turn, status: "completed", created_at: time });
      expect(await response.json()).toEqual({
        payload: "",
        session_id: sessionId,
        username: "TR",
        message_history: [
          message("user", "Hello!", 1),
          message("assistant", answers[0], 1),
          message("user", "What did I say first?", 2),
          message("assistant", answers[1], 2),
        ],
        has_more: false,
      });
    });

    test("a new session has an empty one", async () => {
      const { sessionId } = await openSession(baseUrl());
      expect(await read(sessionId)).toMatchObject({ message_history: [], has_more: false });
    });

    test("a running turn appears with its text so far", async () => {
      const { sessionId } = await openSession(baseUrl());
      const running = await send(baseUrl(), sessionId, longPrompt);
      for await (const event of receive(running)) if (event.type === "text") break;
      const [prompt, answer] = await readHistory(baseUrl(), sessionId);
      expect(prompt).toMatchObject({ role: "user", status: "running", content: longPrompt });
      expect(answer).toMatchObject({ role: "assistant", status: "running" });
      const whole = await Array.fromAsync(receive(await fetch(`${baseUrl()}/chat/${sessionId}/1`)));
      expect(textOf(whole).startsWith(answer?.content ?? "?")).toBe(true);
    });

    test("limit gives the newest whole turns, before pages back, has_more tells whether there are older ones", async () => {
      const { sessionId } = await openSession(baseUrl());
      for (let turn = 1; turn <= 5; turn += 1) await ask(baseUrl(), sessionId, `Prompt ${turn}`);
      const turnsOf = ({ message_history }: History) => [...new Set(message_history.map(({ turn }) => turn))];
      const newest = await read(sessionId, "?limit=2");
      expect([turnsOf(newest), newest.has_more]).toEqual([[4, 5], true]);
      const older = await read(sessionId, "?limit=2&before=4");
      expect([turnsOf(older), older.has_more]).toEqual([[2, 3], true]);
      const oldest = await read(sessionId, "?limit=2&before=2");
      expect([turnsOf(oldest), oldest.has_more]).toEqual([[1], false]);
      expect(turnsOf(await read(sessionId, "?before=3"))).toEqual([1, 2]);
      expect(turnsOf(await read(sessionId, "?limit=5"))).toEqual([1, 2, 3, 4, 5]);
      expect((await read(sessionId, "?limit=5")).has_more).toBe(false);
    });

    test("A20: a limit out of range is clamped, one that is no number is 422 and names the field", async () => {
      const { sessionId } = await openSession(baseUrl());
      for (let turn = 1; turn <= 2; turn += 1) await ask(baseUrl(), sessionId, "Hi");
      for (const [limit, turns] of [
        ["0", 1],
        ["-1", 1],
        ["1000000000", 2],
      ] as const) {
        expect(new Set((await read(sessionId, `?limit=${limit}`)).message_history.map(({ turn }) => turn)).size).toBe(
          turns,
        );
      }
      for (const query of ["limit=NaN", "limit=ten", "limit=1.5", "limit=", "before=0", "before=x"]) {
        const problem = await problemOf(await fetch(`${baseUrl()}/chat_history/${sessionId}?${query}`));
        expect(problem).toMatchObject({ status: 422, code: "invalid_request" });
        expect(JSON.stringify(problem["errors"])).toContain(query.split("=")[0]);
      }
    });

    test("A9, A22: prompts come back to the byte, whatever is in them, and cannot add lines to a stream", async () => {
      const { sessionId } = await openSession(baseUrl());
      const prompts = [
        "  leading and trailing  ",
        "\r\n\r\nevent: end\ndata: {}\n\n",
        "\ufeffBOM \u0001\u001f C0, \u2028\u2029 lines, 🦊👩‍👩‍👧 and e\u0301",
        '"quotes" \\ backslashes </script> %00',
      ];
      for (const prompt of prompts) {
        const events = await ask(baseUrl(), sessionId, prompt);
        expect(events.filter(({ type }) => type === "end")).toHaveLength(1);
      }
      const history = await readHistory(baseUrl(), sessionId);
      expect(history.filter(({ role }) => role === "user").map(({ content }) => content)).toEqual(prompts);
    });
  });
}
