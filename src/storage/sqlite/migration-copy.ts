import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { foundVersion, schemaVersion } from "./schema.ts";

/** Where the file is kept as the version before had it. */
export function migrationCopy(path: string, version: number): string {
  return `${path}.schema-${version}`;
}

/**
 * Keeps a copy of a file whose tables are about to change, for whoever wants to go back to the version before. Of older
 * copies none is kept: they have what was deleted since.
 *
 * @throws Error with a sentence for the operator: without a copy nothing is changed
 */
export function copyBeforeMigration(database: DatabaseSync, path: string): void {
  const found = foundVersion(database);
  if (found === 0 || found === schemaVersion) return;
  const copy = migrationCopy(path, found);
  const partial = `${copy}.partial`;
  try {
    rmSync(partial, { force: true });
    database.prepare("VACUUM INTO ?").run(partial);
    chmodSync(partial, 0o600);
    sync(partial);
    renameSync(partial, copy);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw new Error(
      `${path} is of an older version, and no copy of it could be made before it is changed; make room beside it.`,
      { cause },
    );
  }
  for (let version = 1; version < found; version += 1) {
    const older = migrationCopy(path, version);
    if (existsSync(older)) rmSync(older);
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
