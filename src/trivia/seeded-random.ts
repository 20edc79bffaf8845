/** Randomness that can be had again: what is made from the same words is the same on every replica, and after a restart. */

export type Random = () => number;

/** Numbers from 0 up to, but not including, 1; the same seed gives the same ones. Not for secrets. */
export function seededRandom(seed: string): Random {
  let state = hashOf(seed);
  // The generator mulberry32: small, and random enough to shuffle options.
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** In a random order, one by one: whoever needs only the first few does not pay for the rest. */
export function* shuffled<T>(things: readonly T[], random: Random): Generator<T, void> {
  const rest = [...things];
  for (let left = rest.length; left > 0; left -= 1) {
    const index = Math.floor(random() * left);
    const [thing, last] = [rest[index] as T, rest[left - 1] as T];
    rest[index] = last;
    yield thing;
  }
}

/**
 * The numbers from 0 up to, but not including, `count`, each once and in no order that anybody would notice. Unlike
 * `shuffled` it copies nothing, so that a few of very many cost no more than a few.
 */
export function* scattered(count: number, random: Random): Generator<number, void> {
  if (count === 0) return;
  const start = Math.floor(random() * count);
  let step = 1 + Math.floor(random() * count);
  while (divisorOf(step, count) !== 1) step += 1;
  for (let taken = 0, place = start; taken < count; taken += 1, place = (place + step) % count) yield place;
}

function divisorOf(one: number, other: number): number {
  return other === 0 ? one : divisorOf(other, one % other);
}

/** FNV-1a over UTF-16 code units, mixed once more so that seeds that differ in their last character differ at once. */
function hashOf(seed: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < seed.length; index += 1) hash = Math.imul(hash ^ seed.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
