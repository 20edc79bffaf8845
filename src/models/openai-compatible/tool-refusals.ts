/** Servers and models that take no tools: how they say so, and that they need not be asked again at once. */
import type { ModelError, ModelMessage } from "../model.ts";
import { failure } from "./failures.ts";

/**
 * There is no code for it, so their words decide, of which nothing is kept. Ollama: "… does not support tools"; OpenRouter,
 * with 404: "No endpoints found that support tool use"; vLLM: "\"auto\" tool choice requires …"; Groq: "`tool calling` is
 * not supported with this model"; DeepSeek: "… does not support Function Calling"; FastAPI's `loc: ["body", "tools"]`.
 */
const namesTools = /\btool(?:s|_choice)?\b|\bfunctions?\b[ _-]?call/i;

/** llama.cpp, with 500: "Unsupported param: tools", "tools param requires --jinja flag". */
const saysUnsupported = /\b(?:unsupported|not support|requires?|not implemented)/i;

/** @param error what it would be if it were not about tools; @param body all that the server said */
export function refusesTools(status: number, { code }: ModelError, body: string): boolean {
  // An error that has a name of its own, such as a conversation that is too long, may well count tools among its words.
  const isAboutRequest = code === "upstream_rejected" || (code === "model_not_found" && !/model_not_found/.test(body));
  if (isAboutRequest) return (status === 400 || status === 404 || status === 422) && namesTools.test(body);
  return (status === 500 || status === 501) && namesTools.test(body) && saysUnsupported.test(body);
}

/** @param fact what the log may know */
export function toolsRefusal(model: string, fact: string): ModelError {
  return failure("upstream_rejected", model, { fact: `${fact}, tools refused`, refusesTools: true });
}

/** Where calls were made by then, the server takes tools, and refuses something else about them. */
export function holdsResults(messages: readonly ModelMessage[]): boolean {
  return messages.some(({ role }) => role === "tool");
}

/** How long a refusal is remembered, in milliseconds; the server may be set up anew, or the model replaced. */
const refusalMs = 10 * 60_000;

/** The models that refused tools. */
export class ToolRefusals {
  readonly #clock: () => number;
  readonly #until = new Map<string, number>();

  /** @param clock milliseconds on a clock that never goes back */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  has(model: string): boolean {
    const until = this.#until.get(model);
    if (until === undefined) return false;
    if (until > this.#clock()) return true;
    this.#until.delete(model);
    return false;
  }

  add(model: string): void {
    this.#until.set(model, this.#clock() + refusalMs);
  }
}
