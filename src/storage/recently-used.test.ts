import { expect, test } from "vitest";
import { RecentlyUsed } from "./recently-used.ts";

test("forgets what was not used for longest, and nothing before it is full", () => {
  const numbers = new RecentlyUsed<number>(2);
  numbers.set("one", 1);
  numbers.set("two", 2);
  expect(numbers.get("one")).toBe(1);
  numbers.set("three", 3);
  expect(numbers.get("two")).toBeUndefined();
  numbers.set("one", 11);
  numbers.set("four", 4);
  expect(["one", "two", "three", "four"].map((key) => numbers.get(key))).toEqual([11, undefined, undefined, 4]);
});
