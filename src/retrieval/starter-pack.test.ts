import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFact, makePack, source } from "../../test/helpers/knowledge.ts";
import { readStarterPack } from "./starter-pack.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "starter-pack-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(content: unknown, name = "lighthouse.json"): string {
  const file = path.join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

describe("the starter pack", () => {
  it("is every show of a folder, by name, with what may be left out filled in", async () => {
    const show = { id: "airport", title: "The Airport", aliases: ["Airport"], years: null };
    const { aliases, subject_aliases, depth, ...fact } = makeFact();
    write({ show: { id: "lighthouse", title: "The Lighthouse" }, facts: [fact] });
    write({ show, facts: [] }, "airport.json");
    write("Not a show", "README.md");
    expect(await readStarterPack(folder)).toEqual([
      { show, facts: [] },
      { show: { id: "lighthouse", title: "The Lighthouse", aliases: [], years: null }, facts: [makeFact()] },
    ]);
  });

  it("says which file is not JSON", async () => {
    const file = write('{"show":');
    await expect(readStarterPack(folder)).rejects.toMatchObject({
      message: `${file} is not JSON`,
      cause: expect.any(SyntaxError),
    });
  });

  it("says in which file which field is wrong", async () => {
    const file = write(makePack({ facts: [makeFact(), makeFact({ id: "Otto's dog" })] }));
    await expect(readStarterPack(folder)).rejects.toThrow(`${file}: facts.1.id: `);
    write(makePack({ facts: [makeFact({ source: { ...source, url: "http://wiki.example/" } })] }));
    await expect(readStarterPack(folder)).rejects.toThrow(`${file}: facts.0.source.url: `);
    write([]);
    await expect(readStarterPack(folder)).rejects.toThrow(`${file}: it: `);
  });

  it("takes no check against other text that does not say which", async () => {
    write(makePack({ facts: [makeFact({ verified: { method: "other_text", date: "2026-11-28" } })] }));
    await expect(readStarterPack(folder)).rejects.toThrow("facts.0.verified.against: say against which text");
    write(makePack({ facts: [makeFact({ verified: { method: "known", against: source.url, date: "2026-11-28" } })] }));
    await expect(readStarterPack(folder)).rejects.toThrow("facts.0.verified.against: say against which text");
  });

  it("takes no fact of another show, and no file under another name", async () => {
    write(makePack({ facts: [makeFact(), makeFact({ show: "airport" })] }));
    await expect(readStarterPack(folder)).rejects.toThrow("facts.1.show must be lighthouse, as show.id");
    rmSync(write(makePack()));
    write(makePack(), "tower.json");
    await expect(readStarterPack(folder)).rejects.toThrow("its name must be lighthouse.json");
  });

  it("takes no fact twice, in one file or in two", async () => {
    write(makePack({ facts: [makeFact(), makeFact()] }));
    await expect(readStarterPack(folder)).rejects.toThrow(
      "The fact lighthouse:played-by:otto of lighthouse is there twice",
    );
    write(makePack());
    write({ show: { id: "airport", title: "The Airport" }, facts: [makeFact({ show: "airport" })] }, "airport.json");
    await expect(readStarterPack(folder)).rejects.toThrow("The fact lighthouse:played-by:otto");
  });

  it("is never nothing", async () => {
    await expect(readStarterPack(folder)).rejects.toThrow(`${folder} holds no show`);
    await expect(readStarterPack(path.join(folder, "none"))).rejects.toThrow("ENOENT");
  });
});
