import { describe, expect, it } from "vitest";
import { Announcer } from "./announcer.ts";
import { newExchange } from "./exchange.ts";

const sentence =
  "This is a sentence of some length, which has **strong** words and a [link](https://example.com) in it. ";

function said(announcer: Announcer): string[] {
  return announcer.announcements.get().map(({ text }) => text);
}

describe("what is said of an answer", () => {
  it("is whole sentences, each once, without marks", () => {
    const announcer = new Announcer();
    const text = sentence.repeat(3);
    for (let length = 1; length <= text.length; length += 1) announcer.answering(text.slice(0, length), undefined);
    const whole = "This is a sentence of some length, which has strong words and a link in it.";
    expect(said(announcer)).toEqual([whole, whole, whole]);
  });

  it("is the rest at the end, and how it ended", () => {
    const announcer = new Announcer();
    announcer.answering(`${sentence}And a rest`, undefined);
    const exchange = { ...newExchange("key", 1, "?", "completed"), answer: `${sentence}And a rest` };
    announcer.answering(exchange.answer, exchange);
    expect(said(announcer).slice(-2)).toEqual(["And a rest", "End of the answer."]);
    announcer.answering("Short.", { ...exchange, answer: "Short.", status: "stopped" });
    expect(said(announcer).slice(-2)).toEqual(["Short.", "Stopped. What was said stays."]);
  });

  it("begins anew with a text that was taken back", () => {
    const announcer = new Announcer();
    announcer.answering(sentence.repeat(2), undefined);
    announcer.answering(sentence, undefined);
    expect(said(announcer)).toHaveLength(2);
  });
});
