/** Pages of a source into the knowledge file: read, understood, and taken a few at a time with where the import stands. */
import { type EmbeddingServer, embed } from "../embeddings/client.ts";
import type { Show } from "../facts.ts";
import { ImportFile, type ReadPage } from "../index-file/import-file.ts";
import { type PageReader, UnreadablePage } from "../wikitext/page-reader.ts";
import type { PageSource, RawPage } from "./raw-page.ts";

/** Passages that are embedded with one request, and how long that may take in milliseconds. */
const embeddedTogether = 64;
const embeddingMs = 60_000;

export type ImportOptions = {
  /** The knowledge file. */
  readonly file: string;
  readonly source: PageSource;
  readonly show: Show;
  /** The day, as 2026-11-28. */
  readonly date: string;
  readonly reader: PageReader;
  readonly embeddings: EmbeddingServer | undefined;
  readonly progress: Progress;
};

export interface Progress {
  /** @param total undefined where nobody knows */
  pages(seen: number, total: number | undefined, taken: number): void;
  embedded(passages: number): void;
  /** A sentence about a page that is left out. */
  note(sentence: string): void;
}

export type Imported = {
  readonly taken: number;
  readonly unchanged: number;
  /** In the whole file. */
  readonly pages: number;
  readonly facts: number;
  readonly passages: number;
};

/**
 * Goes on where an import of the same source stands. The file that is served is replaced once everything is there.
 *
 * @throws ImportUnderWay; WikiError, DumpError, FetchRefused or an error of the embedding server, after which what was
 *   taken stays for the next time
 */
export async function importPages({
  file,
  source,
  show,
  date,
  reader,
  embeddings,
  progress,
}: ImportOptions): Promise<Imported> {
  const importing = ImportFile.open(file, source.name);
  try {
    importing.addShow(show);
    let seen = 0;
    let taken = 0;
    const isKnown = ({ link, revision, sha1 }: { link: string; revision: number | null; sha1: string | undefined }) =>
      importing.isUnwanted(link, revision) || (sha1 !== undefined && importing.sha1Of(link, show.id) === sha1);
    for await (const batch of source.batches(importing.cursor, isKnown)) {
      const pages: ReadPage[] = [];
      for (const page of batch.pages) {
        // Its text may be of a newer revision than the one that was listed.
        if (importing.isUnwanted(page.link, page.revision)) continue;
        const read = await readPage(page, { source, show, date, reader, progress });
        if (read !== undefined) pages.push(read);
      }
      importing.take(pages, batch.cursor);
      seen += batch.seen;
      taken += pages.length;
      for (const note of batch.notes) progress.note(note);
      progress.pages(seen, source.total, taken);
    }
    if (embeddings !== undefined) await embedAll(importing, embeddings, progress);
    const counts = importing.counts();
    importing.finish();
    return { taken, unchanged: seen - taken, ...counts };
  } catch (error) {
    importing.close();
    throw error;
  }
}

type Reading = Pick<ImportOptions, "source" | "show" | "date" | "reader" | "progress">;

async function readPage(
  page: RawPage,
  { source, show, date, reader, progress }: Reading,
): Promise<ReadPage | undefined> {
  const { title, link, permanentLink, revision, sha1, wikitext } = page;
  try {
    const content = await reader.read({ title, wikitext, show, date });
    const about = { title, url: permanentLink, revision, licence: source.licence, retrieved: date };
    return { link, show: show.id, sha1, source: about, ...content };
  } catch (error) {
    if (!(error instanceof UnreadablePage)) throw error;
    progress.note(`${title} is left out: ${error.message}.`);
    return undefined;
  }
}

async function embedAll(importing: ImportFile, server: EmbeddingServer, progress: Progress): Promise<void> {
  let passages = 0;
  for (;;) {
    const batch = importing.withoutVectors(server.model, embeddedTogether);
    if (batch.length === 0) return;
    const texts = batch.map(({ text }) => text);
    const vectors = await embed(server, texts, AbortSignal.timeout(embeddingMs));
    importing.addVectors(
      server.model,
      new Map(batch.map(({ id }, index) => [id, vectors[index] ?? new Float32Array()])),
    );
    passages += batch.length;
    progress.embedded(passages);
  }
}
