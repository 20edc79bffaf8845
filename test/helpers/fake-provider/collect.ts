/** Pulls a whole answer, for tests of models. */
import type { Model, ModelEvent, ModelMessage } from "../../../src/models/model.ts";

export type Collected = {
  readonly text: string;
  /** The pieces as they were pulled. */
  readonly pieces: readonly string[];
  readonly finish: Extract<ModelEvent, { type: "finish" }> | undefined;
  /** What the iteration threw, `undefined` when it ended. */
  readonly error: unknown;
};

export async function collect(
  model: Model,
  prompt: string | readonly ModelMessage[] = "Hello",
  signal: AbortSignal = new AbortController().signal,
  answerSoFar?: string,
): Promise<Collected> {
  const messages = typeof prompt === "string" ? [{ role: "user", content: prompt } as const] : prompt;
  const request = { messages, username: "TR", ...(answerSoFar !== undefined && { answerSoFar }) };
  const pieces: string[] = [];
  let finish: Collected["finish"];
  let error: unknown;
  try {
    for await (const event of model.generate(request, signal)) {
      if (event.type === "text") pieces.push(event.text);
      else if (event.type === "finish") finish = event;
    }
  } catch (thrown) {
    error = thrown;
  }
  return { text: pieces.join(""), pieces, finish, error };
}
