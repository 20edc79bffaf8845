/** Pages of a wiki: those of a category, or named ones. First what revision each has, then the texts of those that changed. */
import { hash } from "node:crypto";
import { WikiError } from "./api.ts";
import { type Batch, batchesOf, type Continuation, type WikiPage } from "./batches.ts";
import type { KnownPage, PageSource, RawBatch, RawPage } from "./raw-page.ts";
import type { Site } from "./site.ts";

export type Wanted = { readonly category: string } | { readonly titles: readonly string[] };

/** Named pages in one request; the API takes no more. */
export const mostTitles = 50;

/** Texts that are asked for together: so many, and so many bytes, so that an answer stays below the limit of 5 MiB. */
const mostTogether = 20;
const mostBytesTogether = 1_500_000;

/** No page of a wiki is larger by default (`$wgMaxArticleSize`). */
const largestPage = 2 * 1024 * 1024;

type Options = {
  readonly site: Site;
  readonly name: string;
  readonly licence: string;
  readonly wanted: Wanted;
  readonly limit: number;
};

type Cursor = { readonly next: Continuation | null; readonly seen: number };

/** @throws WikiError where there is no such category, or nothing in it */
export async function wikiPages({ site, name, licence, wanted, limit }: Options): Promise<PageSource> {
  const total = "category" in wanted ? await sizeOf(site, wanted.category) : wanted.titles.length;

  async function* batches(start: string | undefined, isKnown: (page: KnownPage) => boolean): AsyncGenerator<RawBatch> {
    const from: Cursor = start === undefined ? { next: {}, seen: 0 } : JSON.parse(start);
    if (from.next === null || from.seen >= limit) return;
    let { seen } = from;
    let before: Continuation = from.next;
    for await (const { pages, next } of batchesOf(site.api, listing(wanted), from.next)) {
      const listed = pages.slice(0, limit - seen);
      for await (const { got, looked, notes } of textsOf(site, listed, isKnown)) {
        // Until the last text of a batch is there, the next import lists it again; what it has is not fetched again.
        yield { pages: got, seen: looked, notes, cursor: JSON.stringify({ next: before, seen } satisfies Cursor) };
      }
      seen += listed.length;
      before = next ?? {};
      yield { pages: [], seen: 0, notes: [], cursor: JSON.stringify({ next: next ?? null, seen } satisfies Cursor) };
      if (seen >= limit) return;
    }
  }

  return { name, licence, total: Math.min(total, limit), batches };
}

function listing(wanted: Wanted): Record<string, string | number> {
  const revisions = { prop: "revisions", rvprop: "ids|sha1|size", redirects: 1 };
  if ("titles" in wanted) return { ...revisions, titles: wanted.titles.join("|") };
  return {
    ...revisions,
    generator: "categorymembers",
    gcmtitle: titleOf(wanted.category),
    gcmtype: "page",
    gcmnamespace: 0,
    gcmlimit: 50,
  };
}

function titleOf(category: string): string {
  return category.includes(":") ? category : `Category:${category}`;
}

async function sizeOf(site: Site, category: string): Promise<number> {
  const { query } = await site.api.query({ prop: "categoryinfo", titles: titleOf(category) });
  const [page] = Array.isArray(query?.["pages"]) ? query["pages"] : [];
  const size = Number(page?.categoryinfo?.pages ?? 0);
  if (size > 0) return size;
  throw new WikiError(`${site.name} has no pages in ${titleOf(category)}; look up how the category is spelt there.`);
}

type Texts = { readonly got: readonly RawPage[]; readonly looked: number; readonly notes: readonly string[] };

async function* textsOf(
  site: Site,
  pages: Batch["pages"],
  isKnown: (page: KnownPage) => boolean,
): AsyncGenerator<Texts> {
  const missing = pages.filter(({ pageid }) => pageid === undefined);
  const notes = missing.map(({ title }) => `There is no page ${title}.`);
  const wanted = pages.filter((page) => page.pageid !== undefined && !isKnown(knownPage(site, page)));
  const tooLarge = wanted.filter((page) => sizeIn(page) > largestPage);
  notes.push(...tooLarge.map(({ title }) => `${title} is left out, as it is larger than 2 MiB.`));
  yield { got: [], looked: pages.length - wanted.length + tooLarge.length, notes };
  for (const group of groupsOf(wanted.filter((page) => !tooLarge.includes(page)))) {
    const ids = group.map(({ pageid }) => pageid).join("|");
    const parameters = { pageids: ids, prop: "revisions", rvprop: "ids|sha1|content", rvslots: "main" };
    const got: RawPage[] = [];
    const left: string[] = [];
    for await (const batch of batchesOf(site.api, parameters)) {
      for (const page of batch.pages) {
        const raw = rawPage(site, page);
        if (raw === undefined) left.push(`${page.title} is left out, as its text is not wikitext or not to be had.`);
        else got.push(raw);
      }
    }
    yield { got, looked: group.length, notes: left };
  }
}

/** As many as may be asked for together. */
function groupsOf(pages: readonly WikiPage[]): WikiPage[][] {
  const groups: WikiPage[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const page of pages) {
    const group = groups.at(-1);
    const size = sizeIn(page);
    if (group === undefined || group.length === mostTogether || bytes + size > mostBytesTogether) {
      groups.push([page]);
      bytes = size;
    } else {
      group.push(page);
      bytes += size;
    }
  }
  return groups;
}

function sizeIn({ revisions }: WikiPage): number {
  return revisions?.[0]?.size ?? 0;
}

function knownPage(site: Site, { title, revisions }: WikiPage): KnownPage {
  const { revid: revision = null, sha1 } = revisions?.[0] ?? {};
  return { link: site.linkTo(title, null).link, revision, sha1 };
}

function rawPage(site: Site, { title, revisions }: WikiPage): RawPage | undefined {
  const [revision] = revisions ?? [];
  const { content, contentmodel } = revision?.slots?.main ?? {};
  if (revision === undefined || content === undefined || contentmodel !== "wikitext") return undefined;
  const { link, permanent } = site.linkTo(title, revision.revid);
  const sha1 = revision.sha1 ?? hash("sha1", content);
  return { title, link, permanentLink: permanent, revision: revision.revid, sha1, wikitext: content };
}
