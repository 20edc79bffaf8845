/** A model server whose answers tell their prompt, so that a piece of another answer, or one twice, is found out. */
import { type FakeProvider, startFakeProvider } from "../helpers/fake-provider.ts";

export type WordsOptions = {
  /** Of each answer. */
  readonly words: number;
  /** UTF-16 code units of a piece, at most. */
  readonly pieceLength: number;
  /** Milliseconds after each piece. */
  readonly pauseMs: number;
};

export function answerInWords(prompt: string, words: number): string {
  return Array.from({ length: words }, (_, word) => `${prompt}.${word} `).join("");
}

/** Its model is called `words`. */
export async function startWordsProvider({ words, pieceLength, pauseMs }: WordsOptions): Promise<FakeProvider> {
  const provider = await startFakeProvider({ record: false });
  const pieces = new RegExp(`.{1,${pieceLength}}`, "gs");
  provider.model("words", async (exchange) => {
    const { messages } = exchange.request;
    // It goes on from the beginning of an answer, where the service hands it one.
    const last = messages.at(-1);
    const prompt = String(messages.findLast(({ role }) => role === "user")?.content);
    const begun = last?.role === "assistant" ? last.content : "";
    for (const piece of answerInWords(prompt, words).slice(begun.length).match(pieces) ?? []) {
      exchange.text(piece);
      await exchange.sleep(pauseMs);
    }
    exchange.complete(words);
  });
  return provider;
}
