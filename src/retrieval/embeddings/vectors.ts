/**
 * Vectors of texts, and their signatures: a bit for the sign of each number. How many bits two signatures differ in says
 * about how far apart their vectors are, in a thirtieth of the room and time, so that a hundred thousand passages are
 * gone through at each search and only the nearest compared by their numbers.
 */

/** Of length 1, so that the product of two is the cosine of their angle. */
export function normalised(numbers: readonly number[] | Float32Array): Float32Array {
  const vector = Float32Array.from(numbers);
  const length = Math.hypot(...chunkLengths(vector));
  if (!(length > 0) || !Number.isFinite(length)) throw new TypeError("A vector must have a length.");
  return vector.map((number) => number / length);
}

/** `Math.hypot` takes its arguments from the stack, which has no room for all numbers of a long vector. */
function chunkLengths(vector: Float32Array): number[] {
  const lengths: number[] = [];
  for (let start = 0; start < vector.length; start += 256)
    lengths.push(Math.hypot(...vector.subarray(start, start + 256)));
  return lengths;
}

export function product(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < one.length; index += 1) sum += (one[index] ?? 0) * (other[index] ?? 0);
  return sum;
}

/** 32 bits to a number; those beyond the vector's end are 0. */
export function signatureOf(vector: Float32Array): Uint32Array {
  const signature = new Uint32Array(Math.ceil(vector.length / 32));
  for (const [index, number] of vector.entries()) {
    if (number > 0) signature[index >> 5] = (signature[index >> 5] ?? 0) | (1 << (index & 31));
  }
  return signature;
}

/** How many bits of a number are set (Warren, Hacker's Delight, 5-1). */
export function bitsIn(number: number): number {
  const pairs = number - ((number >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The bytes of a blob as numbers, wherever it begins in memory. */
export function floatsOf(blob: Uint8Array): Float32Array {
  return new Float32Array(blob.slice().buffer);
}

export function bytesOf(numbers: Float32Array | Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
