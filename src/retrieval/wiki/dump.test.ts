import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { dumpOf } from "../../../test/helpers/wiki-dump.ts";
import { DumpError, type DumpPage, openDump } from "./dump.ts";
import { dumpPages } from "./dump-pages.ts";

const directory = mkdtempSync(path.join(tmpdir(), "dump-"));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;

function written(content: string | Buffer): string {
  files += 1;
  const file = path.join(directory, `dump-${files}.xml`);
  writeFileSync(file, content);
  return file;
}

async function read(content: string | Buffer): Promise<DumpPage[]> {
  return Array.fromAsync((await openDump(written(content))).pages);
}

const pages = [
  { title: "Two Boats", text: "Plain & <b>simple</b> “Björk” 🌊", revision: 7 },
  { title: "Talk:Two Boats", text: "Really?", namespace: 1 },
  { title: "2 Boats", text: "#REDIRECT [[Two Boats]]", isRedirect: true },
  { title: "MediaWiki.js", text: "alert(1)", model: "javascript" },
  { title: "The Grinder", text: "[[Category: season_2 ]]Ilse buys a machine.", revision: 9 },
];

describe("a dump", () => {
  it("gives its pages with what tells articles from others, packed or not", async () => {
    for (const content of [dumpOf(pages), gzipSync(dumpOf(pages)), `\ufeff${dumpOf(pages)}`]) {
      const got = await read(content);
      expect(got.map(({ title }) => title)).toEqual(pages.map(({ title }) => title));
      expect(got[0]).toEqual({
        title: "Two Boats",
        namespace: 0,
        revision: 7,
        model: "wikitext",
        isRedirect: false,
        text: pages[0]?.text,
      });
      expect(got.map(({ namespace }) => namespace)).toEqual([0, 1, 0, 0, 0]);
      expect(got.map(({ isRedirect }) => isRedirect)).toEqual([false, false, true, false, false]);
    }
  });

  it("with all revisions of a page gives the last one", async () => {
    const old = "<revision><id>3</id><model>wikitext</model><text>Old</text></revision>";
    const [page] = await read(dumpOf(pages.slice(0, 1)).replace("<revision>", `${old}<revision>`));
    expect(page).toMatchObject({ revision: 7, text: pages[0]?.text });
  });

  it("is read in flat memory, a page at a time", async () => {
    const long = Array.from({ length: 400 }, (_, index) => ({ title: `Page ${index}`, text: "word ".repeat(50_000) }));
    const file = written(dumpOf(long));
    const before = process.memoryUsage().heapUsed;
    let count = 0;
    let most = 0;
    for await (const { text } of (await openDump(file)).pages) {
      count += text.length > 0 ? 1 : 0;
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    expect(count).toBe(400);
    // The file has 100 MB.
    expect(most).toBeLessThan(60_000_000);
  });
});

describe("what is no dump", () => {
  it.each([
    ["a page", "<!DOCTYPE html><html><body>Hello</body></html>", "is no MediaWiki dump"],
    ["other XML", "<rss><channel/></rss>", "it does not begin with <mediawiki>"],
    ["JSON", '{"query":{}}', "is no MediaWiki dump"],
    ["an empty file", "", "is no MediaWiki dump"],
    ["bytes", Buffer.from([0xff, 0xfe, 0x00, 0x80]), "it is not UTF-8"],
    ["a dump without its wiki", "<mediawiki></mediawiki>", "does not begin with <mediawiki> and its <siteinfo>"],
    ["one that wants entities", `<!DOCTYPE mediawiki [<!ENTITY a "aaaa">]>${dumpOf(pages)}`, "it has a document type"],
    ["an unknown entity", dumpOf(pages).replace("Plain", "&lol;"), "is no MediaWiki dump"],
    ["bzip2", Buffer.from("BZh91AY&SY"), "is packed: unpack it on the way, bzcat FILE |"],
    ["7-Zip", Buffer.from("7z\xbc\xaf\x27\x1c", "latin1"), "7z x -so FILE"],
    ["elements without end", `<mediawiki>${"<a>".repeat(100)}`, "stand too deep"],
  ])("is refused with a sentence: %s", async (_name, content, sentence) => {
    await expect(read(content)).rejects.toThrow(sentence);
    await expect(read(content)).rejects.toThrow(DumpError);
  });

  it("for want of a file, too", async () => {
    await expect(openDump(path.join(directory, "none.xml"))).rejects.toThrow("none.xml does not exist.");
    await expect(openDump(directory)).rejects.toThrow("cannot be read.");
  });

  it("because its end is missing is told after the pages before that", async () => {
    const whole = dumpOf(pages);
    const { pages: got } = await openDump(written(whole.slice(0, whole.indexOf("Ilse buys"))));
    const titles: string[] = [];
    const reading = (async () => {
      for await (const { title } of got) titles.push(title);
    })();
    await expect(reading).rejects.toThrow("not a whole one");
    expect(titles).toHaveLength(4);
  });

  it("because a text in it has no end", async () => {
    const start = dumpOf(pages).slice(0, dumpOf(pages).indexOf("Plain"));
    await expect(read(`${start}${"x".repeat(17 * 1024 * 1024)}`)).rejects.toThrow("more than 16 MiB");
  });

  it("because many pieces of a text have no end", async () => {
    const start = dumpOf(pages).slice(0, dumpOf(pages).indexOf("Plain"));
    const piece = `<![CDATA[${"x".repeat(1024 * 1024)}]]>`;
    await expect(read(`${start}${piece.repeat(17)}`)).rejects.toThrow("more than 16 MiB");
  });
});

describe("the pages of a dump that are taken", () => {
  const batches = async (options: { category?: string; limit?: number; cursor?: string; known?: string[] } = {}) => {
    const file = written(dumpOf(pages));
    const { category, limit = 100, cursor, known = [] } = options;
    const source = await dumpPages({ file, name: "dump", licence: "CC0", category, limit });
    return Array.fromAsync(source.batches(cursor, ({ link }) => known.some((title) => link.endsWith(title))));
  };

  it("are articles, with links to their wiki", async () => {
    const [batch] = await batches();
    expect(batch?.pages.map(({ title, permanentLink }) => [title, permanentLink])).toEqual([
      ["Two Boats", "https://wiki.example/wiki/Two_Boats?oldid=7"],
      ["The Grinder", "https://wiki.example/wiki/The_Grinder?oldid=9"],
    ]);
    expect(batch?.seen).toBe(2);
  });

  it("are those of a category, so many as are wanted, and not those that are known", async () => {
    const titles = async (options: Parameters<typeof batches>[0]) =>
      (await batches(options)).flatMap((batch) => batch.pages.map(({ title }) => title));
    expect(await titles({ category: "Season 2" })).toEqual(["The Grinder"]);
    expect(await titles({ category: "Category:Season 2" })).toEqual(["The Grinder"]);
    expect(await titles({ category: "Season 3" })).toEqual([]);
    expect(await titles({ limit: 1 })).toEqual(["Two Boats"]);
    expect(await titles({ known: ["Two_Boats"] })).toEqual(["The Grinder"]);
    expect(await titles({ cursor: '{"read":1,"seen":1}' })).toEqual(["The Grinder"]);
  });
});
