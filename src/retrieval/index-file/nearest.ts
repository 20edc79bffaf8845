/** The passages whose vectors are nearest to one. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { bitsIn, bytesOf, floatsOf, product, signatureOf } from "../embeddings/vectors.ts";

/** So many are compared by their vectors, at least. */
const candidates = 200;

export class NearestPassages {
  readonly #vector: StatementSync;
  readonly #passages: Float64Array;
  readonly #shows: Uint32Array;
  readonly #showNumbers = new Map<string, number>();
  readonly #signatures: Uint32Array;
  /** How many numbers a signature has. */
  readonly #width: number;
  readonly #bytesOfVector: number;

  /** Takes what it needs of all vectors of a model into memory: 200 bytes for each passage, for 1,536 dimensions. */
  constructor(database: DatabaseSync, model: string) {
    this.#vector = database.prepare("SELECT vector FROM vectors WHERE passage = ?");
    const facts = database
      .prepare(
        "SELECT count(*) AS count, max(length(signature)) AS width, max(length(vector)) AS bytes FROM vectors WHERE model = ?",
      )
      .get(model);
    const count = Number(facts?.["count"] ?? 0);
    this.#width = Number(facts?.["width"] ?? 0) / 4;
    this.#bytesOfVector = Number(facts?.["bytes"] ?? 0);
    this.#passages = new Float64Array(count);
    this.#shows = new Uint32Array(count);
    this.#signatures = new Uint32Array(count * this.#width);
    const rows = database
      .prepare("SELECT passage, show, signature FROM vectors JOIN passages ON passages.id = passage WHERE model = ?")
      .iterate(model);
    let index = 0;
    for (const { passage, show, signature } of rows) {
      if (!(signature instanceof Uint8Array)) continue;
      this.#passages[index] = Number(passage);
      this.#shows[index] = this.#numberOf(String(show));
      bytesOf(this.#signatures).set(signature, index * this.#width * 4);
      index += 1;
    }
  }

  /** Gives the row numbers of passages, nearest first; none where the vector is of another model. */
  find(vector: Float32Array, show: string | undefined, limit: number): number[] {
    if (vector.byteLength !== this.#bytesOfVector) return [];
    const near = this.#candidates(
      signatureOf(vector),
      show === undefined ? undefined : (this.#showNumbers.get(show) ?? 0),
    );
    return near
      .map((index) => {
        const passage = this.#passages[index] ?? 0;
        const blob = this.#vector.get(passage)?.["vector"];
        return { passage, nearness: blob instanceof Uint8Array ? product(vector, floatsOf(blob)) : -1 };
      })
      .sort((one, other) => other.nearness - one.nearness)
      .slice(0, limit)
      .map(({ passage }) => passage);
  }

  /** Those within the distance that the nearest so many are within, by counting how many there are at each. */
  #candidates(signature: Uint32Array, show: number | undefined): number[] {
    const count = this.#passages.length;
    const width = this.#width;
    const distances = new Uint16Array(count);
    const atDistance = new Uint32Array(width * 32 + 1);
    for (let index = 0; index < count; index += 1) {
      if (show !== undefined && this.#shows[index] !== show) continue;
      let distance = 0;
      for (let place = 0, from = index * width; place < width; place += 1) {
        distance += bitsIn((this.#signatures[from + place] ?? 0) ^ (signature[place] ?? 0));
      }
      distances[index] = distance;
      atDistance[distance] = (atDistance[distance] ?? 0) + 1;
    }
    let farthest = 0;
    for (
      let found = atDistance[0] ?? 0;
      found < candidates && farthest < width * 32;
      found += atDistance[farthest] ?? 0
    ) {
      farthest += 1;
    }
    const near: number[] = [];
    for (let index = 0; index < count; index += 1) {
      if (show !== undefined && this.#shows[index] !== show) continue;
      if ((distances[index] ?? 0) <= farthest) near.push(index);
    }
    return near;
  }

  /** From 1, so that 0 is no show's. */
  #numberOf(show: string): number {
    const number = this.#showNumbers.get(show) ?? this.#showNumbers.size + 1;
    this.#showNumbers.set(show, number);
    return number;
  }
}
