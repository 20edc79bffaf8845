import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlidingCount } from "./sliding-count.ts";

describe("SlidingCount", () => {
  it("counts what lies in the slices of its window, however much time passes between", () => {
    const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 4_000 }), adds: fc.boolean() }));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_000 }), steps, (startsAt, sequence) => {
        let now = startsAt;
        const count = new SlidingCount(5_000, 1_000, () => now);
        const added: number[] = [];
        for (const { waitMs, adds } of sequence) {
          now += waitMs;
          if (adds) {
            count.add();
            added.push(now);
          }
          const oldest = Math.floor(now / 1_000) - 4;
          expect(count.total).toBe(added.filter((time) => Math.floor(time / 1_000) >= oldest).length);
        }
      }),
    );
  });

  it("forgets everything when it is cleared, and counts on", () => {
    const count = new SlidingCount(5_000, 1_000, () => 0);
    count.add();
    count.clear();
    expect(count.total).toBe(0);
    count.add();
    expect(count.total).toBe(1);
  });
});
