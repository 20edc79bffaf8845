import { expect, it } from "vitest";
import { byteSize } from "./byte-size.ts";

it.each([
  [1024 * 1024, "1 MiB"],
  [3 * 1024 * 1024, "3 MiB"],
  [256 * 1024, "256 KiB"],
  [1_500 * 1024, "1500 KiB"],
  [1_000, "1000 bytes"],
])("a size of %d bytes is %s", (bytes, words) => {
  expect(byteSize(bytes)).toBe(words);
});
