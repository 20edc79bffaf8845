/** `npm run trivia:import` as a process, against a wiki on this machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Knowledge } from "../src/retrieval/knowledge.ts";
import { openKnowledge } from "../src/retrieval/open.ts";
import { startTestApp } from "./helpers/app.ts";
import { type CommandResult, commandArguments, runVerb } from "./helpers/commands.ts";
import { meaningOf, startEmbeddingServer } from "./helpers/embedding-server.ts";
import { dumpOf } from "./helpers/wiki-dump.ts";
import { startWikiServer, type WikiServer } from "./helpers/wiki-server.ts";

let directory: string;
let file: string;
let wiki: WikiServer;
let knowledge: Knowledge | undefined;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "import-"));
  file = path.join(directory, "data/knowledge.db");
  wiki = await startWikiServer([
    { title: "Otto Brand", wikitext: fixture("otto-brand"), revision: 71 },
    { title: "The Grinder (The Lighthouse)", wikitext: fixture("the-grinder"), revision: 72 },
    { title: "The Lighthouse (TV series)", wikitext: fixture("the-lighthouse"), revision: 73 },
    { title: "Björk & Søn", wikitext: "'''Björk & Søn''' is the island's only shop. It sells paraffin.", revision: 74 },
  ]);
  wiki.redirects["Otto"] = "Otto Brand";
  wiki.categories["Lighthouse"] = [
    "Otto",
    "Otto Brand",
    "The Grinder (The Lighthouse)",
    "The Lighthouse (TV series)",
    "Björk & Søn",
  ];
});

afterEach(async () => {
  await knowledge?.close();
  knowledge = undefined;
  await wiki.close();
  rmSync(directory, { recursive: true });
});

function fixture(name: string): string {
  return readFileSync(path.join(import.meta.dirname, `fixtures/wikitext/${name}.wikitext`), "utf8");
}

const about = ["--show", "lighthouse", "--title", "The Lighthouse"];

function words(...more: string[]): string[] {
  return [
    "--wiki",
    wiki.address,
    "--this-machine",
    "--contact",
    "tests@wiki.example",
    "--category",
    "Lighthouse",
    ...about,
    ...more,
  ];
}

function run(wanted: readonly string[], environment: Record<string, string> = {}): Promise<CommandResult> {
  return runVerb("trivia-import", wanted, { KNOWLEDGE_PATH: file, ...environment });
}

function open(): Knowledge {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  knowledge = openKnowledge({ packs: async () => [], file, embeddings: undefined, log });
  return knowledge;
}

async function titlesFor(query: string): Promise<string[]> {
  return (await open().search(query)).passages.map(({ source }) => source.title);
}

describe("an import from a wiki", () => {
  it("takes pages with facts and passages, each with its source, and says what there is now", async () => {
    const { code, output, errors } = await run(words());
    expect({ code, errors }).toMatchObject({ code: 0 });
    expect(errors).toContain("Wiki of the Lighthouse (CC BY-SA 4.0), about The Lighthouse");
    expect(output).toMatch(/^Pages about The Lighthouse: 4 taken, \d+ left/);
    const known = open();
    expect((await known.shows()).map(({ id, title }) => [id, title])).toEqual([["lighthouse", "The Lighthouse"]]);
    const facts = await known.facts("lighthouse", "played_by");
    expect(facts.map(({ subject, object }) => [subject, object]).sort()).toEqual([
      ["Frau Petersen", "Lina Hartog"],
      ["Ilse Brand", "Theo Lindt"],
      ["Otto Brand", "Mara Klee"],
    ]);
    const otto = facts.find(({ subject }) => subject === "Otto Brand");
    expect(otto?.source).toEqual({
      title: "Otto Brand",
      url: "https://wiki.example/wiki/Otto_Brand?oldid=71",
      revision: 71,
      licence: "CC BY-SA 4.0",
      retrieved: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
    const { passages } = await known.search("paraffin bjork");
    expect(passages[0]).toMatchObject({
      text: "Björk & Søn is the island's only shop. It sells paraffin.",
      source: { url: "https://wiki.example/wiki/Bj%C3%B6rk_%26_S%C3%B8n?oldid=74" },
    });
    expect(wiki.connections).toBe(1);
    expect(
      wiki.requests.every(({ headers }) =>
        /^chat-api-service\/[\d.]+ \(trivia import; tests@wiki\.example\)$/.test(headers["user-agent"] ?? ""),
      ),
    ).toBe(true);
  });

  it("takes what changed alone the next time, and fetches nothing else", async () => {
    await run(words());
    wiki.sentTexts.length = 0;
    const [first, ...rest] = wiki.pages;
    if (first === undefined) throw new Error("There is no page");
    wiki.pages = [
      { ...first, wikitext: first.wikitext.replaceAll("Mara Klee", "Mara Klee-Berg"), revision: 80 },
      ...rest,
    ];
    const { output } = await run(words());
    expect(output).toMatch(/^Pages about .*: 1 taken/);
    expect(wiki.sentTexts).toEqual(["Otto Brand"]);
    const facts = await open().facts("lighthouse", "played_by");
    const otto = facts.filter(({ subject, source }) => subject === "Otto Brand" && source.title === "Otto Brand");
    expect(otto.map(({ object, source }) => [object, source.revision])).toEqual([["Mara Klee-Berg", 80]]);
  });

  it("takes named pages, follows where they lead, and names those that are not there", async () => {
    const named = ["--page", "Otto", "--page", "Nobody", "--page", "Björk & Søn"];
    const { code, output, errors } = await run([
      ...words().filter((word) => !["--category", "Lighthouse"].includes(word)),
      ...named,
    ]);
    expect(code).toBe(0);
    expect(output).toMatch(/: 2 taken/);
    expect(errors).toContain("There is no page Nobody.");
    expect(wiki.sentTexts).toEqual(["Otto Brand", "Björk & Søn"]);
  });

  it("stops at the limit", async () => {
    expect((await run(words("--limit", "2"))).output).toMatch(/: [12] taken/);
    expect(wiki.sentTexts.length).toBeLessThanOrEqual(2);
  });

  it("leaves out what is no wikitext", async () => {
    wiki.pages.push({ title: "Script", wikitext: "alert(1)", model: "javascript" });
    wiki.categories["Lighthouse"]?.push("Script");
    const { code, output, errors } = await run(words());
    expect(code).toBe(0);
    expect(output).toMatch(/: 4 taken/);
    expect(errors).toContain("Script is left out, as its text is not wikitext or not to be had.");
  });
});

describe("a service that runs", () => {
  it("plays what was imported, and shows with each question which revision says so", async () => {
    const app = await startTestApp({ KNOWLEDGE_PATH: file });
    try {
      const get = async (where: string) => JSON.parse(await (await fetch(app.baseUrl + where)).text());
      const post = async (where: string, body: object) => {
        const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
        return JSON.parse(await (await fetch(app.baseUrl + where, request)).text());
      };
      expect(await get("/trivia/shows")).not.toMatchObject({ shows: expect.arrayContaining([{ id: "lighthouse" }]) });
      await run(words());
      const ids = async () => (await get("/trivia/shows")).shows.map(({ id }: { id: string }) => id);
      await vi.waitFor(async () => expect(await ids()).toContain("lighthouse"), { timeout: 10_000 });
      const { game_id: id, question } = await post("/trivia/games", { username: "TR", show: "The Lighthouse" });
      expect(question).toMatchObject({ number: 1, show: "lighthouse", show_title: "The Lighthouse" });
      const { verdict } = await post(`/trivia/games/${id}/answers`, { number: 1, answer: "nobody" });
      expect(verdict.evidence).toMatchObject({
        url: expect.stringMatching(/^https:\/\/wiki\.example\/wiki\/.*\?oldid=7[1-4]$/),
        licence: "CC BY-SA 4.0",
      });
      if (question.type !== "boolean") expect(verdict.evidence.text).toContain(verdict.answer);
    } finally {
      await app.close();
    }
  });
});

describe("an import that was killed", () => {
  it("J12, J6: goes on where it stood with the same words, fetches nothing twice, and what was whole is served meanwhile", async () => {
    await run(words("--limit", "1"));
    const before = await titlesFor("paraffin boats island");
    wiki.pages = Array.from({ length: 30 }, (_, index) => ({
      title: `Boat ${index}`,
      wikitext: `Boat ${index} brings paraffin to the island.`,
    }));
    wiki.categories["Lighthouse"] = wiki.pages.map(({ title }) => title);
    wiki.limits.listed = 25;
    wiki.sentTexts.length = 0;
    const asked = Promise.withResolvers<void>();
    let texts = 0;
    // Twenty of the first twenty-five are asked for together, then five.
    wiki.troubles.push({
      when: (parameters) => (parameters.get("rvprop")?.includes("content") ?? false) && ++texts === 2,
      trouble: { kind: "hang", asked: () => asked.resolve() },
    });
    const importing = start(words());
    await asked.promise;
    importing.kill("SIGKILL");
    await once(importing, "exit");
    expect(existsSync(`${file}.importing`)).toBe(true);
    expect(await titlesFor("paraffin boats island")).toEqual(before);
    expect(wiki.sentTexts).toHaveLength(20);
    const { code, output } = await run(words());
    expect(code).toBe(0);
    expect(output).toMatch(/^Pages about The Lighthouse: 10 taken.* from 31 pages\./s);
    expect(await titlesFor("boat paraffin")).toHaveLength(5);
    expect(wiki.sentTexts.toSorted()).toEqual(wiki.pages.map(({ title }) => title).toSorted());
    expect(existsSync(`${file}.importing`)).toBe(false);
  });

  it("has to be finished or thrown away before another", async () => {
    const asked = Promise.withResolvers<void>();
    const stuck = () =>
      wiki.troubles.push({
        when: (parameters) => parameters.get("rvprop")?.includes("content") ?? false,
        trouble: { kind: "hang", asked: () => asked.resolve() },
      });
    stuck();
    const importing = start(words());
    await asked.promise;
    const beside = await run(words());
    expect([beside.code, beside.errors]).toEqual([1, expect.stringContaining("Another import is running.")]);
    expect((await run(["--discard"])).errors).toContain("Another import is running.");
    importing.kill("SIGKILL");
    await once(importing, "exit");
    const other = await run(words("--limit", "3"));
    expect([other.code, other.errors]).toEqual([
      1,
      expect.stringMatching(/Another import was not finished: http.*limit 1000\./),
    ]);
    expect((await run(["--discard"])).code).toBe(0);
    expect((await run(words("--limit", "3"))).code).toBe(0);
  });
});

describe("the operator", () => {
  it("J8: takes a page, or a revision of it, away for good, also out of an import that was not finished", async () => {
    await run(words());
    const revision = "https://wiki.example/wiki/Otto_Brand?oldid=71";
    expect(await run(["--drop", revision])).toMatchObject({
      code: 0,
      output: "Revision 71 is gone, and will not be taken again.\n",
    });
    expect(await titlesFor("twin sister tower")).not.toContain("Otto Brand");
    expect((await open().facts("lighthouse", "pet")).length).toBe(0);
    await run(words());
    expect(await titlesFor("tower")).not.toContain("Otto Brand");
    const [first, ...rest] = wiki.pages;
    if (first === undefined) throw new Error("There is no page");
    wiki.pages = [{ ...first, wikitext: `${first.wikitext}\nOtto mends the tower.`, revision: 81 }, ...rest];
    await run(words());
    expect(await titlesFor("mends the tower")).toContain("Otto Brand");
    const page = "https://wiki.example/wiki/Otto_Brand";
    expect((await run(["--drop", page])).output).toBe("The page is gone, and will not be taken again.\n");
    await run(words());
    expect(await titlesFor("mends the tower")).not.toContain("Otto Brand");
    const ofPack = await run(["--drop", "https://en.wikipedia.org/wiki/List_of_Frasier_characters"]);
    expect(ofPack.output).toMatch(/^The page was not imported, .*\n.* mended in knowledge\/sitcoms\.\n$/);
    expect((await run(["--undrop", page])).code).toBe(0);
    await run(words());
    expect(await titlesFor("mends the tower")).toContain("Otto Brand");
  });

  it("needs Fandom's permission for its wikis, and is told why and what else there is", async () => {
    const { code, errors } = await run([
      "--wiki",
      "https://seinfeld.fandom.com",
      "--category",
      "Episodes",
      "--limit",
      "200",
    ]);
    expect(code).toBe(1);
    expect(errors).toContain("Fandom's terms of use ask for its written permission");
    expect(errors).toContain("--have-permission");
    expect(errors).toContain("https://en.wikipedia.org");
    expect(errors).toContain("--file dump.xml");
  });

  it.each<[string, string[], number, string]>([
    ["nothing", [], 64, "Say one of --wiki"],
    ["two sources", ["--wiki", "https://a.example", "--file", "x"], 64, "Say one of --wiki"],
    ["no address", ["--wiki", "lighthouse"], 64, "must be an address"],
    ["an address inside", ["--wiki", "https://169.254.169.254"], 1, "leads into a network that is not the internet"],
    ["plain http", ["--wiki", "http://wiki.example.org", ...about], 1, "does not begin with https://"],
    ["no contact", ["--wiki", "https://wiki.example.org", "--category", "X", ...about], 64, "say --contact"],
    [
      "an unknown show",
      ["--wiki", "https://wiki.example.org", "--category", "X", "--show", "nowhere"],
      1,
      "There is no show nowhere. Known are",
    ],
    ["no show", ["--wiki", "https://wiki.example.org", "--category", "X"], 1, "Say which show the pages are about"],
    [
      "a show with an odd id",
      ["--file", "x", "--show", "No Where", "--title", "T"],
      1,
      "--show must be lower-case words",
    ],
    ["no licence", ["--file", "x.xml", ...about], 64, "A dump does not say its licence"],
    ["no limit", ["--file", "x.xml", "--limit", "many", ...about], 64, "--limit must be a number"],
    ["no file", ["--file", "/nowhere/x.xml", "--licence", "CC0", ...about], 1, "/nowhere/x.xml does not exist"],
    ["another option", ["--everything"], 64, "--everything"],
    ["no link", ["--drop", "Otto"], 64, "Give the link to the page"],
  ])("who says something wrong is told what: %s", async (_name, wrong, code, sentence) => {
    const result = await run(wrong);
    expect({ code: result.code, errors: result.errors }).toEqual({ code, errors: expect.stringContaining(sentence) });
    expect(existsSync(file)).toBe(false);
  });

  it("is told where there is no wiki, no such category and no licence, and nothing is harmed", async () => {
    await run(words());
    const before = readFileSync(file);
    const elsewhere = await run(words().map((word) => (word === wiki.address ? `${wiki.address}/blog` : word)));
    expect([elsewhere.code, elsewhere.errors]).toEqual([
      1,
      expect.stringContaining("/blog is no wiki that can be read"),
    ]);
    const empty = await run(words().map((word) => (word === "Lighthouse" ? "Lighthouses" : word)));
    expect([empty.code, empty.errors]).toEqual([1, expect.stringContaining("has no pages in Category:Lighthouses")]);
    wiki.rights = { url: "", text: "" };
    expect((await run(words())).errors).toContain("does not say its licence");
    expect((await run(words("--licence", "CC BY-SA 3.0"))).code).toBe(0);
    expect(readFileSync(file).equals(before)).toBe(false);
  });
});

describe("a dump", () => {
  it("is imported like a wiki; the same pages from there are not fetched again", async () => {
    const dump = path.join(directory, "dump.xml");
    writeFileSync(
      dump,
      dumpOf(wiki.pages.map(({ title, wikitext, revision = 1 }) => ({ title, text: wikitext, revision }))),
    );
    const { code, output } = await run(["--file", dump, "--licence", "CC BY-SA 4.0", ...about]);
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/^Pages about The Lighthouse: 4 taken/),
    });
    const [fact] = await open().facts("lighthouse", "pet");
    expect(fact?.source).toMatchObject({
      url: "https://wiki.example/wiki/Otto_Brand?oldid=71",
      licence: "CC BY-SA 4.0",
    });
    await run(words());
    expect(wiki.sentTexts).toEqual([]);
  });

  it("that is none, or broken off, harms nothing that was there", async () => {
    await run(words());
    const before = readFileSync(file);
    const dump = path.join(directory, "dump.xml");
    writeFileSync(dump, dumpOf([{ title: "Two Boats", text: "Otto rows." }]).slice(0, -20));
    const broken = await run(["--file", dump, "--licence", "CC0", ...about]);
    expect([broken.code, broken.errors]).toEqual([1, expect.stringContaining("not a whole one")]);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(await titlesFor("rows")).toEqual([]);
  });
});

describe("with an embedding model", () => {
  it("passages are embedded when they are imported, and again only where they are new", async () => {
    const server = await startEmbeddingServer();
    try {
      const environment = {
        EMBEDDING_MODEL: "test-embedding",
        EMBEDDING_BASE_URL: server.baseUrl,
        EMBEDDING_API_KEY: "sk-embed",
      };
      server.behaviour = "fails";
      const failed = await run(words(), environment);
      expect([failed.code, failed.errors]).toEqual([
        1,
        expect.stringContaining("The server of embeddings answers 503"),
      ]);
      expect(existsSync(file)).toBe(false);
      server.behaviour = "answers";
      expect((await run(words(), environment)).code).toBe(0);
      const embedded = server.requests.flatMap(({ input }) => input);
      expect(embedded.some((text) => text.includes("Ilse buys an espresso machine"))).toBe(true);
      await run(words(), environment);
      expect(server.requests.flatMap(({ input }) => input)).toEqual(embedded);
      const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
      const embeddings = { model: "test-embedding", baseUrl: server.baseUrl, apiKey: "sk-embed" };
      knowledge = openKnowledge({ packs: async () => [], file, embeddings, log });
      const { passages } = await knowledge.search("cup");
      expect(meaningOf(passages[0]?.text ?? "")[1]).toBeGreaterThan(0.5);
    } finally {
      await server.close();
    }
  });
});

function start(wanted: readonly string[]): ChildProcess {
  const env = { PATH: process.env["PATH"], KNOWLEDGE_PATH: file };
  return spawn(process.execPath, [...commandArguments("trivia-import"), ...wanted], { env, cwd: "/", stdio: "ignore" });
}
