import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isProblem } from "../protocol/problems.ts";
import { chooseMediaType } from "./accept.ts";
import { answerTypes } from "./answers/shapes.ts";

function choose(accept: string | undefined): string {
  try {
    return chooseMediaType(accept, answerTypes);
  } catch (error) {
    if (isProblem(error)) return error.code;
    throw error;
  }
}

describe("chooseMediaType", () => {
  it.each([
    [undefined, "text/event-stream"],
    ["", "text/event-stream"],
    ["*/*", "text/event-stream"],
    ["text/event-stream", "text/event-stream"],
    ["text/*", "text/event-stream"],
    ["text/plain", "text/plain"],
    ["TEXT/Plain", "text/plain"],
    ["application/json", "application/json"],
    ["application/*", "application/json"],
    ["application/json; charset=utf-8", "application/json"],
    ["application/json, text/plain, */*", "application/json"],
    ["text/plain, application/json", "text/plain"],
    ["*/*, application/json", "application/json"],
    ["text/plain;q=0.5, application/json;q=0.9", "application/json"],
    ["text/plain;q=0.5, */*;q=0.1", "text/plain"],
    ["*/*, text/event-stream;q=0", "application/json"],
    ["text/html, */*;q=0.8", "text/event-stream"],
  ])("answers Accept: %s with %s", (accept, expected) => {
    expect(choose(accept)).toBe(expected);
  });

  it.each(["text/html", "application/xml;q=1", "*/*;q=0", "text/plain;q=0", "nonsense", "image/*", "text/plain;v=2"])(
    "A19: refuses Accept: %s",
    (accept) => {
      expect(choose(accept)).toBe("not_acceptable");
    },
  );

  it("follows q, then the more specific range, then the client's order, for any list of ranges", () => {
    const range = fc.record({
      range: fc.constantFrom(...answerTypes, "text/*", "application/*", "*/*", "text/html", "image/*"),
      q: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
    });
    fc.assert(
      fc.property(fc.uniqueArray(range, { minLength: 1, selector: (one) => one.range }), (ranges) => {
        const accept = ranges.map((one) => `${one.range};q=${one.q}`).join(", ");
        expect(choose(accept)).toBe(expectedChoice(ranges));
      }),
      { numRuns: 2_000 },
    );
  });

  it("never throws anything but a refusal, and never answers with what is not offered", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (accept) => {
        expect([...answerTypes, "not_acceptable"]).toContain(choose(accept));
      }),
    );
  });

  it("A19: does not spend long on a huge header", () => {
    const startedAt = performance.now();
    expect(choose("a/b,".repeat(4_000))).toBe("not_acceptable");
    expect(performance.now() - startedAt).toBeLessThan(50);
  });
});

type Range = { readonly range: string; readonly q: number };

/** RFC 9110, 12.5.1, said a second time and in another way. */
function expectedChoice(ranges: readonly Range[]): string {
  const specificity = (range: string) => (range === "*/*" ? 0 : range.endsWith("/*") ? 1 : 2);
  const candidates = answerTypes.flatMap((type) => {
    const matching = ranges
      .map((one, order) => ({ ...one, order, specificity: specificity(one.range) }))
      .filter(({ range }) => range === "*/*" || range === type || range === `${type.split("/")[0]}/*`)
      .sort((a, b) => b.specificity - a.specificity || b.q - a.q || a.order - b.order);
    const [best] = matching;
    return best === undefined || best.q === 0 ? [] : [{ type, ...best }];
  });
  candidates.sort((a, b) => b.q - a.q || b.specificity - a.specificity || a.order - b.order);
  return candidates[0]?.type ?? "not_acceptable";
}
