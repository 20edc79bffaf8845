import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../test/helpers/seeded-random.ts";
import { bytesOf, normalised, product, signatureOf } from "../embeddings/vectors.ts";
import { NearestPassages } from "./nearest.ts";
import { PassageWriter } from "./passage-writer.ts";
import { openInMemory } from "./tables.ts";

const random = seededRandom(7);
const source = { title: "P", url: "https://wiki.example/", revision: null, licence: "CC0", retrieved: "2026-11-28" };

/** Passages of two shows in turn, about as alike as texts are: each is near one of twenty. */
function filled(count: number, dimensions: number) {
  const database = openInMemory();
  const writer = new PassageWriter(database);
  const insert = database.prepare("INSERT INTO vectors VALUES (?, 'm', ?, ?)");
  const numbers = () => Array.from({ length: dimensions }, () => random.next() - 0.5);
  const centres = Array.from({ length: 20 }, numbers);
  const near = () => normalised(random.pick(centres).map((number) => number + 0.7 * (random.next() - 0.5)));
  const pages = ["a", "b"].map((show) => writer.addPage({ link: "https://wiki.example/", show, source, sha1: "" }));
  const vectors = Array.from({ length: count }, (_, index) => {
    const show = index % 2 === 0 ? "a" : "b";
    const [id = 0] = writer.addPassages(pages[index % 2] ?? 0, show, "P", [{ section: [], text: `${index}` }]);
    const vector = near();
    insert.run(id, bytesOf(vector), bytesOf(signatureOf(vector)));
    return { id, show, vector };
  });
  const exact = (query: Float32Array, show: string | undefined) =>
    vectors
      .filter((passage) => show === undefined || passage.show === show)
      .sort((one, other) => product(query, other.vector) - product(query, one.vector))
      .map(({ id }) => id);
  return { nearest: new NearestPassages(database, "m"), exact, near };
}

describe("the nearest passages", () => {
  it("are those that comparing all vectors finds, where they are few", () => {
    const { nearest, exact, near } = filled(150, 5);
    for (const show of [undefined, "a", "b"]) {
      const query = near();
      expect(nearest.find(query, show, 10)).toEqual(exact(query, show).slice(0, 10));
    }
    expect(nearest.find(near(), "c", 10)).toEqual([]);
  });

  it("are nearly always those where they are many, with at least 95 of 100 found", () => {
    const { nearest, exact, near } = filled(5_000, 384);
    let found = 0;
    for (let round = 0; round < 20; round += 1) {
      const query = near();
      const best = new Set(exact(query, "a").slice(0, 5));
      found += nearest.find(query, "a", 5).filter((id) => best.has(id)).length;
    }
    expect(found).toBeGreaterThanOrEqual(95);
  });

  it("are none for a vector of other dimensions", () => {
    expect(filled(3, 8).nearest.find(normalised([1, 2]), undefined, 5)).toEqual([]);
  });
});
