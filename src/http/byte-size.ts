const units = [
  ["MiB", 1024 * 1024],
  ["KiB", 1024],
] as const;

/** A size for a sentence: in the largest unit of which it is a whole number, as limits usually are. */
export function byteSize(bytes: number): string {
  for (const [name, size] of units) if (bytes % size === 0) return `${bytes / size} ${name}`;
  return `${bytes} bytes`;
}
