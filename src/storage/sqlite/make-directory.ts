import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a directory for this user alone, and those above it that are missing. Not by Node's `recursive`: where nothing can
 * be made although all above is there, as below /proc, that tries for ever.
 *
 * @throws what the file system says
 */
export async function makeDirectory(path: string): Promise<void> {
  const missing = await makeOne(path);
  if (missing === undefined) return;
  const above = dirname(path);
  if (above === path) throw missing;
  await makeDirectory(above);
  const stillMissing = await makeOne(path);
  if (stillMissing !== undefined) throw stillMissing;
}

/** Gives the error that says that what it would be in is missing; undefined where the directory is there now. */
async function makeOne(path: string): Promise<Error | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return error as Error;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return undefined;
    throw error;
  }
}
