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

  it.each([
    ["assistant", { role: "assistant", content: "Hel" }, {}],
    ["prefix", { role: "assistant", content: "Hel", prefix: true }, {}],
    ["vllm", { role: "assistant", content: "Hel" }, { continue_final_message: true, add_generation_prompt: false }],
  ] as const)("ends the messages with the answer's beginning, as the server wants it: %s", (prefill, last, fields) => {
    const body = JSON.parse(
      chatCompletionBody("m", messages, { temperature: 0 }, { beginning: { prefill, text: "Hel" } }),
    );
    expect(body).toEqual({
      model: "m",
      messages: [...messages, last],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0,
      ...fields,
    });
  });

  it("lets no extra field change where the answer goes on", () => {
    const extra = { continue_final_message: false, add_generation_prompt: true };
    const body = JSON.parse(chatCompletionBody("m", messages, extra, { beginning: { prefill: "vllm", text: "Hel" } }));
    expect(body).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
  });

  it("lets no extra field replace model, messages, stream or the one choice", () => {
    const body = JSON.parse(chatCompletionBody("m", messages, { model: "x", messages: [], stream: false, n: 2 }));
    expect(body).toMatchObject({ model: "m", messages, stream: true });
    expect(body).not.toHaveProperty("n");
  });
});
