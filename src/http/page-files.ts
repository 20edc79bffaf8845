/**
 * The chat page as it was built (`web/build.js`): a few small files, each found by its exact name alone, so that no path
 * leads anywhere else. They are read when they are first asked for, and stay in memory; what could not be read, as when
 * descriptors had run out, is tried again.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import Negotiator from "negotiator";

export type PageFile = {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

/** Where `npm ci` puts it, and the image has it. */
const builtPage = new URL("../../web/dist/", import.meta.url);

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml; charset=utf-8",
};

/** The forms that a file may have beside itself, best first, and how their names end. */
const codings = { br: ".br", gzip: ".gz", identity: "" } as const;

type Coding = keyof typeof codings;

/** A client that lists more than this is not asking, it is keeping us busy. */
const maxAcceptLength = 1_024;

/** What has a hash in its name never changes. */
const hashedName = /-[\w-]{8}\.[a-z]+$/;

export class PageFiles {
  readonly #directory: string;
  readonly #files = new Map<string, Promise<PageFile>>();
  #names: Promise<ReadonlySet<string>> | undefined;

  constructor(directory: URL = builtPage) {
    this.#directory = fileURLToPath(directory);
  }

  /**
   * A file in the form that the client likes best; undefined where there is none of that name.
   *
   * @param name with slashes, such as `assets/index.js`
   */
  async find(name: string, acceptedCodings: string | undefined): Promise<PageFile | undefined> {
    this.#names ??= namesIn(this.#directory).catch((error) => {
      this.#names = undefined;
      throw error;
    });
    const names = await this.#names;
    const type = types[path.posix.extname(name)];
    if (type === undefined || !names.has(name)) return undefined;
    const offered = (Object.keys(codings) as Coding[]).filter((coding) => names.has(name + codings[coding]));
    const coding = chooseCoding(acceptedCodings, offered);
    const key = name + codings[coding];
    let file = this.#files.get(key);
    if (file === undefined) {
      file = read(path.join(this.#directory, key), type, coding, hashedName.test(name)).catch((error) => {
        this.#files.delete(key);
        throw error;
      });
      this.#files.set(key, file);
    }
    return file;
  }
}

/** The names of all files, with slashes; none where the page was not built. */
async function namesIn(directory: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const files = entries.filter((entry) => entry.isFile());
  const names = files.map(({ parentPath, name }) => path.relative(directory, path.join(parentPath, name)));
  return new Set(names.map((name) => name.replaceAll(path.sep, "/")));
}

/** The best one that the client takes. As it is where it takes none: a client that says so cannot mean it. */
function chooseCoding(accepted: string | undefined, offered: readonly Coding[]): Coding {
  if (accepted === undefined || accepted.length > maxAcceptLength) return "identity";
  const taken = new Negotiator({ headers: { "accept-encoding": accepted } }).encodings([...offered]);
  return offered.find((coding) => taken.includes(coding)) ?? "identity";
}

async function read(file: string, type: string, coding: Coding, isHashed: boolean): Promise<PageFile> {
  const bytes = await readFile(file);
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return {
    bytes,
    headers: {
      "content-type": type,
      "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
      etag: `"${hash}"`,
      ...(coding !== "identity" && { "content-encoding": coding }),
    },
  };
}
