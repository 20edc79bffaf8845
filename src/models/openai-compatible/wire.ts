/**
 * What is read of a model server's answers, and nothing else. Servers differ in everything around these fields, so they
 * are picked by hand: a schema would either refuse what is harmless or cost more than the rest of the hot path.
 */

import type { Usage } from "../../protocol/events.ts";
import type { StatedSizes } from "../model.ts";
import { type FinishReason, finishReasonFrom } from "./finish-reasons.ts";

/** A reported error, reduced to what can be compared with a closed list; its words are dropped here. */
export type ReportedError = {
  /** An HTTP status, where the error carries one. */
  readonly status: number | undefined;
  /** Machine-readable names it goes by, most telling first; never shown or logged unless recognised. */
  readonly names: readonly string[];
  /** The numbers in an error about messages that are too long. */
  readonly sizes: StatedSizes;
};

/** More tokens than this in one answer is a bug of the server, not a count. */
const maxTokens = 1e9;

export type JsonRecord = { readonly [key: string]: unknown };

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `undefined`, which JSON cannot say, when the text is no JSON. The parser's error quotes the text, so it is dropped. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function firstChoice(value: JsonRecord): JsonRecord | undefined {
  const choices = value["choices"];
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  return isRecord(choice) ? choice : undefined;
}

/** The text in a choice's `delta` or `message`; empty when there is none. */
export function contentOf(choice: JsonRecord, part: "delta" | "message"): string {
  const holder = choice[part];
  const content = isRecord(holder) ? holder["content"] : undefined;
  if (typeof content === "string") return content;
  // Mistral's reasoning models: a list of parts, of which some are thoughts.
  return Array.isArray(content) ? content.map(textOfPart).join("") : "";
}

function textOfPart(part: unknown): string {
  const text = isRecord(part) && part["type"] === "text" ? part["text"] : undefined;
  return typeof text === "string" ? text : "";
}

/** Whether the model declined in the field made for it; the refusal's words are not part of the answer. */
export function isRefusal(choice: JsonRecord, part: "delta" | "message"): boolean {
  const holder = choice[part];
  const refusal = isRecord(holder) ? holder["refusal"] : undefined;
  return typeof refusal === "string" && refusal !== "";
}

/** Why the choice ended, `undefined` while it has not. */
export function finishReasonOf(choice: JsonRecord): FinishReason | undefined {
  const reason = choice["finish_reason"];
  // Some gateways send "" where OpenAI sends null.
  if (typeof reason !== "string" || reason === "") return undefined;
  return finishReasonFrom(reason);
}

/** Null when the server did not count, or counted something absurd. */
export function usageOf(value: JsonRecord): Usage | null {
  const usage = value["usage"] ?? usageOfGroq(value);
  if (!isRecord(usage)) return null;
  const input = usage["prompt_tokens"];
  const output = usage["completion_tokens"];
  if (!isTokenCount(input) || !isTokenCount(output)) return null;
  // Gateways that do not count fill in zeros; a prompt has at least one token.
  return input === 0 && output === 0 ? null : { input_tokens: input, output_tokens: output };
}

/** Groq has the count here in any case, and in `usage` when it was asked for. */
function usageOfGroq(value: JsonRecord): unknown {
  const groq = value["x_groq"];
  return isRecord(groq) ? groq["usage"] : undefined;
}

function isTokenCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxTokens;
}

/** The error that a body or a chunk carries, in any of the shapes servers use; `undefined` when it carries none. */
export function reportedErrorOf(value: unknown): ReportedError | undefined {
  // Gemini's OpenAI-compatible endpoint wraps its error bodies in a list.
  const body: unknown = Array.isArray(value) ? value[0] : value;
  if (!isRecord(body)) return undefined;
  const error = body["error"];
  if (isRecord(error)) return describeError(error);
  // Ollama: the error is a bare sentence. `null`, `false` and "" mean that there is none.
  if (error) return describeError({});
  // Old vLLM: the body itself is the error.
  return body["object"] === "error" ? describeError(body) : undefined;
}

export function describeError(error: JsonRecord): ReportedError {
  const fields = [error["code"], error["type"], error["status"], error["param"]];
  const statuses = fields.map(Number).filter((status) => Number.isInteger(status) && status >= 400 && status <= 599);
  return {
    status: statuses[0],
    names: fields.filter((field) => typeof field === "string"),
    // llama.cpp (https://github.com/ggml-org/llama.cpp/pull/15780); others put numbers only into their sentences.
    sizes: { window: sizeOf(error["n_ctx"]), promptTokens: sizeOf(error["n_prompt_tokens"]) },
  };
}

function sizeOf(value: unknown): number | undefined {
  return isTokenCount(value) && value > 0 ? value : undefined;
}

export type ListedModel = { readonly id: string; readonly contextWindow: number | undefined };

/** The first model in a list of models; `undefined` when it lists none, or none that can be shown and logged. */
export function firstListedModel(value: unknown): ListedModel | undefined {
  const data = isRecord(value) ? value["data"] : undefined;
  const first: unknown = Array.isArray(data) ? data[0] : undefined;
  const id = isRecord(first) ? first["id"] : undefined;
  if (!isRecord(first) || typeof id !== "string" || !/^[\p{L}\p{N}\p{P}\p{S} ]{1,200}$/u.test(id)) return undefined;
  return { id, contextWindow: listedWindow(first) };
}

/**
 * What a list tells of a model's window. OpenAI and Ollama tell nothing. What a server was started with comes before what
 * the model could do.
 */
function listedWindow(model: JsonRecord): number | undefined {
  const meta = isRecord(model["meta"]) ? model["meta"] : {};
  const fields = [
    model["max_model_len"], // vLLM, SGLang
    model["loaded_context_length"], // LM Studio, in the list of its own API
    meta["n_ctx"], // llama.cpp, lately
    model["context_length"], // OpenRouter, Together
    model["context_window"], // Groq
    model["max_context_length"], // Mistral, LM Studio
    meta["n_ctx_train"], // llama.cpp: what the model was trained with
  ];
  return fields.map(sizeOf).find((size) => size !== undefined);
}
