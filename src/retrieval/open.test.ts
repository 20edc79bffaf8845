import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EmbeddingServerForTests, meaningOf, startEmbeddingServer } from "../../test/helpers/embedding-server.ts";
import { makeFact, makePack, makePage, testModel, writeKnowledge } from "../../test/helpers/knowledge.ts";
import type { ShowPack } from "./facts.ts";
import { ImportFile } from "./index-file/import-file.ts";
import type { Knowledge } from "./knowledge.ts";
import { openKnowledge } from "./open.ts";

let directory: string;
let file: string;
const opened: Knowledge[] = [];
const errors: string[] = [];

const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (_facts: object, message: string) => errors.push(message),
  error: (_facts: object, message: string) => errors.push(message),
};

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "knowledge-"));
  file = path.join(directory, "knowledge.db");
  errors.length = 0;
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((knowledge) => knowledge.close()));
  rmSync(directory, { recursive: true });
});

function open(packs: readonly ShowPack[] = [makePack()], embeddings?: EmbeddingServerForTests): Knowledge {
  const server = embeddings && { baseUrl: embeddings.baseUrl, apiKey: "sk-embed", model: testModel };
  const knowledge = openKnowledge({ packs: async () => packs, file, embeddings: server, log });
  opened.push(knowledge);
  return knowledge;
}

const sea = makePage({ page: "Storm", text: "The waves reach the lamp, and Otto loses his radio to the sea." });
const coffee = makePage({ page: "The Grinder", text: "Ilse buys an espresso machine that wakes the whole island." });

describe("the starter pack alone", () => {
  it("is read when something is first asked, and once", async () => {
    const packs = vi.fn(async () => [makePack()]);
    const knowledge = openKnowledge({ packs, file, embeddings: undefined, log });
    opened.push(knowledge);
    expect(packs).not.toHaveBeenCalled();
    await Promise.all([knowledge.shows(), knowledge.facts("lighthouse"), knowledge.search("Otto")]);
    expect(packs).toHaveBeenCalledTimes(1);
  });

  it("is read again when that failed", async () => {
    const packs = vi.fn(async () => [makePack()]).mockRejectedValueOnce(new Error("No room"));
    const knowledge = openKnowledge({ packs, file, embeddings: undefined, log });
    opened.push(knowledge);
    await expect(knowledge.facts("lighthouse")).rejects.toThrow("No room");
    expect(await knowledge.facts("lighthouse")).toEqual([makeFact()]);
  });

  it("gives shows by title with the number of their facts, and facts by show, relation and id", async () => {
    const home = makeFact({ id: "lighthouse:lives-in:otto", relation: "lives_in", object: "the tower", type: "place" });
    const other = makePack({ show: { id: "attic", title: "Attic", aliases: [], years: null }, facts: [] });
    const knowledge = open([makePack({ facts: [makeFact(), home] }), other]);
    expect((await knowledge.shows()).map(({ title, facts }) => [title, facts])).toEqual([
      ["Attic", 0],
      ["The Lighthouse", 2],
    ]);
    expect(await knowledge.facts("lighthouse", "lives_in")).toEqual([home]);
    expect(await knowledge.facts("lighthouse", "pet")).toEqual([]);
    expect(await knowledge.facts("nowhere")).toEqual([]);
    expect(await knowledge.fact(home.id)).toEqual(home);
    expect(await knowledge.fact("lighthouse:nothing")).toBeUndefined();
    expect(await knowledge.facts("lighthouse")).toBe(await knowledge.facts("lighthouse"));
  });

  it("is searched by its evidence, in other forms of the words and without their accents", async () => {
    const knowledge = open([makePack({ facts: [makeFact({ evidence: "The brothers meet at Café Nørre." })] })]);
    for (const query of ["brother", "CAFE", "who are the brothers?"]) {
      const { passages, degraded } = await knowledge.search(query);
      expect(
        passages.map(({ text }) => text),
        query,
      ).toEqual(["The brothers meet at Café Nørre."]);
      expect(degraded).toBe(false);
    }
    expect((await knowledge.search("zebra")).passages).toEqual([]);
  });
});

