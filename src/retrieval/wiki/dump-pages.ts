/** Pages of a dump: its articles, or those of a category. */
import { hash } from "node:crypto";
import { DumpError, type DumpPage, openDump } from "./dump.ts";
import { type LinkMaker, linkMaker } from "./links.ts";
import type { KnownPage, PageSource, RawBatch, RawPage } from "./raw-page.ts";

/** Pages that are taken in one transaction. */
const mostTogether = 20;

type Options = {
  readonly file: string;
  readonly name: string;
  /** A dump does not say its wiki's. */
  readonly licence: string;
  readonly category: string | undefined;
  readonly limit: number;
};

/** @throws DumpError */
export async function dumpPages({ file, name, licence, category, limit }: Options): Promise<PageSource> {
  const { site, pages } = await openDump(file);
  const linkTo = linksOf(site.base, file);
  const isWanted = (page: DumpPage) =>
    page.namespace === 0 &&
    !page.isRedirect &&
    page.model === "wikitext" &&
    (category === undefined || isIn(page, category));

  /** The cursor counts the pages that were read; those before it are passed over. */
  async function* batches(cursor: string | undefined, isKnown: (page: KnownPage) => boolean): AsyncGenerator<RawBatch> {
    const { read: readBefore, seen: seenBefore } = cursor === undefined ? { read: 0, seen: 0 } : JSON.parse(cursor);
    let read = 0;
    let seen: number = seenBefore;
    let looked = 0;
    let got: RawPage[] = [];
    const batch = (): RawBatch => ({ pages: got, seen: looked, notes: [], cursor: JSON.stringify({ read, seen }) });
    for await (const page of pages) {
      if (seen >= limit) break;
      read += 1;
      if (read <= readBefore || !isWanted(page)) continue;
      seen += 1;
      looked += 1;
      const raw = rawPage(page, linkTo);
      if (!isKnown(raw)) got.push(raw);
      if (looked < mostTogether) continue;
      yield batch();
      got = [];
      looked = 0;
    }
    yield batch();
  }

  return { name, licence, total: undefined, batches };
}

function linksOf(base: string, file: string): LinkMaker {
  const url = URL.parse(base);
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    throw new DumpError(`${file} does not say which wiki it is of: its <base> is no address.`);
  }
  // The base is the wiki's main page, whose title has no slash.
  return linkMaker(`https://${url.host}`, `${url.pathname.slice(0, url.pathname.lastIndexOf("/") + 1)}$1`);
}

function rawPage({ title, revision, text }: DumpPage, linkTo: LinkMaker): RawPage {
  const { link, permanent } = linkTo(title, revision);
  return { title, link, permanentLink: permanent, revision, sha1: hash("sha1", text), wikitext: text };
}

function isIn({ text }: DumpPage, category: string): boolean {
  const wanted = normalised(category.replace(/^[^:]*:/, ""));
  return [...text.matchAll(/\[\[\s*category\s*:(?<name>[^\]|]*)/gi)].some(
    ({ groups }) => normalised(groups?.["name"] ?? "") === wanted,
  );
}

/** Wikis take a name's first letter for upper case, and `_` for a space. */
function normalised(name: string): string {
  const trimmed = name.replaceAll("_", " ").replace(/\s+/g, " ").trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
}
