import { describe, expect, it } from "vitest";
import type { HistoryMessage } from "../../../src/protocol/chat.ts";
import { newLiveTurn } from "../tabs/live-turn.ts";
import { before, type Exchange, exchangesOf, newExchange, refreshed, withLive } from "./exchange.ts";

const at = "2026-11-28T04:00:00.000Z";

function prompt(turn: number, status: HistoryMessage["status"] = "completed"): HistoryMessage {
  return { role: "user", content: `Question ${turn}`, turn, status, created_at: at };
}

function answer(turn: number, fields: Partial<HistoryMessage> = {}): HistoryMessage {
  return {
    role: "assistant",
    content: `Answer ${turn}`,
    turn,
    status: "completed",
    model: "m",
    created_at: at,
    ...fields,
  };
}

const sessionId = "0".repeat(32);

function tool(id: string, card: number) {
  return { type: "tool", call_id: id, name: "answer_trivia", status: "done", result: { card } } as const;
}

describe("a history as exchanges", () => {
  it("has a prompt with its answer, or without one where there is none", () => {
    const [first, second] = exchangesOf([prompt(1), answer(1), prompt(2, "queued")]);
    expect(first).toMatchObject({ turn: 1, answerTurn: 1, prompt: "Question 1", answer: "Answer 1", model: "m" });
    expect(second).toMatchObject({ turn: 2, answer: "", status: "queued", model: undefined });
  });

  it("knows which turn goes on with a continued answer", () => {
    const [only] = exchangesOf([prompt(3, "running"), answer(3, { continued_by: 5, status: "running" })]);
    expect(only).toMatchObject({ turn: 3, answerTurn: 5, status: "running" });
  });
});

describe("a history that is read again", () => {
  const known = exchangesOf([1, 2, 3].flatMap((turn) => [prompt(turn), answer(turn)]));

  it("keeps what is older than the page, and the keys of all", () => {
    const sent: Exchange = { ...newExchange("sent", 3, "Question 3", "running"), trimmedTurns: 7 };
    const page = exchangesOf([prompt(3), answer(3), prompt(4), answer(4)]);
    const read = refreshed([...known.slice(0, 2), sent], page);
    expect(read.map(({ key }) => key)).toEqual(["1", "2", "sent", "4"]);
    // The history does not tell this again.
    expect(read[2]?.trimmedTurns).toBe(7);
  });

  it("forgets what was replaced or deleted elsewhere", () => {
    expect(refreshed(known, exchangesOf([prompt(2), answer(2), prompt(5), answer(5)])).map(({ turn }) => turn)).toEqual(
      [1, 2, 5],
    );
    expect(refreshed(known, [])).toEqual([]);
  });

  it("begins nothing again that has ended since it was asked for", () => {
    const late = exchangesOf([prompt(3, "running"), answer(3, { content: "Ans", status: "running" })]);
    expect(refreshed(known, late).at(-1)).toBe(known.at(-1));
    const continued = exchangesOf([prompt(3, "running"), answer(3, { continued_by: 4, status: "running" })]);
    expect(refreshed(known, continued).at(-1)).toMatchObject({ status: "running", answerTurn: 4 });
  });

  it("takes back nothing that was done for a running answer since it was asked for", () => {
    const running: Exchange = { ...newExchange("sent", 3, "Question 3", "running"), model: "m", tools: [tool("a", 1)] };
    const late = exchangesOf([prompt(3, "queued")]);
    expect(refreshed([running], late)).toEqual([
      expect.objectContaining({ key: "sent", status: "running", model: "m", tools: [tool("a", 1)] }),
    ]);
    const later = exchangesOf([
      prompt(3, "running"),
      answer(3, { status: "running", tools: [tool("a", 1), tool("b", 2)] }),
    ]);
    expect(refreshed([running], later)[0]?.tools).toEqual([tool("a", 1), tool("b", 2)]);
  });
});

describe("what the model did not see", () => {
  it("is told after a reload as while it was said", () => {
    const [exchange] = exchangesOf([prompt(9), answer(9, { trimmed_turns: 3 })]);
    expect(exchange).toMatchObject({ trimmedTurns: 3 });
  });
});

describe("what events say", () => {
  const exchange = newExchange("key", 2, "Question", "queued");
  const started = { type: "turn", session_id: sessionId, turn: 2, model: "first", trimmed_turns: 3 } as const;
  const end = {
    type: "end",
    status: "incomplete",
    reason: "max_tokens",
    finish_reason: "length",
    usage: null,
  } as const;

  it("nothing, before the first one", () => {
    expect(withLive(exchange, newLiveTurn(sessionId, 2), "")).toBe(exchange);
  });

  it("that it runs, with which model, and what was left out", () => {
    const running = withLive(exchange, { ...newLiveTurn(sessionId, 2), started, text: "So far" }, "");
    expect(running).toMatchObject({ status: "running", model: "first", trimmedTurns: 3, answer: "" });
  });

  it("how it ended, who answered in the end, and all of the text behind what was continued", () => {
    const live = { ...newLiveTurn(sessionId, 2), started, text: " the end", end: { ...end, model: "second" } };
    expect(withLive(exchange, live, "From the beginning to")).toMatchObject({
      status: "incomplete",
      reason: "max_tokens",
      model: "second",
      answer: "From the beginning to the end",
    });
  });

  it("what was done, and of an answer that was continued what was done before as well, once", () => {
    const live = { ...newLiveTurn(sessionId, 2), started, tools: [tool("a", 1)] };
    expect(withLive(exchange, live, "").tools).toEqual([tool("a", 1)]);
    const first = { ...exchange, turn: 1, tools: [tool("a", 0)] };
    const both = withLive(first, live, "");
    expect(both.tools).toEqual([tool("a", 0), tool("a", 1)]);
    expect(withLive(both, live, "").tools).toEqual([tool("a", 0), tool("a", 1)]);
    expect(exchangesOf([prompt(1), answer(1, { tools: [tool("a", 1)] })])[0]?.tools).toEqual([tool("a", 1)]);
  });

  it("nothing less of what was done than was read already", () => {
    const read = { ...exchange, tools: [tool("a", 1)] };
    expect(withLive(read, { ...newLiveTurn(sessionId, 2), started }, "").tools).toEqual([tool("a", 1)]);
    const live = { ...newLiveTurn(sessionId, 2), started, tools: [tool("a", 1), tool("b", 2)] };
    expect(withLive(read, live, "").tools).toEqual([tool("a", 1), tool("b", 2)]);
  });

  it("a prompt in the place of an old one leaves what was before that", () => {
    const three = exchangesOf([prompt(1), prompt(2), prompt(3)]);
    expect(before(three, 2).map(({ turn }) => turn)).toEqual([1]);
  });
});
