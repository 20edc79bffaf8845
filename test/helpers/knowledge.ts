/** Knowledge to search: show packs, and files as the importer makes them. */
import type { Fact, ShowPack, Source } from "../../src/retrieval/facts.ts";
import { ImportFile, type ReadPage } from "../../src/retrieval/index-file/import-file.ts";

export const source: Source = {
  title: "The Lighthouse (TV series)",
  url: "https://wiki.example/w/index.php?title=The_Lighthouse&oldid=41",
  revision: 41,
  licence: "CC BY-SA 4.0",
  retrieved: "2026-11-28",
};

/** Of a sitcom that never was. */
export function makeFact(fact: Partial<Fact> = {}): Fact {
  return {
    id: "lighthouse:played-by:otto",
    show: "lighthouse",
    subject: "Otto Brand",
    relation: "played_by",
    object: "Mara Klee",
    type: "person",
    aliases: [],
    subject_aliases: [],
    evidence: "Otto Brand, who keeps the lighthouse, is played by Mara Klee.",
    depth: 0,
    source,
    verified: { method: "parsed", date: "2026-11-28" },
    ...fact,
  };
}

export function makePack(pack: Partial<ShowPack> = {}): ShowPack {
  const show = { id: "lighthouse", title: "The Lighthouse", aliases: [], years: { first: 1993, last: 1999 } };
  return { show, facts: [makeFact()], ...pack };
}

export type PageDraft = Partial<Omit<ReadPage, "source" | "link">> & {
  /** Its title. */
  readonly page?: string;
  readonly source?: Partial<Source>;
  readonly text?: string;
};

export function makePage({ page = "The Lighthouse", text, source: changed, ...draft }: PageDraft = {}): ReadPage {
  const link = `https://wiki.example/wiki/${encodeURIComponent(page)}`;
  return {
    link,
    show: "lighthouse",
    sha1: "0".repeat(40),
    facts: [],
    passages: text === undefined ? [] : [{ section: ["Plot"], text }],
    ...draft,
    source: { ...source, title: page, url: `${link}?oldid=41`, ...changed },
  };
}

/** Writes a whole knowledge file, as an import does. */
export function writeKnowledge(
  file: string,
  pages: readonly ReadPage[],
  vectors?: (text: string) => Float32Array,
): void {
  const importing = ImportFile.open(file, "test");
  for (const show of new Set(pages.map((page) => page.show))) {
    importing.addShow({ id: show, title: show === "lighthouse" ? "The Lighthouse" : show, aliases: [], years: null });
  }
  importing.take(pages, "end");
  if (vectors !== undefined) {
    const texts = importing.withoutVectors(testModel, 1_000_000);
    importing.addVectors(testModel, new Map(texts.map(({ id, text }) => [id, vectors(text)])));
  }
  importing.finish();
}

export const testModel = "test-embedding";