describe("an imported file", () => {
  it("is searched with the starter pack, whose passages come first where both rank alike, and each passage says where it is from", async () => {
    writeKnowledge(file, [sea, coffee]);
    const { passages } = await open().search("What happened to Otto's radio?");
    expect(passages.map(({ source: { title } }) => title)).toEqual(["The Lighthouse (TV series)", "Storm"]);
    expect(passages[1]).toMatchObject({ show: "lighthouse", section: ["Plot"], source: sea.source });
    expect(new Set(passages.map(({ id }) => id)).size).toBe(2);
  });

  it("finds by title and heading, and within a show alone where one is named", async () => {
    const other = makePage({ page: "Grinder", show: "attic", text: "Nothing to do with it." });
    writeKnowledge(file, [sea, coffee, other]);
    const knowledge = open();
    expect((await knowledge.search("grinder")).passages).toHaveLength(2);
    expect((await knowledge.search("grinder", { show: "attic" })).passages.map(({ show }) => show)).toEqual(["attic"]);
    expect((await knowledge.search("lamp espresso", { limit: 1 })).passages).toHaveLength(1);
  });

  it("adds facts to those of the starter pack, each fact once, and shows of its own", async () => {
    const same = makeFact({ id: "lighthouse:played-by:aaaa", subject: "OTTO Brand", evidence: "Otto is Mara Klee." });
    const more = makeFact({ id: "lighthouse:pet:bbbb", relation: "pet", object: "Foam", type: "name" });
    const attic = makeFact({ id: "attic:pet:cccc", show: "attic", relation: "pet", object: "Moth", type: "name" });
    const withoutSource = ({ source: _source, ...fact }: typeof same) => fact;
    writeKnowledge(file, [
      { ...sea, facts: [same, more].map(withoutSource) },
      { ...coffee, facts: [more].map(withoutSource) },
      makePage({ page: "Moth", show: "attic", facts: [withoutSource(attic)] }),
    ]);
    const knowledge = open();
    expect((await knowledge.facts("lighthouse")).map(({ id }) => id)).toEqual([makeFact().id, more.id]);
    expect((await knowledge.facts("lighthouse", "pet")).map(({ source }) => source)).toEqual([sea.source]);
    expect((await knowledge.shows()).map(({ id, facts }) => [id, facts])).toEqual([
      ["attic", 1],
      ["lighthouse", 2],
    ]);
    expect((await knowledge.fact(attic.id))?.object).toBe("Moth");
  });

  it("is noticed when it comes, and when another takes its place", async () => {
    const knowledge = open();
    const found = async (query: string) =>
      (await knowledge.search(query)).passages.map(({ source: { title } }) => title);
    expect(await found("radio")).toEqual([]);
    writeKnowledge(file, [{ ...sea, facts: [] }]);
    await vi.waitFor(async () => expect(await found("radio")).toEqual(["Storm"]), { timeout: 10_000 });
    writeKnowledge(file, [coffee]);
    await vi.waitFor(async () => expect(await found("espresso")).toEqual(["The Grinder"]), { timeout: 10_000 });
    expect(await found("radio")).toEqual(["Storm"]);
    rmSync(file);
    await vi.waitFor(async () => expect(await found("radio")).toEqual([]), { timeout: 10_000 });
    expect(await found("Otto")).toHaveLength(1);
  });

  it("that is none, or damaged, is told to the operator and leaves the starter pack", async () => {
    writeFileSync(file, "This is no database, however long it is. ".repeat(200));
    const knowledge = open();
    expect(await knowledge.facts("lighthouse")).toEqual([makeFact()]);
    expect((await knowledge.search("Otto")).passages).toHaveLength(1);
    expect((await knowledge.shows()).map(({ id }) => id)).toEqual(["lighthouse"]);
    expect(errors).toEqual(["The knowledge file cannot be used; the starter pack alone is"]);
    rmSync(file);
    writeKnowledge(file, [sea]);
    await vi.waitFor(async () => expect((await knowledge.search("radio")).passages).toHaveLength(1), {
      timeout: 10_000,
    });
  });

  it("J12: serves what was whole before, while an import is under way and after it died", async () => {
    writeKnowledge(file, [sea]);
    const importing = ImportFile.open(file, "half");
    importing.take([makePage({ page: "Storm", text: "Only half of it is here." }), coffee], "1");
    const knowledge = open();
    const titles = async () => (await knowledge.search("espresso radio half")).passages.map(({ text }) => text);
    expect(await titles()).toEqual([sea.passages[0]?.text]);
    importing.close();
    expect(await titles()).toEqual([sea.passages[0]?.text]);
    const again = ImportFile.open(file, "half");
    expect(again.cursor).toBe("1");
    again.finish();
    await vi.waitFor(
      async () =>
        expect((await titles()).sort()).toEqual([coffee.passages[0]?.text, "Only half of it is here."].sort()),
      {
        timeout: 10_000,
      },
    );
  });
});

