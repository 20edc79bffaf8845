import { stat } from "node:fs/promises";
import { inMemory } from "./connection.ts";

/** Bytes of the database's files, as the file system knows them; of those that are there. */
export async function fileSizes(path: string): Promise<ReadonlyMap<string, number>> {
  if (path === inMemory) return new Map();
  const files = [
    ["database", path],
    ["write_ahead_log", `${path}-wal`],
  ] as const;
  const sizes = await Promise.all(
    files.map(async ([kind, file]) => {
      const size = await stat(file).then(
        (found) => found.size,
        () => undefined,
      );
      return size === undefined ? [] : [[kind, size] as const];
    }),
  );
  return new Map(sizes.flat());
}
