/** A wiki on this machine that speaks `api.php` as MediaWiki does, with `formatversion=2`. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export type WikiPageForTests = {
  readonly title: string;
  readonly wikitext: string;
  readonly revision?: number;
  readonly model?: string;
};

/** What a request is answered with instead of what it asked for. */
export type Trouble =
  | { readonly kind: "maxlag"; readonly retryAfter?: string }
  | { readonly kind: "status"; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "ratelimited" }
  | { readonly kind: "drop" }
  | { readonly kind: "html" }
  /** Never answered; `asked` tells that it came. */
  | { readonly kind: "hang"; readonly asked: () => void };

export type WikiServer = {
  /** What `--wiki` gets. */
  readonly address: string;
  pages: WikiPageForTests[];
  /** Category → titles. */
  readonly categories: Record<string, string[]>;
  /** Title → title. */
  readonly redirects: Record<string, string>;
  rights: { readonly url: string; readonly text: string };
  /** At most so many pages in a batch, and of these so many with their revisions in one answer. */
  limits: { listed: number; revisions: number };
  /** Used up one after the other, each by a request for which `when` holds. */
  readonly troubles: { readonly when: (parameters: URLSearchParams) => boolean; readonly trouble: Trouble }[];
  readonly requests: { readonly parameters: URLSearchParams; readonly headers: IncomingHttpHeaders }[];
  readonly connections: number;
  /** Titles whose text was sent, in that order. */
  readonly sentTexts: string[];
  close(): Promise<void>;
};

type Answer = Record<string, unknown>;

