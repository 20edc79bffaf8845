/** A server of embeddings: each text's vector says which of a few meanings its words have. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { normalised } from "../../src/retrieval/embeddings/vectors.ts";

const meanings = [
  ["sea", "ocean", "waves", "water"],
  ["coffee", "espresso", "cup", "beans"],
  ["brother", "sibling", "twin"],
  ["money", "rent", "debt"],
];

/** One number for each meaning, and one that all texts have. */
export function meaningOf(text: string): Float32Array {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const counts = meanings.map((meaning) => words.filter((word) => meaning.includes(word)).length);
  return normalised([...counts, 0.1]);
}

export type EmbeddingServerBehaviour = "answers" | "fails" | "hangs" | "talks nonsense" | "gives too few";

export type EmbeddingServerForTests = {
  readonly baseUrl: string;
  behaviour: EmbeddingServerBehaviour;
  /** What was asked, newest last. */
  readonly requests: {
    readonly authorization: string | undefined;
    readonly model: string;
    readonly input: readonly string[];
  }[];
  close(): Promise<void>;
};

export async function startEmbeddingServer(): Promise<EmbeddingServerForTests> {
  const requests: EmbeddingServerForTests["requests"] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { model, input } = JSON.parse(Buffer.concat(chunks).toString());
    requests.push({ authorization: request.headers.authorization, model, input });
    const { behaviour } = handle;
    if (behaviour === "hangs") return;
    if (behaviour === "fails") return void response.writeHead(503).end();
    if (behaviour === "talks nonsense") return void response.end("<html>Sign in</html>");
    const vectors = (input as string[]).map((text, index) => ({ index, embedding: [...meaningOf(text)] }));
    response.setHeader("content-type", "application/json");
    // In no order, which `index` is for.
    response.end(JSON.stringify({ data: behaviour === "gives too few" ? vectors.slice(1) : vectors.reverse() }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const handle: EmbeddingServerForTests = {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    behaviour: "answers",
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return handle;
}
