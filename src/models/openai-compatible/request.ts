/** What goes upstream: model, messages, streaming with a token count, and what the operator set. Nothing else. */
import type { ModelMessage } from "../model.ts";

/**
 * The JSON body of `POST /chat/completions`. The operator's extra fields win over `stream_options` (some servers refuse
 * it), but not over what this client relies on: the model it names, the messages, the stream, and one choice only.
 */
export function chatCompletionBody(
  model: string,
  messages: readonly ModelMessage[],
  extraBody: Readonly<Record<string, unknown>>,
): string {
  return JSON.stringify({
    stream_options: { include_usage: true },
    ...extraBody,
    n: undefined,
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    stream: true,
  });
}
