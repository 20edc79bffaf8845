/** Tokens by rule of thumb: for the demo model, for short texts, and where counting takes too long or fails. */
import type { TokenCounter } from "./token-counter.ts";

/**
 * Measured against o200k_base: English, Chinese, Japanese, Korean and program text come out within 12 %, German 20 %
 * and Russian 60 % too high. Too low are JSON (by 40 %), digits (by 25 %) and what is no language, such as base64 (by 60 %).
 */
export const bytesPerToken = 4;

export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

export const estimatingCounter: TokenCounter = {
  count: async (texts) => ({ counts: texts.map(estimateTokens), estimated: true }),
  close: async () => {},
};
