/** The bare pass-through in front of the same provider. */
import { tmpdir } from "node:os";
import { promptOf } from "../texts.ts";
import { startServer } from "./processes.ts";
import type { AnswerReader, Target } from "./target.ts";

export async function startPassThrough(providerOrigin: string): Promise<Target> {
  const server = await startServer({
    entry: "bench/targets/pass-through.ts",
    argument: providerOrigin,
    directory: tmpdir(),
  });
  return {
    name: "pass-through",
    server,
    prepare: async (streams) =>
      Array.from({ length: streams }, (_, stream) => ({
        method: "POST",
        path: "/v1/chat/completions",
        // What the service sends for the same prompt.
        body: JSON.stringify({
          stream_options: { include_usage: true },
          model: "bench",
          messages: [
            { role: "system", content: "You are a friendly and helpful assistant." },
            { role: "user", content: promptOf(stream) },
          ],
          stream: true,
        }),
      })),
    newReader: () => new CompletionReader(),
    stop: () => server.stop(),
  };
}

type Chunk = {
  readonly choices: readonly [
    { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }?,
  ];
};

/** The provider's events as they are. */
class CompletionReader implements AnswerReader {
  #finishes = 0;
  #dones = 0;

  take(event: string): string {
    if (this.#dones > 0) this.#dones += 1;
    const data = event.slice("data: ".length);
    if (data === "[DONE]") {
      this.#dones += 1;
      return "";
    }
    const [choice] = (JSON.parse(data) as Chunk).choices;
    if (choice?.finish_reason === "stop") this.#finishes += 1;
    return choice?.delta.content ?? "";
  }

  get isWhole(): boolean {
    return this.#finishes === 1 && this.#dones === 1;
  }
}
