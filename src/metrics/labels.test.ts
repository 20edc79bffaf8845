import { describe, expect, it } from "vitest";
import { ModelLabels, methodLabel } from "./labels.ts";

describe("labels have few values", () => {
  it("H15: models are told apart by name where they are configured, or among the first few others", () => {
    const labels = new ModelLabels(["configured"]);
    const names = Array.from({ length: 1_000 }, (_, index) => labels.of(`listed-${index}`));
    expect(new Set(names)).toHaveProperty("size", 6);
    expect(labels.of("listed-0")).toBe("listed-0");
    expect(labels.of("listed-999")).toBe("other");
    expect(labels.of("configured")).toBe("configured");
  });

  it("H15: a method that no route has is `other`", () => {
    expect([methodLabel("GET"), methodLabel("M-SEARCH")]).toEqual(["GET", "other"]);
  });
});
