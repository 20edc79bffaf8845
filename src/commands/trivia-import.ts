/** Imports pages of a wiki for the trivia game, or takes some away again: `npm run trivia:import`. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import packageJson from "../../package.json" with { type: "json" };
import { type Config, readConfig } from "../config.ts";
import type { Show } from "../retrieval/facts.ts";
import { ImportFile } from "../retrieval/index-file/import-file.ts";
import { openKnowledge } from "../retrieval/open.ts";
import { allowedUrl, hostOf } from "../retrieval/safe-fetch/allowed-url.ts";
import { type Fetcher, openFetcher } from "../retrieval/safe-fetch/safe-fetch.ts";
import { readStarterPack } from "../retrieval/starter-pack.ts";
import { dumpPages } from "../retrieval/wiki/dump-pages.ts";
import { fandomRefusal, isFandom } from "../retrieval/wiki/fandom.ts";
import { importPages } from "../retrieval/wiki/import-pages.ts";
import { pageOfLink } from "../retrieval/wiki/links.ts";
import type { PageSource } from "../retrieval/wiki/raw-page.ts";
import { findSite } from "../retrieval/wiki/site.ts";
import { whichShow } from "../retrieval/wiki/which-show.ts";
import { mostTitles, type Wanted, wikiPages } from "../retrieval/wiki/wiki-pages.ts";
import { PageReader } from "../retrieval/wikitext/page-reader.ts";
import { makeDirectory } from "../storage/sqlite/make-directory.ts";
import { print, runCommand, UsageError } from "./command.ts";
import { ImportProgress } from "./import-progress.ts";

const usage = `npm run trivia:import -- --wiki URL --category NAME [--limit 200] [--show ID [--title TITLE]] [--contact ADDRESS]
npm run trivia:import -- --wiki URL --page TITLE [--page TITLE …] …
npm run trivia:import -- --file DUMP.xml --licence 'CC BY-SA 4.0' --show ID [--title TITLE] [--category NAME] [--limit 200]
npm run trivia:import -- --drop LINK      (as it stands with a question; with its oldid for that revision alone)
npm run trivia:import -- --undrop LINK
npm run trivia:import -- --discard        (throws away an import that was not finished)`;

const options = {
  wiki: { type: "string" },
  file: { type: "string" },
  category: { type: "string" },
  page: { type: "string", multiple: true },
  limit: { type: "string" },
  show: { type: "string" },
  title: { type: "string" },
  licence: { type: "string" },
  contact: { type: "string" },
  "have-permission": { type: "boolean" },
  "this-machine": { type: "boolean" },
  drop: { type: "string" },
  undrop: { type: "string" },
  discard: { type: "boolean" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

const defaultLimit = "1000";

await runCommand(usage, async (words) => {
  const { values } = parseArgs({ args: words, options });
  const config = readConfig();
  const { file } = config.knowledge;
  const [verb, ...more] = (["wiki", "file", "drop", "undrop", "discard"] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (verb === undefined || more.length > 0)
    throw new UsageError("Say one of --wiki, --file, --drop, --undrop, --discard.");
  await makeDirectory(path.dirname(path.resolve(file)));
  switch (verb) {
    case "discard":
      ImportFile.discard(file);
      return print("What was not finished is gone; what was finished is as it was.");
    case "drop":
      return drop(file, values.drop ?? "");
    case "undrop":
      return undrop(file, values.undrop ?? "");
    case "wiki":
    case "file":
      return importFrom(values, config);
  }
});

function drop(file: string, address: string): void {
  const { link, revision } = linkIn(address);
  const dropped = ImportFile.drop(file, link, revision);
  const what = revision === null ? "The page" : `Revision ${revision}`;
  const lines =
    dropped > 0
      ? [`${what} is gone, and will not be taken again.`]
      : [
          `${what} was not imported, and will not be.`,
          "If a question shows this link, it is from the starter pack, which is mended in knowledge/sitcoms.",
        ];
  print(...lines);
}

function undrop(file: string, address: string): void {
  ImportFile.undrop(file, linkIn(address).link);
  print("The page will be taken again by the next import.");
}

function linkIn(address: string) {
  const page = pageOfLink(address);
  if (page === undefined) throw new UsageError("Give the link to the page, as it stands with a question.");
  return page;
}

async function importFrom(values: Values, config: Config): Promise<void> {
  const { file, embeddings } = config.knowledge;
  const limit = Number(values.limit ?? defaultLimit);
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError("--limit must be a number of pages.");
  const progress = new ImportProgress(process.stderr);
  const reader = new PageReader();
  const wiki = values.wiki === undefined ? undefined : wikiAddress(values.wiki, values);
  const show = whichShow(await knownShows(config), { id: values.show, title: values.title }, wiki && hostOf(wiki));
  const fetcher = wiki && openWiki(wiki, values, config);
  try {
    const source =
      wiki === undefined || fetcher === undefined
        ? await sourceFromDump(values, show, limit)
        : await sourceFromWiki(wiki, values, { show, limit, fetcher, progress });
    const date = new Date().toISOString().slice(0, 10);
    const { taken, unchanged, facts, pages, passages } = await importPages({
      file,
      source,
      show,
      date,
      reader,
      embeddings,
      progress,
    });
    progress.end();
    print(
      `Pages about ${show.title}: ${taken} taken, ${unchanged} left as they were or out.`,
      `${file} now has ${facts} facts and ${passages} passages from ${pages} pages. A service that runs finds them at once.`,
    );
  } finally {
    progress.end();
    fetcher?.close();
    await reader.close();
  }
}

/** Checked before anything is asked. */
function wikiAddress(text: string, values: Values): URL {
  const parsed = URL.parse(text);
  if (parsed === null) throw new UsageError("--wiki must be an address such as https://en.wikipedia.org.");
  const wiki = allowedUrl(text, { hosts: new Set([hostOf(parsed)]), loopback: values["this-machine"] === true });
  if (isFandom(hostOf(wiki)) && values["have-permission"] !== true) throw new Error(fandomRefusal);
  return wiki;
}

