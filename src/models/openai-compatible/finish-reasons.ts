/**
 * Why an answer ended, in OpenAI's words, whatever words a server has for it. Gateways pass on what the providers behind
 * them say (Anthropic: `end_turn`, `max_tokens`; Gemini: `MAX_TOKENS`, `SAFETY`; Mistral: `model_length`; OpenRouter:
 * `error`; DeepSeek: `insufficient_system_resource`; vLLM: `abort`, `repetition`), and an answer that broke off must not
 * pass for a whole one. Gemini's own endpoint says more behind a colon: `content_filter: PROHIBITED_CONTENT`.
 */

/** `failed` is no reason but a fault: the server gave up. */
export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "unspecified" | "failed";

const known: ReadonlyMap<string, FinishReason> = new Map([
  ...named("stop", "stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "completed"),
  ...named("length", "length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"),
  ...named("length", "repetition"),
  ...named("content_filter", "content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist"),
  ...named("content_filter", "prohibited_content", "spii", "sensitive", "guardrail_intervened"),
  ...named("tool_calls", "tool_calls", "tool_use", "function_call"),
  ...named("failed", "error", "failed", "abort", "aborted", "cancelled", "canceled", "timeout", "network_error"),
  ...named("failed", "insufficient_system_resource", "malformed_function_call", "function_call_filter"),
]);

function named(reason: FinishReason, ...words: readonly string[]): [string, FinishReason][] {
  return words.map((word) => [word, reason]);
}

/** What no list knows says at least that the server meant to end there. */
export function finishReasonFrom(word: string): FinishReason {
  const [name = ""] = word.toLowerCase().split(":", 1);
  return known.get(name.trim()) ?? "unspecified";
}
