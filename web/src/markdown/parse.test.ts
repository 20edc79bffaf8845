import { describe, expect, it } from "vitest";
import { type Node, parse, plainText } from "./parse.ts";

function typesIn(nodes: readonly Node[]): string[] {
  return nodes.flatMap(({ type, children }) => [type, ...typesIn(children)]);
}

describe("reading Markdown", () => {
  it("I1: HTML is text", () => {
    const source = '<script>alert(1)</script> <img src=x onerror="alert(1)">\n\n<svg onload=alert(1)>\n<math><mi>';
    const nodes = parse(source) ?? [];
    expect(typesIn(nodes).filter((type) => type.startsWith("html"))).toEqual([]);
    expect(plainText(nodes)).toContain("<script>alert(1)</script>");
  });

  it.each([
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](\u0001javascript:alert(1))",
    "[a](java&#10;script:alert(1))",
    "[a](vbscript:x)",
    "[a](data:text/html,x)",
    "[a](file:///etc/passwd)",
    "[a](blob:x)",
    "[a](/sessions)",
    "[a](//evil.example)",
    "[a](#deadbeef)",
    "<javascript:alert(1)>",
    "![a](data:image/svg+xml,x)",
  ])("I3: %s is no link", (source) => {
    expect(typesIn(parse(source) ?? [])).not.toContain("link");
    expect(typesIn(parse(source) ?? [])).not.toContain("image");
  });

  it.each([
    "[a](https://example.com/b)",
    "<https://example.com>",
    "https://example.com/c",
    "[a](mailto:a@example.com)",
  ])("%s is one", (source) => {
    expect(typesIn(parse(source) ?? [])).toContain("link");
  });

  it("names of files are no links", () => {
    expect(typesIn(parse("see main.py, index.ts and a@b.co") ?? [])).not.toContain("link");
  });

  it("I5: what would take too long, or lead too deep, is shown as it is", () => {
    expect(parse("a".repeat(100_001))).toBeUndefined();
    const deep = parse(`${">".repeat(10_000)} a`) ?? [];
    expect(typesIn(deep).length).toBeLessThan(300);
  });

  const hard: Readonly<Record<string, string>> = {
    brackets: "[".repeat(20_000),
    "pictures that never end": "![a](".repeat(8_000),
    stars: "*a ".repeat(20_000),
    underscores: "_a".repeat(20_000),
    "runs of backticks": Array.from({ length: 300 }, (_, index) => `${"`".repeat(index)} `).join(""),
    quotes: `${">".repeat(100)} a\n`.repeat(500),
    lists: Array.from({ length: 400 }, (_, index) => `${" ".repeat(index)}- a`).join("\n"),
    tables: `|a|b|\n|-|-|\n${"|x|y|\n".repeat(5_000)}`,
    "a table with one long row": `|a|\n|-|\n|${"x|".repeat(30_000)}`,
    entities: "&amp".repeat(20_000),
    addresses: "https://".repeat(8_000),
    "open tags": "<a".repeat(30_000),
    definitions: "[a]: b\n".repeat(5_000),
  };

  it.each(Object.entries(hard))("I5: %s take a time that grows with their length", (_, source) => {
    // Generous, for a machine that does much else: what is quadratic takes many times as long.
    const started = performance.now();
    parse(source);
    expect(performance.now() - started).toBeLessThan(4_000);
  });
});
