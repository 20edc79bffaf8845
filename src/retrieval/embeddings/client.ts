/** Texts → vectors, by any server that speaks OpenAI's `/v1/embeddings`. */
import { z } from "zod";
import { normalised } from "./vectors.ts";

export type EmbeddingServer = {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly model: string;
};

const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().int().min(0), embedding: z.array(z.number()).min(1).max(16_384) })),
});

/** A hundred texts with 4,096 numbers each take about 10 MB. */
const mostBytes = 64 * 1024 * 1024;

/**
 * The vectors of texts, of length 1 and in their order.
 *
 * @throws Error when the server does not answer in time, or not as it should
 */
export async function embed(
  { baseUrl, apiKey, model }: EmbeddingServer,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const response = await fetch(`${baseUrl}/embeddings`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json",
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ model, input: texts, encoding_format: "float" }),
    // The texts and the key are for that server alone.
    redirect: "error",
    signal,
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The server of embeddings answers ${response.status}`);
  }
  const { data } = answerSchema.parse(JSON.parse(await boundedText(response)));
  const vectors: (Float32Array | undefined)[] = texts.map(() => undefined);
  for (const { index, embedding } of data) if (index < texts.length) vectors[index] = normalised(embedding);
  const whole = vectors.filter((vector) => vector !== undefined);
  if (whole.length < texts.length || new Set(whole.map(({ length }) => length)).size > 1) {
    throw new Error("The server of embeddings gave other vectors than it was asked for");
  }
  return whole;
}

async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new Error("The server of embeddings sends too much");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
