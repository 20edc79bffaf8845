/** What a disk may have kept of a recording when the power failed: all that was synced, and any part of the rest. */
import type { SeededRandom } from "../helpers/seeded-random.ts";
import type { DiskOperation } from "./disk-recording.ts";

/** What a disk writes whole or not at all, in bytes. */
const sectorBytes = 512;

export type FileImages = ReadonlyMap<string, Buffer>;

/**
 * The files after a power failure between two operations.
 *
 * @param before the files when the recording began, which are on the disk
 * @param until how many of the operations had been begun
 * @param syncs `ignored` for a disk that says that it has written what it has not
 */
export function imagesAfterPowerFailure(
  before: FileImages,
  operations: readonly DiskOperation[],
  until: number,
  random: SeededRandom,
  syncs: "kept" | "ignored" = "kept",
): FileImages {
  const done = operations.slice(0, until);
  // Between nothing and all: a disk that loses half of everything would hardly ever keep a whole transaction.
  const kept = random.pick([0, 0.3, 0.7, 0.95, 1]);
  const images = new Map<string, Buffer>();
  for (const [file, bytes] of before) {
    const image = new Image(bytes);
    const synced = syncs === "kept" ? done.findLastIndex((one) => one.kind === "sync" && one.file === file) : -1;
    done.forEach((operation, index) => {
      if (operation.file !== file || operation.kind === "sync") return;
      if (index < synced) image.apply(operation);
      else if (random.next() < kept) image.apply(operation.kind === "write" ? torn(operation, random) : operation);
    });
    images.set(file, image.bytes);
  }
  return images;
}

type Write = Extract<DiskOperation, { kind: "write" }>;

/** Now and then only the first sectors of a write have arrived. */
function torn(write: Write, random: SeededRandom): Write {
  const sectors = Math.ceil(write.bytes.length / sectorBytes);
  if (sectors < 2 || random.next() < 0.8) return write;
  return { ...write, bytes: write.bytes.subarray(0, random.between(1, sectors - 1) * sectorBytes) };
}

class Image {
  #content: Buffer;
  #length: number;

  constructor(content: Buffer) {
    this.#content = Buffer.from(content);
    this.#length = content.length;
  }

  get bytes(): Buffer {
    return this.#content.subarray(0, this.#length);
  }

  apply(operation: Exclude<DiskOperation, { kind: "sync" }>): void {
    if (operation.kind === "truncate") {
      this.#reserve(operation.length);
      this.#content.fill(0, operation.length);
      this.#length = operation.length;
      return;
    }
    const end = operation.offset + operation.bytes.length;
    this.#reserve(end);
    operation.bytes.copy(this.#content, operation.offset);
    this.#length = Math.max(this.#length, end);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#content.length) return;
    this.#content = Buffer.concat([this.#content, Buffer.alloc(2 * bytes - this.#content.length)]);
  }
}
