import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bitsIn, bytesOf, floatsOf, normalised, product, signatureOf } from "./vectors.ts";

describe("vectors", () => {
  it("have length 1, however long they are and whatever they were", () => {
    const numbers = fc.array(fc.float({ min: -1_000, max: 1_000, noNaN: true }), { minLength: 1, maxLength: 2_000 });
    fc.assert(
      fc.property(numbers, (values) => {
        fc.pre(values.some((value) => Math.abs(value) > 0.01));
        const vector = normalised(values);
        expect(product(vector, vector)).toBeCloseTo(1, 4);
      }),
    );
  });

  it("of no length are refused", () => {
    expect(() => normalised([0, 0])).toThrow(TypeError);
    expect(() => normalised([Number.NaN])).toThrow(TypeError);
    expect(() => normalised([Number.POSITIVE_INFINITY])).toThrow(TypeError);
  });

  it("come back from their bytes, from wherever these begin in memory", () => {
    const vector = normalised([1, -2, 3]);
    const shifted = new Uint8Array([0, ...bytesOf(vector)]).subarray(1);
    expect(floatsOf(shifted)).toEqual(vector);
  });
});

describe("signatures", () => {
  it("have a bit for each number above 0", () => {
    expect([...signatureOf(Float32Array.of(1, -1, 0, 2))]).toEqual([0b1001]);
    const long = new Float32Array(33);
    long[31] = 1;
    long[32] = 1;
    expect([...signatureOf(long)]).toEqual([2 ** 31, 1]);
  });

  it("are compared by counting bits", () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (number) => {
        expect(bitsIn(number)).toBe(number.toString(2).replaceAll("0", "").length);
      }),
    );
    expect(bitsIn(0xffffffff ^ 0)).toBe(32);
  });
});