function openWiki(wiki: URL, values: Values, config: Config): Fetcher {
  const contact = values.contact ?? config.http.publicUrl;
  if (contact === undefined || !/^[!-~]+$/.test(contact)) {
    throw new UsageError("Wikis ask who reads them: say --contact with a mail or web address, or set PUBLIC_URL.");
  }
  return openFetcher({
    hosts: new Set([hostOf(wiki)]),
    loopback: values["this-machine"] === true,
    userAgent: `chat-api-service/${packageJson.version} (trivia import; ${contact})`,
  });
}

type WikiTools = {
  readonly show: Show;
  readonly limit: number;
  readonly fetcher: Fetcher;
  readonly progress: ImportProgress;
};

async function sourceFromWiki(wiki: URL, values: Values, tools: WikiTools): Promise<PageSource> {
  const { show, limit, fetcher, progress } = tools;
  const wanted = wantedPages(values);
  const onWait = (seconds: number, reason: string) => progress.waiting(seconds, reason);
  const site = await findSite(wiki, { fetcher, wait: (milliseconds) => delay(milliseconds), onWait });
  const licence = values.licence ?? site.licence;
  if (licence === undefined)
    throw new Error(`${site.name} does not say its licence: name it, as --licence 'CC BY-SA 4.0'.`);
  progress.note(`${site.name} (${licence}), about ${show.title}`);
  const name = [wiki.href, show.id, JSON.stringify(wanted), `limit ${limit}`].join(" ");
  return wikiPages({ site, name, licence, wanted, limit });
}

function wantedPages({ category, page: titles }: Values): Wanted {
  if (category !== undefined && titles === undefined && category.trim() !== "") return { category: category.trim() };
  if (category !== undefined || titles === undefined) throw new UsageError("Say either a --category or some --page.");
  if (titles.length > mostTitles) throw new UsageError(`At most ${mostTitles} pages can be named.`);
  if (titles.some((title) => title.trim() === "" || title.includes("|")))
    throw new UsageError("--page must be a title.");
  return { titles };
}

async function sourceFromDump(
  { file = "-", licence, category }: Values,
  show: Show,
  limit: number,
): Promise<PageSource> {
  if (licence === undefined) {
    throw new UsageError("A dump does not say its licence: name it, as --licence 'CC BY-SA 4.0'.");
  }
  const facts = file === "-" ? undefined : await stat(file).catch(() => undefined);
  const what = facts === undefined ? file : `${path.resolve(file)} (${facts.size} bytes)`;
  const name = [what, show.id, category ?? "all pages", `limit ${limit}`].join(" ");
  return dumpPages({ file, name, licence, category, limit });
}

/** Those of the starter pack, and those of earlier imports. */
async function knownShows({ knowledge: { file } }: Config): Promise<readonly Show[]> {
  const complain = (_facts: object, message: string) => process.stderr.write(`${message}\n`);
  const log = { debug: () => undefined, info: () => undefined, warn: complain, error: complain };
  const knowledge = openKnowledge({ packs: readStarterPack, file, embeddings: undefined, log });
  try {
    return await knowledge.shows();
  } finally {
    await knowledge.close();
  }
}
