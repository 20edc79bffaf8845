import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startWikiServer, type Trouble, type WikiServer } from "../../../test/helpers/wiki-server.ts";
import { openFetcher } from "../safe-fetch/safe-fetch.ts";
import { WikiApi, WikiError } from "./api.ts";
import { batchesOf } from "./batches.ts";
import { findSite } from "./site.ts";
import { pauseSeconds } from "./waiting.ts";

let wiki: WikiServer;
let waits: number[];
let api: WikiApi;

const fetcher = () =>
  openFetcher({ hosts: new Set(["127.0.0.1"]), loopback: true, userAgent: "tests (tests@wiki.example)" });

beforeEach(async () => {
  wiki = await startWikiServer();
  waits = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds / 1_000);
  api = new WikiApi({ fetcher: fetcher(), address: `${wiki.address}/w/api.php`, wait });
});

afterEach(() => wiki.close());

function trouble(...troubles: Trouble[]): void {
  wiki.troubles.push(...troubles.map((each) => ({ when: () => true, trouble: each })));
}

describe("J6: a wiki that has enough to do", () => {
  it.each<[string, Trouble, number]>([
    ["maxlag, in an answer with status 200", { kind: "maxlag", retryAfter: "7" }, 7],
    ["429 with Retry-After", { kind: "status", status: 429, headers: { "retry-after": "30" } }, 30],
    ["503 with Retry-After", { kind: "status", status: 503, headers: { "retry-after": "3" } }, 3],
    [
      "429 with a date",
      {
        kind: "status",
        status: 429,
        headers: { date: "Sat, 28 Nov 2026 10:00:00 GMT", "retry-after": "Sat, 28 Nov 2026 10:00:41 GMT" },
      },
      41,
    ],
    ["ratelimited, without a word how long", { kind: "ratelimited" }, 5],
  ])("is waited for as it wants: %s", async (_name, busy, seconds) => {
    trouble(busy);
    expect(await api.query({ meta: "siteinfo" })).toMatchObject({ batchcomplete: true });
    expect(waits).toEqual([seconds]);
    expect(wiki.requests).toHaveLength(2);
  });

  it("is waited for longer each time where it does not say how long, and left alone in the end", async () => {
    trouble(...Array.from({ length: 20 }, () => ({ kind: "ratelimited" }) as const));
    await expect(api.query({})).rejects.toThrow("Import again later, with the same words");
    expect(waits).toEqual([5, 10, 20, 40, 80, 120, 120, 120]);
  });

  it("is left for another day where it wants more than ten minutes", async () => {
    trouble({ kind: "status", status: 429, headers: { "retry-after": "3600" } });
    await expect(api.query({})).rejects.toThrow(WikiError);
    expect(waits).toEqual([]);
  });

  it("is never asked two things at once", async () => {
    await Promise.all(Array.from({ length: 5 }, () => api.query({ meta: "siteinfo" })));
    expect([wiki.requests.length, wiki.connections]).toEqual([5, 1]);
  });
});

describe("a wiki that fails", () => {
  it("is asked three times more where the connection breaks", async () => {
    trouble({ kind: "drop" }, { kind: "drop" }, { kind: "drop" });
    expect(await api.query({ meta: "siteinfo" })).toMatchObject({ batchcomplete: true });
    expect(waits).toEqual([2, 4, 8]);
    trouble({ kind: "drop" }, { kind: "drop" }, { kind: "drop" }, { kind: "drop" });
    await expect(api.query({})).rejects.toMatchObject({ code: "fetch_failed" });
  });

  it("that is none says so", async () => {
    trouble({ kind: "html" });
    await expect(api.query({})).rejects.toThrow("does not answer as a wiki does (200)");
    trouble({ kind: "status", status: 404 });
    await expect(api.query({})).rejects.toThrow("does not answer as a wiki does (404)");
  });
});

