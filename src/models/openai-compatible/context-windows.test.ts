import { expect, test } from "vitest";
import { knownContextWindow } from "./context-windows.ts";

test.each([
  ["gpt-3.5-turbo", 16_385],
  ["gpt-3.5-turbo-0125", 16_385],
  ["gpt-3.5-turbo-16k-0613", 16_385],
  ["gpt-3.5-turbo-0613", 4_096],
  ["gpt-3.5-turbo-instruct-0914", 4_096],
  ["gpt-4", 8_192],
  ["gpt-4-0613", 8_192],
  ["gpt-4-32k-0613", 32_768],
  ["gpt-4-turbo-2024-04-09", 128_000],
  ["gpt-4-1106-preview", 128_000],
  ["openai/gpt-4", 8_192],
  ["GPT-4", 8_192],
  ["ft:gpt-3.5-turbo-0613:company::8a1b", 4_096],
  ["gpt-4o", undefined],
  ["gpt-4.5-preview", undefined],
  ["gpt-5.6-terra", undefined],
  ["gpt-3.5-turbotax", undefined],
  ["my-gpt-4", undefined],
  ["llama3.2:3b", undefined],
  ["", undefined],
])("%s has a window of %s tokens", (model, window) => {
  expect(knownContextWindow(model)).toBe(window);
});