export async function startWikiServer(pages: readonly WikiPageForTests[] = []): Promise<WikiServer> {
  let connections = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://wiki");
    if (url.pathname !== "/w/api.php") {
      response.writeHead(404, { "content-type": "text/html" });
      return void response.end("<!DOCTYPE html><title>Not found</title>");
    }
    wiki.requests.push({ parameters: url.searchParams, headers: request.headers });
    const place = wiki.troubles.findIndex(({ when }) => when(url.searchParams));
    const [found] = place < 0 ? [] : wiki.troubles.splice(place, 1);
    if (found !== undefined) makeTrouble(found.trouble, response);
    else send(response, answerTo(url.searchParams, wiki), request.headers);
  });
  server.on("connection", () => {
    connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const wiki: WikiServer = {
    address: `http://127.0.0.1:${port}`,
    pages: [...pages],
    categories: {},
    redirects: {},
    rights: {
      url: "https://creativecommons.org/licenses/by-sa/4.0/",
      text: "Creative Commons Attribution-Share Alike 4.0",
    },
    limits: { listed: 500, revisions: 500 },
    troubles: [],
    requests: [],
    get connections() {
      return connections;
    },
    sentTexts: [],
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return wiki;
}

function makeTrouble(trouble: Trouble, response: ServerResponse): void {
  const page = "<!DOCTYPE html><title>Something else</title>";
  switch (trouble.kind) {
    case "maxlag":
      response.setHeader("retry-after", trouble.retryAfter ?? "5");
      send(response, { error: { code: "maxlag", info: "Waiting for db1: 6 seconds lagged.", lag: 6 } }, {});
      break;
    case "ratelimited":
      send(response, { error: { code: "ratelimited", info: "You've exceeded your rate limit." } }, {});
      break;
    case "status":
      response.writeHead(trouble.status, { "content-type": "text/html", ...trouble.headers }).end(page);
      break;
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end(page);
      break;
    case "drop":
      response.destroy();
      break;
    case "hang":
      trouble.asked();
  }
}

function send(response: ServerResponse, answer: Answer, headers: IncomingHttpHeaders): void {
  const json = Buffer.from(JSON.stringify(answer));
  const packs = /\bgzip\b/.test(headers["accept-encoding"]?.toString() ?? "");
  response.setHeader("content-type", "application/json; charset=utf-8");
  if (packs) response.setHeader("content-encoding", "gzip");
  response.end(packs ? gzipSync(json) : json);
}

function answerTo(parameters: URLSearchParams, wiki: WikiServer): Answer {
  if (parameters.get("format") !== "json" || parameters.get("formatversion") !== "2") return { servedby: "tests" };
  if (parameters.get("meta") === "siteinfo") {
    const general = { sitename: "Wiki of the Lighthouse", server: "https://wiki.example", articlepath: "/wiki/$1" };
    return { batchcomplete: true, query: { general, rightsinfo: wiki.rights } };
  }
  if (parameters.get("prop") === "categoryinfo") return categoryInfo(parameters.get("titles") ?? "", wiki);
  if (parameters.get("prop") === "revisions") return revisionsOf(parameters, wiki);
  return { batchcomplete: true };
}

function categoryInfo(title: string, { categories }: WikiServer): Answer {
  const members = categories[title.replace(/^Category:/, "")];
  const page =
    members === undefined
      ? { ns: 14, title, missing: true }
      : { ns: 14, title, categoryinfo: { size: members.length, pages: members.length, files: 0, subcats: 0 } };
  return { batchcomplete: true, query: { pages: [page] } };
}

/** Of one batch of the generator, the revisions of a few pages at a time; the batch is complete with the last of them. */
function revisionsOf(parameters: URLSearchParams, wiki: WikiServer): Answer {
  const { titles, more } = batchFor(parameters, wiki);
  const withText = parameters.get("rvprop")?.split("|").includes("content") ?? false;
  const from = Number(parameters.get("rvcontinue") ?? 0);
  const to = from + wiki.limits.revisions;
  const pages = titles.map((title, index) => {
    const page = wiki.pages.find((each) => each.title === title);
    if (page === undefined) return { ns: 0, title, missing: true };
    const about = { pageid: pageId(wiki, page), ns: 0, title };
    if (index < from || index >= to) return about;
    if (withText) wiki.sentTexts.push(title);
    return { ...about, revisions: [revision(page, withText)] };
  });
  if (to < titles.length) {
    const same = parameters.has("gcmcontinue") ? { gcmcontinue: parameters.get("gcmcontinue") } : {};
    return { continue: { ...same, rvcontinue: `${to}`, continue: "gcmcontinue||" }, query: { pages } };
  }
  const next = more === undefined ? {} : { continue: { gcmcontinue: more, continue: "gcmcontinue||" } };
  return { batchcomplete: true, ...next, query: { pages } };
}

function batchFor(parameters: URLSearchParams, wiki: WikiServer): { titles: string[]; more: string | undefined } {
  const ids = parameters.get("pageids")?.split("|");
  if (ids !== undefined) {
    const found = ids.flatMap((id) => wiki.pages.filter((page) => `${pageId(wiki, page)}` === id));
    return { titles: found.map(({ title }) => title), more: undefined };
  }
  const named = parameters.get("titles")?.split("|");
  const resolved = (title: string) => (parameters.has("redirects") ? (wiki.redirects[title] ?? title) : title);
  if (named !== undefined) return { titles: [...new Set(named.map(resolved))], more: undefined };
  const members = wiki.categories[(parameters.get("gcmtitle") ?? "").replace(/^Category:/, "")] ?? [];
  const start = Number(parameters.get("gcmcontinue")?.replace("page|", "") ?? 0);
  const end = start + Math.min(Number(parameters.get("gcmlimit") ?? 10), wiki.limits.listed);
  const titles = [...new Set(members.slice(start, end).map(resolved))];
  return { titles, more: end < members.length ? `page|${end}` : undefined };
}

function pageId(wiki: WikiServer, page: WikiPageForTests): number {
  return 100 + wiki.pages.findIndex(({ title }) => title === page.title);
}

function revision({ wikitext, revision: id = 41, model = "wikitext" }: WikiPageForTests, withText: boolean): Answer {
  const about = {
    revid: id,
    parentid: id - 1,
    size: Buffer.byteLength(wikitext),
    sha1: createHash("sha1").update(wikitext).digest("hex"),
  };
  if (!withText) return about;
  return { ...about, slots: { main: { contentmodel: model, contentformat: "text/x-wiki", content: wikitext } } };
}
