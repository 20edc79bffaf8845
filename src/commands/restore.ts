/** Puts a backup in the place of the database, while no server uses it: `npm run restore`. */
import { readConfig } from "../config.ts";
import { restoreDatabase } from "../storage/sqlite/copies.ts";
import { print, runCommand, UsageError } from "./command.ts";
import { databaseFile } from "./database-file.ts";

await runCommand("npm run restore -- FILE", async (words) => {
  const [copy, ...rest] = words;
  if (copy === undefined || rest.length > 0) throw new UsageError("Name the one backup that is to be put back.");
  const path = databaseFile(readConfig());
  const { replaced } = await restoreDatabase(copy, path, Date.now());
  print(`${path} is what ${copy} was.`);
  if (replaced !== undefined) print(`What was there before is ${replaced} now; delete it when you do not need it.`);
});