describe("what somebody types", () => {
  it("is never an error, and is looked at no further than a thousand characters", async () => {
    writeKnowledge(file, [sea, coffee]);
    const knowledge = open();
    for (const query of [
      'radio" OR',
      "NEAR(radio",
      "heading:radio*",
      "radio\0",
      "radio \ud800",
      "radio ".repeat(100_000),
    ]) {
      expect((await knowledge.search(query)).passages, query.slice(0, 20)).toHaveLength(1);
    }
  });

  it("finds nothing where it has no words", async () => {
    const knowledge = open();
    for (const query of ["", "   ", "?!"]) expect((await knowledge.search(query)).passages).toEqual([]);
  });

  it("is not searched for when nobody waits any more", async () => {
    const signal = AbortSignal.abort(new Error("Gone"));
    await expect(open().search("Otto", { signal })).rejects.toThrow("Gone");
  });
});

describe("with an embedding model", () => {
  let server: EmbeddingServerForTests;

  beforeEach(async () => {
    server = await startEmbeddingServer();
    return () => server.close();
  });

  it("finds by meaning what has none of the words", async () => {
    writeKnowledge(file, [sea, coffee], meaningOf);
    const { passages, degraded } = await open([], server).search("ocean water");
    expect(passages[0]?.source.title).toBe("Storm");
    expect(degraded).toBe(false);
    expect(server.requests).toEqual([{ authorization: "Bearer sk-embed", model: testModel, input: ["ocean water"] }]);
  });

  it("joins both rankings, so that what stands in both comes first", async () => {
    const both = makePage({ page: "Both", text: "The ocean is cold." });
    writeKnowledge(file, [coffee, sea, both], meaningOf);
    const { passages } = await open([], server).search("ocean");
    expect(passages.map(({ source: { title } }) => title).slice(0, 2)).toEqual(["Both", "Storm"]);
  });

  it.each(["fails", "talks nonsense", "gives too few"] as const)(
    "J14: one that %s leaves the search by keywords, marked as degraded, and is not asked again for a while",
    async (behaviour) => {
      writeKnowledge(file, [sea, coffee], meaningOf);
      server.behaviour = behaviour;
      const knowledge = open([], server);
      const titles = ({ passages }: Awaited<ReturnType<Knowledge["search"]>>) =>
        passages.map(({ source }) => source.title);
      const found = await knowledge.search("espresso ocean");
      expect(found.degraded).toBe(true);
      expect(titles(found)).toEqual(["The Grinder"]);
      server.behaviour = "answers";
      expect((await knowledge.search("espresso ocean")).degraded).toBe(true);
      expect(server.requests).toHaveLength(1);
      expect(errors).toEqual(["Passages are searched by keywords alone, as the server of embeddings fails"]);
    },
  );

  it("J14: one that never answers holds a search up for two seconds, once", async () => {
    writeKnowledge(file, [sea, coffee], meaningOf);
    server.behaviour = "hangs";
    const knowledge = open([], server);
    expect((await knowledge.search("espresso")).degraded).toBe(true);
    expect((await knowledge.search("espresso")).passages).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
  });

  it("is not asked where there is nothing to compare with", async () => {
    writeKnowledge(file, [sea]);
    expect(await open([], server).search("radio")).toMatchObject({ degraded: false });
    expect(server.requests).toEqual([]);
  });

  it("stops waiting when the one who searches does", async () => {
    writeKnowledge(file, [sea], meaningOf);
    server.behaviour = "hangs";
    const stopping = new AbortController();
    const searching = open([], server).search("radio", { signal: stopping.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    stopping.abort(new Error("Gone"));
    await expect(searching).rejects.toThrow("Gone");
    expect(errors).toEqual([]);
  });
});
