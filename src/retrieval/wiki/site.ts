/** What a wiki says about itself, and where its `api.php` is. */
import { z } from "zod";
import { isLoopbackAddress } from "../safe-fetch/addresses.ts";
import { hostOf } from "../safe-fetch/allowed-url.ts";
import { FetchRefused } from "../safe-fetch/refusals.ts";
import type { Fetcher } from "../safe-fetch/safe-fetch.ts";
import { WikiApi, type WikiApiOptions, WikiError } from "./api.ts";
import { licenceName } from "./licence.ts";
import { type LinkMaker, linkMaker } from "./links.ts";

export type Site = {
  readonly api: WikiApi;
  readonly name: string;
  /** Undefined where it names none. */
  readonly licence: string | undefined;
  readonly linkTo: LinkMaker;
};

const siteSchema = z.looseObject({
  general: z.looseObject({
    sitename: z.string().default(""),
    server: z.string().default(""),
    articlepath: z.string().includes("$1"),
  }),
  rightsinfo: z.looseObject({ url: z.string().default(""), text: z.string().default("") }).optional(),
});

/** @throws WikiError where there is no wiki; FetchRefused */
export async function findSite(wiki: URL, options: Omit<WikiApiOptions, "address">): Promise<Site> {
  let reason: unknown;
  for (const path of apiPaths(wiki.pathname)) {
    const address = new URL(path, wiki).href;
    if (!(await answersAsApi(options.fetcher, address))) continue;
    const api = new WikiApi({ ...options, address });
    const { query } = await api.query({ meta: "siteinfo", siprop: "general|rightsinfo" });
    const site = siteSchema.safeParse(query);
    if (site.success) return siteFrom(site.data, api, wiki);
    reason = site.error;
  }
  throw new WikiError(
    `${wiki.href} is no wiki that can be read: there is no MediaWiki api.php at ${apiPaths(wiki.pathname).join(" or ")}.`,
    { cause: reason },
  );
}

/** MediaWiki's own place, Wikipedia's, and Fandom's below a language. */
function apiPaths(pathname: string): string[] {
  if (pathname.endsWith("/api.php")) return [pathname];
  const folder = pathname.replace(/\/(?:wiki(?:\/.*)?)?$/, "");
  return [...new Set([`${folder}/api.php`, `${folder}/w/api.php`])];
}

/** Whatever else answers there, a page that is not found or that wants a login, is no api.php. */
async function answersAsApi(fetcher: Fetcher, address: string): Promise<boolean> {
  try {
    const { status, headers } = await fetcher.get(`${address}?action=query&format=json&formatversion=2`);
    return status === 429 || status >= 500 || (headers["content-type"]?.includes("json") ?? false);
  } catch (error) {
    if (error instanceof FetchRefused && error.code === "fetch_wrong_type") return false;
    throw error;
  }
}

function siteFrom({ general, rightsinfo }: z.infer<typeof siteSchema>, api: WikiApi, wiki: URL): Site {
  const { sitename, server, articlepath } = general;
  return {
    api,
    name: sitename === "" ? wiki.host : sitename,
    licence: rightsinfo && licenceName(rightsinfo),
    linkTo: linkMaker(originOf(server, wiki), articlepath),
  };
}

/** The wiki's own name for itself, where that is the one that was asked, or it was asked on this machine. */
function originOf(server: string, wiki: URL): string {
  const named = URL.parse(server.startsWith("//") ? `https:${server}` : server);
  const host = hostOf(wiki);
  const isHere = host === "localhost" || isLoopbackAddress(host);
  return named?.protocol === "https:" && (named.hostname === wiki.hostname || isHere) ? named.origin : wiki.origin;
}
