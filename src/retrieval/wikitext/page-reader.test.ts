import { afterEach, describe, expect, it } from "vitest";
import { PageReader, UnreadablePage } from "./page-reader.ts";

const show = { id: "lighthouse", title: "The Lighthouse", aliases: [] };
let reader: PageReader;

afterEach(() => reader.close());

function read(wikitext: string) {
  return reader.read({ title: "Otto", wikitext, show, date: "2026-11-28" });
}

describe("a thread that reads pages", () => {
  it("gives what stands in them", async () => {
    reader = new PageReader();
    const { facts, passages } = await read("{{Character|portrayed by=Mara Klee}}\nOtto keeps the lighthouse.");
    expect(facts.map(({ object }) => object)).toEqual(["Mara Klee"]);
    expect(passages.map(({ text }) => text)).toContain("Otto keeps the lighthouse.");
  });

  it("is given up over a page that takes too long, and the next page finds another", async () => {
    reader = new PageReader(1_000);
    await expect(read("a ".repeat(500_000))).rejects.toThrow("it takes too long to parse");
    reader = new PageReader();
    expect((await read("Otto keeps the lighthouse.")).passages).toHaveLength(1);
  });

  it("lives on after a page that the parser cannot take", async () => {
    reader = new PageReader(3_000);
    const nested = `${"{{a|".repeat(3_000)}${"}}".repeat(3_000)}`;
    await expect(read(nested)).rejects.toThrow(UnreadablePage);
    expect((await read("Otto keeps the lighthouse.")).passages).toHaveLength(1);
  });
});
