import { describe, expect, it } from "vitest";
import { fuse } from "./rank-fusion.ts";

function fused(...rankings: string[]): string {
  return fuse(
    rankings.map((ranking) => [...ranking]),
    (item) => item,
  ).join("");
}

describe("rankings as one", () => {
  it("have what stands in several of them before what stands in one", () => {
    expect(fused("abc", "xbz")).toBe("baxcz");
  });

  it("keep the order of a single one, and of what ranks alike the first list's before the second's", () => {
    expect(fused("cab")).toBe("cab");
    expect(fused("ab", "xy")).toBe("axby");
    expect(fused("", "")).toBe("");
  });
});
