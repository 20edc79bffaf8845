/**
 * A MediaWiki XML export (https://www.mediawiki.org/wiki/Help:Export), page by page and in flat memory. Of a page with all
 * of its revisions the last one counts.
 */
import { createReadStream } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { SaxesParser } from "saxes";

export type DumpPage = {
  readonly title: string;
  readonly namespace: number;
  readonly revision: number | null;
  readonly model: string;
  readonly isRedirect: boolean;
  readonly text: string;
};

/** What stands at the beginning of a dump. */
export type DumpSite = { readonly name: string; readonly base: string };

/** A file that is no dump, or not a whole one. The sentence is for the operator. */
export class DumpError extends Error {
  override readonly name = "DumpError";
}

/** No text of a dump is longer; what is, would only fill the memory. */
const longestText = 16 * 1024 * 1024;

/** @param file a path, or `-` for what comes in by standard input */
export async function openDump(
  file: string,
): Promise<{ readonly site: DumpSite; readonly pages: AsyncIterable<DumpPage> }> {
  const entries = entriesOf(file === "-" ? process.stdin : createReadStream(file), file);
  const first = await entries.next();
  if (first.done === true || !("base" in first.value)) {
    throw new DumpError(`${file} is no MediaWiki dump: it does not begin with <mediawiki> and its <siteinfo>.`);
  }
  return { site: first.value, pages: pagesOf(entries) };
}

async function* pagesOf(entries: AsyncIterable<DumpSite | DumpPage>): AsyncGenerator<DumpPage> {
  for await (const entry of entries) if (!("base" in entry)) yield entry;
}

/** Unpacks gzip; of the other ways in which dumps are packed, says how. */
async function unpacked(source: Readable, file: string): Promise<Readable> {
  const stream = source.pipe(new PassThrough());
  source.on("error", (error) => stream.destroy(error));
  const start = await firstBytes(stream);
  if (start.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) {
    const gunzip = stream.pipe(createGunzip());
    stream.on("error", (error) => gunzip.destroy(error));
    return gunzip;
  }
  const packing = packings.find(({ mark }) => start.toString("latin1").startsWith(mark));
  if (packing !== undefined) {
    throw new DumpError(
      `${file} is packed: unpack it on the way, ${packing.command} | npm run trivia:import -- --file - …`,
    );
  }
  return stream;
}

const packings = [
  { mark: "BZh", command: "bzcat FILE" },
  { mark: "7z\xbc\xaf", command: "7z x -so FILE" },
  { mark: "PK\x03\x04", command: "unzip -p FILE" },
  { mark: "\x28\xb5\x2f\xfd", command: "zstdcat FILE" },
  { mark: "\xfd7zXZ", command: "xzcat FILE" },
];

/** They are still to be read afterwards. */
function firstBytes(stream: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const chunk: Buffer | null = stream.read();
      if (chunk === null && !stream.readableEnded) return void stream.once("readable", look);
      if (chunk !== null) stream.unshift(chunk);
      stream.off("error", reject);
      resolve(chunk ?? Buffer.alloc(0));
    };
    stream.once("error", reject);
    stream.once("end", () => resolve(Buffer.alloc(0)));
    look();
  });
}

async function* entriesOf(source: Readable, file: string): AsyncGenerator<DumpSite | DumpPage> {
  const parser = new DumpParser();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for await (const chunk of await unpacked(source, file)) {
      parser.write(decoder.decode(chunk, { stream: true }));
      yield* parser.taken();
    }
    parser.write(decoder.decode());
    parser.close();
    yield* parser.taken();
  } catch (cause) {
    throw cause instanceof DumpError ? cause : new DumpError(`${file} ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "does not exist.";
  if (code === "EISDIR" || code === "EACCES") return "cannot be read.";
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "is no MediaWiki dump, or a damaged one: it is not UTF-8.";
  const message = error instanceof Error ? error.message : String(error);
  return `is no MediaWiki dump, or not a whole one: ${message}`;
}

function tooLong(): Error {
  return new Error("it has a text of more than 16 MiB");
}

/** Elements of which the text is wanted, by the path to them. */
const wanted = new Set([
  "mediawiki/siteinfo/sitename",
  "mediawiki/siteinfo/base",
  "mediawiki/page/title",
  "mediawiki/page/ns",
  "mediawiki/page/revision/id",
  "mediawiki/page/revision/model",
  "mediawiki/page/revision/text",
]);

/** Collects what stands in the elements of a dump. */
class DumpParser {
  readonly #parser = new SaxesParser();
  readonly #path: string[] = [];
  #place = "";
  #texts = new Map<string, string>();
  #isRedirect = false;
  #entries: (DumpSite | DumpPage)[] = [];
  /** Characters since the last tag, which the parser keeps until the next. */
  #pending = 0;

  constructor() {
    this.#parser.on("error", (error) => {
      throw error;
    });
    // Nothing of a dump needs one, and what it could define is not wanted.
    this.#parser.on("doctype", () => {
      throw new Error("it has a document type");
    });
    this.#parser.on("opentag", ({ name }) => this.#open(name));
    this.#parser.on("text", (text) => this.#take(text));
    this.#parser.on("cdata", (text) => this.#take(text));
    this.#parser.on("closetag", () => this.#close());
  }

  write(text: string): void {
    this.#pending += text.length;
    this.#parser.write(text);
    if (this.#pending > longestText) throw tooLong();
  }

  /** @throws Error when the dump is not whole */
  close(): void {
    this.#parser.close();
  }

  /** What was read since the last time. */
  taken(): (DumpSite | DumpPage)[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  #open(name: string): void {
    this.#pending = 0;
    if (this.#path.length === 0 && name !== "mediawiki") throw new Error("it does not begin with <mediawiki>");
    if (this.#path.length > 20) throw new Error("its elements stand too deep in each other");
    this.#path.push(name);
    this.#place = this.#path.join("/");
    if (this.#place === "mediawiki/page/redirect") this.#isRedirect = true;
    // Each revision takes the place of the one before.
    if (wanted.has(this.#place)) this.#texts.set(this.#place, "");
  }

  #take(text: string): void {
    this.#pending = 0;
    if (!wanted.has(this.#place)) return;
    const before = this.#texts.get(this.#place) ?? "";
    // Sections of CDATA come one by one, however many stand in one element.
    if (before.length + text.length > longestText) throw tooLong();
    this.#texts.set(this.#place, before + text);
  }

  #close(): void {
    this.#pending = 0;
    if (this.#place === "mediawiki/siteinfo") {
      this.#entries.push({ name: this.#text("siteinfo/sitename"), base: this.#text("siteinfo/base") });
    }
    if (this.#place === "mediawiki/page") this.#entries.push(this.#page());
    this.#path.pop();
    this.#place = this.#path.join("/");
  }

  #page(): DumpPage {
    const revision = Number(this.#text("page/revision/id"));
    const page: DumpPage = {
      title: this.#text("page/title"),
      namespace: Number(this.#text("page/ns") || "0"),
      revision: Number.isSafeInteger(revision) && revision > 0 ? revision : null,
      model: this.#text("page/revision/model") || "wikitext",
      isRedirect: this.#isRedirect,
      text: this.#text("page/revision/text"),
    };
    this.#texts = new Map();
    this.#isRedirect = false;
    return page;
  }

  #text(place: string): string {
    return this.#texts.get(`mediawiki/${place}`) ?? "";
  }
}
