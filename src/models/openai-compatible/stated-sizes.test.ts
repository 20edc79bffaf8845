import { describe, expect, it } from "vitest";
import { failure, statusFailure, streamedFailure } from "./failures.ts";
import { firstListedModel, reportedErrorOf } from "./wire.ts";

const nothing = { window: undefined, promptTokens: undefined };

function reported(error: object) {
  return reportedErrorOf({ error: { message: "12,345 tokens", ...error } });
}

describe("a refusal of what is too long", () => {
  it.each([
    [{ type: "exceed_context_size_error", n_prompt_tokens: 14_429, n_ctx: 8_192 }, 8_192, 14_429],
    [{ type: "exceed_context_size_error", n_ctx: 8_192 }, 8_192, undefined],
    [{ type: "exceed_context_size_error", n_prompt_tokens: "14429", n_ctx: -1 }, undefined, undefined],
    [{ type: "exceed_context_size_error", n_prompt_tokens: 0, n_ctx: 2e9 }, undefined, undefined],
    [{ code: "context_length_exceeded" }, undefined, undefined],
  ])("states sizes by its numbers alone: %j", (error, window, promptTokens) => {
    const found = reported(error);
    expect(statusFailure(400, found, "m", undefined).tooLong).toEqual({ window, promptTokens });
    expect(found && streamedFailure(found, "m").tooLong).toEqual({ window, promptTokens });
  });

  it("may have no body", () => {
    expect(statusFailure(413, undefined, "m", undefined).tooLong).toEqual(nothing);
  });

  it("is no other failure, whatever numbers that one has", () => {
    const found = reported({ code: "rate_limit_exceeded", n_ctx: 8_192 });
    expect(statusFailure(429, found, "m", undefined).tooLong).toBeUndefined();
    expect(found && streamedFailure(found, "m").tooLong).toBeUndefined();
  });

  it("is not an answer that ended without a word (D30): the server had taken the messages", () => {
    expect(failure("context_too_long", "m", { fact: "length without text" }).tooLong).toBeUndefined();
  });
});

describe("a list of models", () => {
  const windowIn = (fields: object) => firstListedModel({ data: [{ id: "m", ...fields }] })?.contextWindow;

  it.each([
    ["vLLM", { object: "model", max_model_len: 32_768 }, 32_768],
    ["OpenRouter", { context_length: 200_000, top_provider: { context_length: 128_000 } }, 200_000],
    ["Groq", { context_window: 131_072, max_completion_tokens: 8_192 }, 131_072],
    ["Mistral", { max_context_length: 131_072 }, 131_072],
    ["LM Studio", { max_context_length: 131_072, loaded_context_length: 4_096 }, 4_096],
    ["llama.cpp", { meta: { n_ctx_train: 131_072, n_params: 7e9 } }, 131_072],
    ["llama.cpp, lately", { meta: { n_ctx: 4_096, n_ctx_train: 131_072 } }, 4_096],
    ["OpenAI", { object: "model", created: 1, owned_by: "openai" }, undefined],
    ["nonsense", { max_model_len: "long", context_length: 0, context_window: -5, meta: [1] }, undefined],
  ])("tells the window as %s does", (_, fields, window) => {
    expect(windowIn(fields)).toBe(window);
  });
});
