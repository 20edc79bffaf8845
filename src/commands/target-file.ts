import { access, constants } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes sure that a file of that name can be made, before any work is done for it.
 *
 * @throws Error with a sentence for the operator
 */
export async function requireDirectoryOf(file: string): Promise<void> {
  const directory = dirname(resolve(file));
  try {
    // With the dot, a file is none.
    await access(`${directory}/.`, constants.W_OK);
  } catch (cause) {
    throw new Error(`${file} cannot be made: ${directory} is no directory that you can write to.`, { cause });
  }
}
