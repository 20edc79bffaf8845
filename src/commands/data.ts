/** Whose conversations there are; hands one user's over, or deletes them: `npm run data`. */
import { parseArgs } from "node:util";
import { type Config, readConfig } from "../config.ts";
import type { SessionGroup, Whose } from "../storage/storage.ts";
import { print, runCommand, UsageError } from "./command.ts";
import { exportData } from "./export-data.ts";
import { deleteData, openData } from "./open-data.ts";
import type { Owner } from "./usage-lines.ts";

const usage = `npm run data -- list
npm run data -- export --principal P [--username U] --out FILE
npm run data -- delete --principal P [--username U]
--username alone will do where one principal uses it.`;

await runCommand(usage, async (words) => {
  const { positionals, values } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { principal: { type: "string" }, username: { type: "string" }, out: { type: "string" } },
  });
  const [verb, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`${rest[0]} is one word too many.`);
  const { out, ...whose } = values;
  const isNamed = whose.principal !== undefined || whose.username !== undefined;
  const config = readConfig();
  if (verb === "list" && !isNamed && out === undefined) return list(config);
  if (verb === "export" && isNamed && out !== undefined) return handOver(config, whose, out);
  if (verb === "delete" && isNamed && out === undefined) return remove(config, whose);
  if (verb === "export" && isNamed) throw new UsageError("--out must name the file that is to be written.");
  throw new UsageError("What is to be done with whose data?");
});

async function list(config: Config): Promise<void> {
  const data = await openData(config);
  try {
    let isEmpty = true;
    for await (const groups of data.owners.groups()) {
      for (const group of groups) print(lineOf(group, counted(group.sessions, "session")));
      isEmpty &&= groups.length === 0;
    }
    for await (const players of data.owners.players({})) {
      for (const player of players) print(lineOf(player, counted(player.games, "game")));
      isEmpty &&= players.length === 0;
    }
    if (isEmpty) process.stderr.write("There are no sessions.\n");
  } finally {
    await data.close();
  }
}

function lineOf({ principal, username, updatedAt }: Omit<SessionGroup, "sessions">, what: string): string {
  // A username may have anything in it, and is not to look like another line.
  return [principal, JSON.stringify(username), what, new Date(updatedAt).toISOString()].join("\t");
}

async function handOver(config: Config, whose: Whose, out: string): Promise<void> {
  const data = await openData(config);
  try {
    const { sessions, games } = await exportData(data, await oneOwner(data, whose), out);
    const played = games === 0 ? "" : ` and ${counted(games, "game")}`;
    print(`${out} has ${counted(sessions, "session")}${played}.`);
  } finally {
    await data.close();
  }
}

async function remove(config: Config, whose: Whose): Promise<void> {
  const data = await openData(config);
  const owner = await oneOwner(data, whose).finally(() => data.close());
  print(`Deleted ${counted(await deleteData(config, owner), "session")}.`);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** A username is a label, which others may use as well: nobody is to get or lose what is somebody else's. */
async function oneOwner(
  { owners }: Awaited<ReturnType<typeof openData>>,
  { principal: named, username }: Whose,
): Promise<Owner> {
  if (named !== undefined) return { principal: named, username };
  const principals = new Set<string>();
  for await (const page of owners.sessions({ username })) for (const { principal } of page) principals.add(principal);
  for await (const page of owners.players({ username })) for (const { principal } of page) principals.add(principal);
  const [principal] = principals;
  if (principal === undefined) throw new Error("Nobody has sessions or games under that username.");
  if (principals.size > 1) {
    throw new Error(
      `${principals.size} principals use that username; name one with --principal, as \`list\` shows them.`,
    );
  }
  return { principal, username };
}
