/**
 * A query in as many requests as it takes (https://www.mediawiki.org/wiki/API:Continue): what the wiki says of a page may
 * come in pieces, and is whole with `batchcomplete`.
 */
import { z } from "zod";
import { type WikiApi, WikiError } from "./api.ts";

const pageSchema = z.looseObject({
  pageid: z.number().int().optional(),
  ns: z.number().int().default(0),
  title: z.string(),
  missing: z.boolean().optional(),
  invalid: z.boolean().optional(),
  revisions: z
    .array(
      z.looseObject({
        revid: z.number().int().min(1),
        size: z.number().int().min(0).default(0),
        sha1: z
          .string()
          .regex(/^[0-9a-f]{40}$/)
          .optional(),
        slots: z
          .looseObject({
            main: z
              .looseObject({ contentmodel: z.string().default("wikitext"), content: z.string().optional() })
              .optional(),
          })
          .optional(),
      }),
    )
    .optional(),
});
export type WikiPage = z.infer<typeof pageSchema>;

export type Continuation = Readonly<Record<string, string | number>>;

export type Batch = {
  readonly pages: readonly WikiPage[];
  /** What brings the next one; undefined after the last. */
  readonly next: Continuation | undefined;
};

/** More requests for one batch are no wiki's way to answer. */
const mostRequests = 200;

/** @param from what a batch before named as its next */
export async function* batchesOf(
  api: WikiApi,
  parameters: Readonly<Record<string, string | number>>,
  from: Continuation = {},
): AsyncGenerator<Batch> {
  let pages = new Map<string, WikiPage>();
  let next: Continuation | undefined = from;
  for (let requests = 0; ; ) {
    requests += 1;
    const answer = await api.query({ ...parameters, ...next });
    for (const page of pagesIn(answer.query)) {
      const before = pages.get(page.title);
      pages.set(page.title, { ...before, ...page, revisions: page.revisions ?? before?.revisions });
    }
    next = answer.continue;
    if (answer.batchcomplete === true || next === undefined) {
      yield { pages: [...pages.values()], next };
      pages = new Map();
      requests = 0;
    }
    if (next === undefined) return;
    if (requests >= mostRequests) throw new WikiError("The wiki gives its pages in pieces without end.");
  }
}

function pagesIn(query: Readonly<Record<string, unknown>> | undefined): WikiPage[] {
  const pages = z.array(pageSchema).safeParse(query?.["pages"] ?? []);
  if (!pages.success)
    throw new WikiError("The wiki describes its pages in a way that is not MediaWiki's.", { cause: pages.error });
  return pages.data;
}
