import { describe, expect, test } from "vitest";
import { ask, openSession, type ReceivedEvent, readHistory, receive, send } from "../helpers/client.ts";
import type { BaseUrl } from "./suite.ts";

export function toolConformance(baseUrl: BaseUrl): void {
  const done = (events: readonly ReceivedEvent[]) =>
    events.filter(({ type }) => type === "tool").map(({ data }) => data);
  const sources = (events: readonly ReceivedEvent[]) =>
    events.filter(({ type }) => type === "sources").flatMap(({ data }) => data["sources"]);

  // Whether anything is done is the model's to say; the demo model always begins a game.
  describe("what is done for an answer", () => {
    test("comes again with the log, from every event of it, and stands in history and in the turn's state", async () => {
      const { sessionId } = await openSession(baseUrl());
      await ask(baseUrl(), sessionId, "Let's play trivia about sitcoms of the 1990s, please!");
      const whole = await ask(baseUrl(), sessionId, "b");
      const read = async (after: string) =>
        Array.fromAsync(receive(await fetch(`${baseUrl()}/chat/${sessionId}/2?after=${after}`)));
      const others = (events: readonly ReceivedEvent[]) => events.filter(({ type }) => type !== "text");
      expect(others(await read("-1"))).toEqual(others(whole));
      for (const [index, { id }] of whole.entries()) {
        if (index === whole.length - 1) break;
        expect(others(await read(id ?? ""))).toEqual(others(whole.slice(index + 1)));
      }
      const inHistory = (await readHistory(baseUrl(), sessionId)).at(-1) as { tools?: unknown; sources?: unknown };
      const state = await fetch(`${baseUrl()}/chat/${sessionId}/2`, { headers: { accept: "application/json" } });
      for (const { tools = [], sources: named = [] } of [inHistory, (await state.json()) as typeof inHistory]) {
        expect(tools).toEqual(done(whole));
        expect(named).toEqual(sources(whole));
      }
    });

    test("is not done again where the prompt is asked again", async () => {
      const { sessionId } = await openSession(baseUrl());
      const first = await ask(baseUrl(), sessionId, "Let's play trivia about sitcoms of the 1990s, please!");
      const again = await fetch(`${baseUrl()}/chat/${sessionId}/regenerate`, { method: "POST" });
      const second = await Array.fromAsync(receive(again));
      if (done(first).length > 0) expect(done(second)).toEqual(done(first));
      await (await send(baseUrl(), sessionId, "stop the trivia game")).text();
    });
  });
}
