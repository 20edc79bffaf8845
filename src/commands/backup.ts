/** Makes a backup of the database, also while a server uses it: `npm run backup`. */
import { resolve } from "node:path";
import { readConfig } from "../config.ts";
import { backUpDatabase } from "../storage/sqlite/copies.ts";
import { print, runCommand, UsageError } from "./command.ts";
import { databaseFile } from "./database-file.ts";
import { requireDirectoryOf } from "./target-file.ts";

await runCommand("npm run backup -- FILE", async (words) => {
  const [target, ...rest] = words;
  if (target === undefined || rest.length > 0) throw new UsageError("Name the one file that the backup is to be.");
  const path = databaseFile(readConfig());
  await requireDirectoryOf(target);
  await backUpDatabase(path, target);
  print(`${resolve(target)} is a backup of ${path}.`);
});
