/**
 * The windows of models whose servers do not tell them, in tokens of prompt and answer together
 * (https://platform.openai.com/docs/models and the page of each model there). OpenAI's later models take 100,000 and
 * more, which is beyond what the service sends unless it is told to: they need no row.
 */

const windows: ReadonlyMap<string, number> = new Map([
  ["gpt-3.5-turbo", 16_385],
  ["gpt-3.5-turbo-0301", 4_096],
  ["gpt-3.5-turbo-0613", 4_096],
  ["gpt-3.5-turbo-instruct", 4_096],
  ["gpt-4", 8_192],
  ["gpt-4-32k", 32_768],
  ["gpt-4-0125", 128_000],
  ["gpt-4-1106", 128_000],
  ["gpt-4-turbo", 128_000],
  ["gpt-4-vision", 128_000],
]);

/** By the longest known beginning of a name that ends with a word: `gpt-4-0613` is a `gpt-4`, `gpt-4o` is none. */
export function knownContextWindow(model: string): number | undefined {
  // A gateway's prefix (`openai/gpt-4`) and that of a fine-tuned model (`ft:gpt-3.5-turbo-0125:company::id`).
  const name = model
    .toLowerCase()
    .replace(/^openai\//, "")
    .replace(/^ft:/, "");
  const words = name.split(/(?=[-:])/);
  for (let length = words.length; length > 0; length -= 1) {
    const window = windows.get(words.slice(0, length).join(""));
    if (window !== undefined) return window;
  }
  return undefined;
}
