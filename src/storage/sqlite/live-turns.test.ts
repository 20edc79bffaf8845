import { describe, expect, test } from "vitest";
import type { LoggedEvent } from "../../protocol/events.ts";
import { LiveTurn } from "./live-turns.ts";

const text = (position: number, content: string): LoggedEvent => ({ position, event: { type: "text", text: content } });
const key = { key: 1, turn: 1, epoch: 1 };

describe("the tail of a live turn", () => {
  test("gives what came after a position, cut there where that is inside a piece", () => {
    const live = new LiveTurn();
    live.hold(key, "guest:x", 0);
    live.publish(0, [text(3, "abc")]);
    live.publish(3, [text(5, "de")]);
    expect(live.since(3)).toEqual([text(5, "de")]);
    expect(live.since(1)).toEqual([text(3, "bc"), text(5, "de")]);
    expect(live.since(5)).toEqual([]);
  });

  test("knows nothing of places before it began or beyond its head, nor before a lease", () => {
    const live = new LiveTurn();
    expect(live.since(0)).toBeUndefined();
    live.hold(key, "guest:x", 10);
    live.publish(10, [text(12, "ab")]);
    expect(live.since(9)).toBeUndefined();
    expect(live.since(13)).toBeUndefined();
  });

  test("forgets its older half when it grows long, and then says that it does not know", () => {
    const live = new LiveTurn();
    live.hold(key, "guest:x", 0);
    for (let position = 0; position < 1_000; position += 1) live.publish(position, [text(position + 1, "x")]);
    expect(live.since(0)).toBeUndefined();
    expect(live.since(990)).toHaveLength(10);
  });

  test("when an event in between was committed unseen, it does not pretend that its neighbours are neighbours", () => {
    const live = new LiveTurn();
    live.hold(key, "guest:x", 0);
    live.publish(0, [text(6, "Hello ")]);
    // "world" was committed, but the answer that said so was lost.
    live.publish(11, [text(12, "!")]);
    expect(live.since(6)).toBeUndefined();
    expect(live.since(11)).toEqual([text(12, "!")]);
  });
});
