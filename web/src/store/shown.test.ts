import { describe, expect, it } from "vitest";
import { newExchange } from "./exchange.ts";
import type { OutboxItem } from "./outbox.ts";
import { shownOf } from "./shown.ts";

const sessionId = "0".repeat(32);
const exchanges = [1, 2].map((turn) => newExchange(`${turn}`, turn, `Question ${turn}`, "completed"));

function item(fields: Partial<OutboxItem> = {}): OutboxItem {
  return {
    id: "new",
    sessionId,
    what: "prompt",
    prompt: "Next",
    turn: undefined,
    state: "sending",
    failure: undefined,
    ...fields,
  };
}

function keysOf(...items: readonly OutboxItem[]): string[] {
  return shownOf(exchanges, items, sessionId).map(({ key }) => key);
}

describe("what is shown of a dialogue", () => {
  it("what is on its way stands behind what was said", () => {
    expect(keysOf()).toEqual(["1", "2"]);
    expect(keysOf(item())).toEqual(["1", "2", "new"]);
  });

  it("what is meant for another session does not", () => {
    expect(keysOf(item({ sessionId: undefined }), item({ sessionId: "f".repeat(32) }))).toEqual(["1", "2"]);
  });

  it("an edited prompt, and one that is asked again, hide at once what they replace", () => {
    expect(keysOf(item({ turn: 2 }))).toEqual(["1", "new"]);
    expect(keysOf(item({ what: "regenerate", turn: 2 }))).toEqual(["1", "new"]);
  });

  it("what was replaced comes back when that is refused", () => {
    expect(keysOf(item({ turn: 2, state: "refused" }))).toEqual(["1", "2", "new"]);
  });

  it("going on with an answer is no entry of its own, unless it is refused", () => {
    expect(keysOf(item({ what: "continue", turn: 2 }))).toEqual(["1", "2"]);
    expect(keysOf(item({ what: "continue", turn: 2, state: "refused" }))).toEqual(["1", "2", "new"]);
  });

  it("only the last turn can be edited, and only while nothing is on its way", () => {
    const lastOf = (items: readonly OutboxItem[]) =>
      shownOf(exchanges, items, sessionId).filter((entry) => entry.kind === "exchange" && entry.isLast);
    expect(lastOf([]).map(({ key }) => key)).toEqual(["2"]);
    expect(lastOf([item()])).toEqual([]);
  });
});
