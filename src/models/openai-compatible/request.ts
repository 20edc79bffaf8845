/** What goes upstream: model, messages, tools where any are offered, streaming with a token count, and what the operator set. */
import type { ModelMessage, ModelTool } from "../model.ts";

/**
 * How a server is told to go on with an answer (docs/decisions/013 says which server wants what). In all of them the last
 * message is the answer's beginning: `assistant` sends just that, `prefix` marks it with `prefix: true`, `vllm` adds the
 * two fields that vLLM knows. `none`: this server is never asked to.
 */
export type Prefill = "none" | "assistant" | "prefix" | "vllm";

/** An answer that has begun. */
export type Beginning = { readonly prefill: Prefill; readonly text: string };

/** What a request may have beside its messages. */
export type BodyExtras = {
  readonly beginning?: Beginning | undefined;
  readonly tools?: readonly ModelTool[] | undefined;
};

/**
 * The JSON body of `POST /chat/completions`. The operator's extra fields win over `stream_options` (some servers refuse
 * it), but not over what this client relies on: the model it names, the messages, the stream, one choice only, the tools
 * that are offered, and where the answer goes on.
 */
export function chatCompletionBody(
  model: string,
  messages: readonly ModelMessage[],
  extraBody: Readonly<Record<string, unknown>>,
  { beginning, tools }: BodyExtras = {},
): string {
  return JSON.stringify({
    stream_options: { include_usage: true },
    ...extraBody,
    ...(beginning?.prefill === "vllm" && { continue_final_message: true, add_generation_prompt: false }),
    ...(tools !== undefined && { tools: tools.map((tool) => ({ type: "function", function: tool })) }),
    n: undefined,
    model,
    messages: [...messages.map(bodyMessage), ...(beginning === undefined ? [] : [lastMessage(beginning)])],
    stream: true,
  });
}

function bodyMessage(message: ModelMessage) {
  const { role, content } = message;
  if (message.role === "tool") return { role, tool_call_id: message.callId, content };
  if (message.role !== "assistant" || message.calls === undefined) return { role, content };
  const calls = message.calls.map(({ id, name, arguments: given, extra }) => ({
    id,
    type: "function",
    function: { name, arguments: given },
    ...(extra !== undefined && { extra_content: extra }),
  }));
  // An empty text beside calls is refused by some (Anthropic's models); null is what OpenAI itself gives.
  return { role, content: content === "" ? null : content, tool_calls: calls };
}

function lastMessage({ prefill, text }: Beginning) {
  return { role: "assistant", content: text, ...(prefill === "prefix" && { prefix: true }) };
}
