/**
 * What reasoning models say before their answer. It is no part of the answer and never kept; that it came says that the
 * model is at work, which may take minutes.
 */
import { isRecord, type JsonRecord } from "./wire.ts";

/**
 * DeepSeek, llama.cpp, LM Studio, LiteLLM and older vLLM: `reasoning_content`; OpenRouter, Groq, Ollama and newer vLLM:
 * `reasoning`; OpenRouter's `reasoning_details` are all there is where a provider encrypts its model's thoughts.
 */
const thoughtFields = ["reasoning_content", "reasoning", "reasoning_details", "thinking"] as const;

/** Where a part of a list has its text: OpenRouter's three kinds of `reasoning_details`, and Mistral's `thinking`. */
const partFields = ["text", "summary", "data"] as const;

/** Whether a choice's `delta` holds a thought in a field of its own. An empty one is none. */
export function holdsThought(choice: JsonRecord): boolean {
  const delta = choice["delta"];
  if (!isRecord(delta)) return false;
  if (thoughtFields.some((field) => holdsText(delta[field]))) return true;
  const content = delta["content"];
  return Array.isArray(content) && content.some((part) => isRecord(part) && holdsText(part["thinking"]));
}

function holdsText(value: unknown): boolean {
  if (typeof value === "string") return value !== "";
  if (!Array.isArray(value)) return false;
  return value.some(
    (part) => isRecord(part) && partFields.some((field) => typeof part[field] === "string" && part[field] !== ""),
  );
}

/** Gemini marks thoughts beside the text that holds them: `extra_content.google.thought`. */
export function isMarkedAsThought(choice: JsonRecord): boolean {
  const delta = choice["delta"];
  const extra = isRecord(delta) ? delta["extra_content"] : undefined;
  // Almost every delta ends here.
  if (!isRecord(extra)) return false;
  const google = extra["google"];
  return isRecord(google) && google["thought"] === true;
}

/** Gemini's marked thoughts stand between tags; the closing one comes with the answer's first piece, unmarked. */
export const closingTag = "</thought>";

/** Whether the server counted tokens of thoughts; OpenAI's models do not show theirs. */
export function countsThoughts(chunk: JsonRecord): boolean {
  const usage = chunk["usage"];
  const details = isRecord(usage) ? usage["completion_tokens_details"] : undefined;
  const count = isRecord(details) ? details["reasoning_tokens"] : undefined;
  return typeof count === "number" && count > 0;
}
