import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockSplitter, hasDefinitions } from "./blocks.ts";
import { type Node, parse } from "./parse.ts";

/** What is drawn of a tree. */
function outline(nodes: readonly Node[] | undefined): unknown {
  return nodes?.map(({ type, token, children }) => {
    const { tag, content, info, hidden, attrs } = token;
    return { type, tag, content: children.length > 0 ? "" : content, info, hidden, attrs, children: outline(children) };
  });
}

function outlineOfBlocks(blocks: readonly string[]): unknown[] {
  return blocks.flatMap((block) => outline(parse(block)) as unknown[]);
}

const line = fc.constantFrom(
  "words and *more* of them",
  "# Heading",
  "Setext",
  "===",
  "---",
  "- item",
  "  - nested",
  "* other",
  "1. first",
  "2) second",
  "   continued",
  "    indented",
  "\tindented by a tab",
  "> quoted",
  "> ```",
  ">     code",
  "```",
  "```js",
  "````",
  "~~~",
  "~~~ `x`",
  " ```",
  "  ```",
  "   ~~~",
  "- ```",
  "| a | b |",
  "|---|:-:|",
  "| 1 | 2 |",
  "<div>",
  "<!-- never closed",
  "![picture](https://example.com/x.png)",
  "**never closed",
  "`never closed",
  "- [ ] to do",
  "",
  "",
  " ",
);

const text = fc
  .tuple(fc.array(line, { maxLength: 14 }), fc.constantFrom("\n", "\r\n"))
  .map(([lines, end]) => lines.join(end));

describe("a text in blocks", () => {
  it("reads as the whole does, whatever it is made of", () => {
    const isSame = fc.property(text, (whole) => {
      const blocks = new BlockSplitter().split(whole);
      expect(blocks.join("")).toBe(whole);
      expect(outlineOfBlocks(blocks)).toEqual(outline(parse(whole)));
    });
    fc.assert(isSame, { numRuns: 3_000 });
  });

  it("I5: is the same in whatever pieces it came", () => {
    const isSame = fc.property(text, fc.array(fc.nat({ max: 9 })), (whole, sizes) => {
      const splitter = new BlockSplitter();
      let length = 0;
      for (const size of sizes) {
        length += size;
        splitter.split(whole.slice(0, length));
      }
      expect(splitter.split(whole)).toEqual(new BlockSplitter().split(whole));
    });
    fc.assert(isSame, { numRuns: 500 });
  });

  it("begins anew when its text was taken back", () => {
    const splitter = new BlockSplitter();
    splitter.split("a\n\nb\n\nc");
    expect(splitter.split("x\n\ny")).toEqual(["x\n\n", "y"]);
  });

  it("has a block a paragraph, and one for a list and for a fence with all that stands in it", () => {
    const blocks = ["One.\n\n", "- a\n\n- b\n\n", "```\nx\n\ny\n```\n\n", "Two."];
    expect(new BlockSplitter().split(blocks.join(""))).toEqual(blocks);
  });

  it("leaves the blocks before the last one as they were, so that they need not be drawn again", () => {
    const splitter = new BlockSplitter();
    const whole = "A paragraph of some words.\n\n".repeat(300);
    let last: readonly string[] = [];
    for (let length = 0; length <= whole.length; length += 500) {
      const blocks = splitter.split(whole.slice(0, length));
      expect(blocks.slice(0, last.length - 1)).toEqual(last.slice(0, -1));
      last = blocks;
    }
    expect(last.length).toBeGreaterThan(250);
  });
});

describe("definitions, which are for the whole text", () => {
  it.each(["[1]: https://example.com", "text\n\n  [a b]: <x>"])("%j has one", (text) => {
    expect(hasDefinitions(text)).toBe(true);
  });

  it.each(["[1] is a number", "`[1]: x`", "    [1]: code"])("%j has none", (text) => {
    expect(hasDefinitions(text)).toBe(false);
  });
});
