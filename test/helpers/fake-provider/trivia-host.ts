/** A model that plays trivia by calling tools, for tests of the game: `provider.model("host", triviaHost)`. */
import type { ProviderExchange } from "./exchange.ts";

export function isToldResults({ request }: ProviderExchange): boolean {
  return request.messages.at(-1)?.role === "tool";
}

/** Calls what its tools are for, and speaks of what comes back in words of its own. */
export function triviaHost(exchange: ProviderExchange): void {
  const call = callFor(exchange);
  if (isToldResults(exchange)) exchange.answer(["And the host says: ", exchange.prompt]);
  else if (call === undefined) exchange.answer(["Just talk."]);
  else {
    exchange.text("Let us see.");
    const piece = (fields: object) =>
      exchange.chunk({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...fields }] } }] });
    piece({ id: "call_x", type: "function", function: { name: call.name, arguments: "" } });
    for (const part of call.given.match(/.{1,5}/g) ?? []) piece({ function: { arguments: part } });
    exchange.complete(5, "tool_calls");
  }
}

/** In a tool that it is offered. */
function callFor({ request, prompt }: ProviderExchange) {
  const tools = (request.body["tools"] ?? []) as readonly { readonly function: { readonly name: string } }[];
  const offered = (name: string) => tools.some((tool) => tool.function.name === name);
  if (/trivia/.test(prompt) && offered("start_trivia")) return { name: "start_trivia", given: '{"questions":2}' };
  if (!/^[a-d](?:\)|$)/.test(prompt) || !offered("answer_trivia")) return undefined;
  return { name: "answer_trivia", given: JSON.stringify({ answer: prompt }) };
}