describe("a request", () => {
  it("says who asks, takes gzip, and asks for the second version of the format and for little lag", async () => {
    await api.query({ meta: "siteinfo" });
    const [request] = wiki.requests;
    expect(Object.fromEntries(request?.parameters ?? [])).toMatchObject({
      format: "json",
      formatversion: "2",
      maxlag: "5",
    });
    expect(request?.headers["user-agent"]).toBe("tests (tests@wiki.example)");
    expect(request?.headers["accept-encoding"]).toContain("gzip");
  });
});

describe("a query in pieces", () => {
  const listing = {
    generator: "categorymembers",
    gcmtitle: "Category:Episodes",
    gcmlimit: 50,
    prop: "revisions",
    rvprop: "ids|sha1",
  };

  beforeEach(() => {
    const titles = Array.from({ length: 7 }, (_, index) => `Episode ${index}`);
    wiki.pages = titles.map((title, index) => ({ title, wikitext: `Text ${index}`, revision: 10 + index }));
    wiki.categories["Episodes"] = titles;
    wiki.limits = { listed: 3, revisions: 2 };
  });

  it("gives each page once, whole, and batch by batch", async () => {
    const batches = [];
    for await (const batch of batchesOf(api, listing)) batches.push(batch);
    expect(batches.map(({ pages }) => pages.map(({ title, revisions }) => [title, revisions?.[0]?.revid]))).toEqual([
      [
        ["Episode 0", 10],
        ["Episode 1", 11],
        ["Episode 2", 12],
      ],
      [
        ["Episode 3", 13],
        ["Episode 4", 14],
        ["Episode 5", 15],
      ],
      [["Episode 6", 16]],
    ]);
    // Two answers for each batch but the last.
    expect(wiki.requests).toHaveLength(5);
    expect(batches.at(-1)?.next).toBeUndefined();
  });

  it("goes on from where a batch ended", async () => {
    const [first] = await Array.fromAsync(batchesOf(api, listing));
    const rest = await Array.fromAsync(batchesOf(api, listing, first?.next));
    expect(rest.flatMap(({ pages }) => pages.map(({ title }) => title))).toEqual([
      "Episode 3",
      "Episode 4",
      "Episode 5",
      "Episode 6",
    ]);
  });
});

describe("a wiki's address", () => {
  const find = (address: string) => findSite(new URL(address), { fetcher: fetcher(), wait: async () => undefined });

  it.each(["", "/", "/wiki/", "/wiki/Main_Page", "/w/api.php"])("may be given as …%s", async (end) => {
    const site = await find(wiki.address + end);
    expect([site.name, site.licence]).toEqual(["Wiki of the Lighthouse", "CC BY-SA 4.0"]);
    expect(site.linkTo("Two Boats? (Björk/1)", 7)).toEqual({
      link: "https://wiki.example/wiki/Two_Boats%3F_(Bj%C3%B6rk/1)",
      permanent: "https://wiki.example/wiki/Two_Boats%3F_(Bj%C3%B6rk/1)?oldid=7",
    });
  });

  it("that leads to no wiki is told apart", async () => {
    await expect(find(`${wiki.address}/blog`)).rejects.toThrow(
      `${wiki.address}/blog is no wiki that can be read: there is no MediaWiki api.php at /blog/api.php or /blog/w/api.php.`,
    );
  });

  it("names no licence where the wiki does not", async () => {
    wiki.rights = { url: "", text: "" };
    expect((await find(wiki.address)).licence).toBeUndefined();
    wiki.rights = { url: "", text: "All rights reserved" };
    expect((await find(wiki.address)).licence).toBe("All rights reserved");
  });
});

describe("a pause", () => {
  it("is what the server says, or longer with each try", () => {
    expect(pauseSeconds({ "retry-after": "0" }, 3)).toBe(0);
    expect(pauseSeconds({ "retry-after": "soon" }, 0)).toBe(5);
    expect(pauseSeconds({ "retry-after": "Sat, 28 Nov 2026 10:00:00 GMT" }, 0)).toBe(5);
    expect(pauseSeconds({}, 20)).toBe(120);
  });
});
