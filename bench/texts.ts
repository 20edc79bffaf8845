/**
 * What the fake provider says, known to the clients beforehand. Every token has four characters, so the number of
 * characters that arrived says which tokens have, however they were merged on their way.
 */

export const tokenLength = 4;

const words = (
  "the and for are but not you all any can had her was one our out day get has him his how man new now old see two way who " +
  "did its let put say she too use dad mom end far big eat few got own run set sit try why ask men sun car yes yet bad air"
)
  .split(" ")
  .map((word) => ` ${word}`);

export function tokenText(stream: number, token: number): string {
  return words[(stream + token) % words.length] as string;
}

export function answerText(stream: number, tokens: number): string {
  return Array.from({ length: tokens }, (_, token) => tokenText(stream, token)).join("");
}

/** The prompt that tells the provider which stream this is. */
export function promptOf(stream: number): string {
  return `stream ${stream}`;
}

/** @throws Error when the text is no such prompt */
export function streamOf(prompt: string): number {
  const stream = /^stream (\d+)$/.exec(prompt)?.[1];
  if (stream === undefined) throw new Error(`The provider was asked something unknown: ${prompt.slice(0, 100)}`);
  return Number(stream);
}

/** Each token's text followed by the answer's: the words in turn, so that a frame can be prepared for each. */
export const vocabulary: readonly string[] = words;
