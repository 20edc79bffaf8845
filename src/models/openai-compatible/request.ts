/** What goes upstream: model, messages, streaming with a token count, and what the operator set. Nothing else. */
import type { ModelMessage } from "../model.ts";

/**
 * How a server is told to go on with an answer (docs/decisions/013 says which server wants what). In all of them the last
 * message is the answer's beginning: `assistant` sends just that, `prefix` marks it with `prefix: true`, `vllm` adds the
 * two fields that vLLM knows. `none`: this server is never asked to.
 */
export type Prefill = "none" | "assistant" | "prefix" | "vllm";

/** An answer that has begun. */
export type Beginning = { readonly prefill: Prefill; readonly text: string };

/**
 * The JSON body of `POST /chat/completions`. The operator's extra fields win over `stream_options` (some servers refuse
 * it), but not over what this client relies on: the model it names, the messages, the stream, one choice only, and where
 * the answer goes on.
 */
export function chatCompletionBody(
  model: string,
  messages: readonly ModelMessage[],
  extraBody: Readonly<Record<string, unknown>>,
  beginning?: Beginning,
): string {
  return JSON.stringify({
    stream_options: { include_usage: true },
    ...extraBody,
    ...(beginning?.prefill === "vllm" && { continue_final_message: true, add_generation_prompt: false }),
    n: undefined,
    model,
    messages: [
      ...messages.map(({ role, content }) => ({ role, content })),
      ...(beginning === undefined ? [] : [lastMessage(beginning)]),
    ],
    stream: true,
  });
}

function lastMessage({ prefill, text }: Beginning) {
  return { role: "assistant", content: text, ...(prefill === "prefix" && { prefix: true }) };
}
