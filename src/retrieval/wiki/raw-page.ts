/** Where pages come from: a wiki, or a dump of one. */
export type RawPage = {
  readonly title: string;
  readonly link: string;
  readonly permanentLink: string;
  readonly revision: number | null;
  /** Of its wikitext, in hex. */
  readonly sha1: string;
  readonly wikitext: string;
};

export type RawBatch = {
  readonly pages: readonly RawPage[];
  /** What brings what comes after it. */
  readonly cursor: string;
  /** Pages that were looked at: these, and those that were not wanted or have not changed. */
  readonly seen: number;
  /** Sentences for the operator about pages that are not among them. */
  readonly notes: readonly string[];
};

export type PageSource = {
  /** Names the import: the same words go on with one that was not finished. */
  readonly name: string;
  readonly licence: string;
  /** How many pages there will be, where that is known. */
  readonly total: number | undefined;
  /** @param isKnown whether a page of that link and SHA-1 is there already, or unwanted; it is not fetched then */
  batches(cursor: string | undefined, isKnown: (page: KnownPage) => boolean): AsyncIterable<RawBatch>;
};

export type KnownPage = Pick<RawPage, "link" | "revision"> & { readonly sha1: string | undefined };
