import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../client/index.ts";
import { afterEvent, lastEventId, newLiveTurn } from "./live-turn.ts";

const sessionId = "0123456789abcdef0123456789abcdef";

const started: ChatEvent = { type: "turn", id: "3.0", session_id: sessionId, turn: 3, model: "demo" };

function textEvent(position: number, text: string): ChatEvent {
  return { type: "text", id: `3.${position}`, text };
}

function read(events: readonly ChatEvent[], from = newLiveTurn(sessionId, 3)) {
  return events.reduce((live, event) => afterEvent(live, event) ?? live, from);
}

describe("a turn as its events tell it", () => {
  const log = [started, textEvent(5, "Hello"), textEvent(11, ", you!")];

  it("has the text in its order, and where to go on after", () => {
    const live = read(log);
    expect(live).toMatchObject({ text: "Hello, you!", position: 11, started });
    expect(lastEventId(live)).toBe("3.11");
    expect(lastEventId(newLiveTurn(sessionId, 3))).toBeUndefined();
  });

  it("is the same when the log is read again, merged in another way, by another tab", () => {
    const merged = [started, textEvent(11, "Hello, you!"), textEvent(16, " Bye.")];
    const anywhere = fc.property(fc.nat({ max: 2 }), (count) => {
      expect(read(merged, read(log.slice(0, count + 1))).text).toBe("Hello, you! Bye.");
    });
    fc.assert(anywhere);
  });

  it("takes nothing behind a gap, and says so", () => {
    const live = read(log.slice(0, 2));
    expect(afterEvent(live, textEvent(20, "you!"))).toBeUndefined();
  });

  it("takes the text of a reset instead of its own, at whatever position", () => {
    const live = read([...log, { type: "reset", id: "3.16777216", text: "Anew", reason: "takeover" }]);
    expect(live).toMatchObject({ text: "Anew", position: 16_777_216 });
    expect(read([textEvent(16_777_218, "er")], live).text).toBe("Anewer");
  });

  it("has what was done in its order, once, and no reset takes it back", () => {
    const tool = (position: number) =>
      ({ type: "tool", id: `3.${position}`, call_id: `c${position}`, name: "t", status: "done", result: {} }) as const;
    const log = [started, tool(1), textEvent(3, "So"), tool(4)];
    const reset = { type: "reset", id: "3.8", text: "", reason: "fallback" } as const;
    expect(read([...log, reset], read(log)).tools.map(({ call_id: id }) => id)).toEqual(["c1", "c4"]);
  });

  it("I11: an event that nobody here knows takes its place in the log, and changes nothing else", () => {
    const live = read([
      ...log,
      { type: "unknown", name: "navigate", data: { to: "https://evil.example" }, id: "3.12" },
    ]);
    expect(live).toEqual({ ...read(log), position: 12 });
    expect(read([{ type: "unknown", name: "x", data: null, id: undefined }], live)).toBe(live);
  });
});
