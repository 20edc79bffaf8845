/**
 * The provider's answers, prepared as the bytes that go to the socket: events in the shape of OpenAI's chat completions
 * (https://platform.openai.com/docs/api-reference/chat-streaming), each in an HTTP chunk of its own, as a server that
 * flushes every event sends them.
 */
import { vocabulary } from "../texts.ts";

type Choice = {
  readonly delta: Readonly<Record<string, string>>;
  readonly finish_reason: string | null;
};

const common = {
  id: "chatcmpl-CfQwV0kNq7LrJd2yXa9TzB4uPmE5s",
  object: "chat.completion.chunk",
  created: 1_763_900_000,
  model: "bench",
  system_fingerprint: "fp_560af6e559",
};

function chunk(data: string): Buffer {
  const event = `data: ${data}\n\n`;
  return Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`, "latin1");
}

function choiceChunk({ delta, finish_reason }: Choice): Buffer {
  return chunk(JSON.stringify({ ...common, choices: [{ index: 0, delta, logprobs: null, finish_reason }] }));
}

export const roleFrame = choiceChunk({ delta: { role: "assistant", content: "" }, finish_reason: null });

/** One for each word of the vocabulary, all of the same length. */
const tokenFrames: readonly Buffer[] = vocabulary.map((content) =>
  choiceChunk({ delta: { content }, finish_reason: null }),
);

export const frameLength = tokenFrames[0]?.length ?? 0;

export function tokenFrame(stream: number, token: number): Buffer {
  return tokenFrames[(stream + token) % tokenFrames.length] as Buffer;
}

/** The end of the answer, without the last HTTP chunk. */
export function endFrames(tokens: number): Buffer {
  const usage = { prompt_tokens: 20, completion_tokens: tokens, total_tokens: tokens + 20 };
  return Buffer.concat([
    choiceChunk({ delta: {}, finish_reason: "stop" }),
    chunk(JSON.stringify({ ...common, choices: [], usage })),
    chunk("[DONE]"),
  ]);
}

/** The frames of a whole answer, one after the other. */
export function answerFrames(stream: number, tokens: number): Buffer {
  return Buffer.concat(Array.from({ length: tokens }, (_, token) => tokenFrame(stream, token)));
}
