import { describe, expect, it } from "vitest";
import { chatCompletionBody } from "./request.ts";

const messages = [{ role: "user", content: "Hello" }] as const;

describe("chatCompletionBody", () => {
  it("sends model, messages, stream and the wish for a token count, and nothing else", () => {
    const withSecret = [{ role: "user", content: "Hello", turn: 3 } as const];
    expect(JSON.parse(chatCompletionBody("m", withSecret, {}))).toEqual({
      model: "m",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("merges the operator's fields, which may replace stream_options", () => {
    const body = JSON.parse(chatCompletionBody("m", messages, { temperature: 0, stream_options: {} }));
    expect(body).toMatchObject({ temperature: 0, stream_options: {} });
    expect(body.stream_options).toEqual({});
  });

  it("lets no extra field replace model, messages, stream or the one choice", () => {
    const body = JSON.parse(chatCompletionBody("m", messages, { model: "x", messages: [], stream: false, n: 2 }));
    expect(body).toMatchObject({ model: "m", messages, stream: true });
    expect(body).not.toHaveProperty("n");
  });
});
