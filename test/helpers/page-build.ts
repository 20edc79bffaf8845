/**
 * The tests show the chat page as it is in the sources: it is built before them where it is older than those. Vitest runs
 * `setup` once before the tests.
 */
import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const repository = path.join(import.meta.dirname, "../..");

export async function setup(): Promise<void> {
  const sources = ["web/src", "web/public", "web/index.html", "web/build.js", "client", "package-lock.json"];
  const built = changedAt("web/dist/index.html");
  if (Math.max(...sources.map(changedAt)) < built) return;
  // Most tests need no page, so what cannot be built is left to those that do.
  await promisify(execFile)(process.execPath, [path.join(repository, "web/build.js")]).catch((error: Error) =>
    process.stderr.write(`The chat page cannot be built (was npm ci run?): ${error.message}\n`),
  );
}

/** When a file, or any within a directory, was changed last, in ms; 0 where there is none. */
function changedAt(name: string): number {
  const file = path.join(repository, name);
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(file).map((entry) => changedAt(path.join(name, entry))));
}
