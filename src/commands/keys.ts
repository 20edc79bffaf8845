/** Makes, lists and revokes the keys of programs, for `AUTH=keys`: `npm run keys`. */
import { parseArgs } from "node:util";
import { readConfig } from "../config.ts";
import { type Scope, scopes } from "../identity/caller.ts";
import { createKey } from "../identity/keys.ts";
import { usernameSchema } from "../protocol/sessions.ts";
import type { KeyStore, StoredKey } from "../storage/storage.ts";
import { print, runCommand, UsageError } from "./command.ts";
import { openKeys } from "./open-keys.ts";

const usage = `npm run keys -- create --owner NAME [--scopes read,write] [--expires 2027-12-31]
npm run keys -- list
npm run keys -- revoke ID`;

type Verb = (keys: KeyStore) => Promise<void>;

await runCommand(usage, async (words) => {
  const { positionals, values } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { owner: { type: "string" }, scopes: { type: "string" }, expires: { type: "string" } },
  });
  const verb = verbOf(positionals, values);
  const { keys, close } = await openKeys(readConfig());
  try {
    await verb(keys);
  } finally {
    await close();
  }
});

function verbOf([name, id, ...rest]: readonly string[], values: CreationValues): Verb {
  const isCreating = name === "create";
  if (!isCreating && Object.keys(values).length > 0) throw new UsageError("Only `create` has options.");
  if (rest.length > 0) throw new UsageError(`${rest[0]} is one word too many.`);
  if (name === "create" && id === undefined) return creating(values);
  if (name === "list" && id === undefined) return list;
  if (name === "revoke" && id !== undefined) return (keys) => revoke(keys, id);
  throw new UsageError("What is to be done with which key?");
}

type CreationValues = {
  readonly owner?: string | undefined;
  readonly scopes?: string | undefined;
  readonly expires?: string | undefined;
};

function creating(values: CreationValues): Verb {
  const owner = usernameSchema.safeParse(values.owner);
  if (!owner.success) throw new UsageError("--owner must name who uses the key, in 1 to 128 characters.");
  // In a list, it would look like another column or another key.
  if (/\p{Cc}/u.test(owner.data)) throw new UsageError("--owner must have no line breaks, tabs or control characters.");
  const terms = { owner: owner.data, scopes: scopesOf(values.scopes), expiresAt: expiryOf(values.expires) };
  return async (keys) => {
    const { secret, key } = createKey(terms);
    await keys.add(key);
    process.stderr.write(`The key ${key.id} of ${key.owner}. It is shown this once, and stored nowhere:\n`);
    print(secret);
  };
}

function scopesOf(text = scopes.join(",")): readonly Scope[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => !scopes.some((scope) => scope === name))) {
    throw new UsageError(`--scopes must be of ${scopes.join(" and ")}, with a comma between them.`);
  }
  return scopes.filter((scope) => names.includes(scope));
}

/** A day is good to its end, in UTC. */
function expiryOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const time = isDay ? Date.parse(`${text}T23:59:59.999Z`) + 1 : Date.parse(text);
  // JavaScript takes the 31st of February for the 3rd of March, and many texts for dates.
  const isReal = isDay ? !Number.isNaN(time) && shown(time - 1).startsWith(text) : /^\d{4}-.*T.*Z$/.test(text);
  if (!isReal || Number.isNaN(time)) throw new UsageError("--expires must be a day such as 2027-12-31.");
  if (time <= Date.now()) throw new UsageError("--expires must be in the future.");
  return time;
}

async function list(keys: KeyStore): Promise<void> {
  const all = await keys.list();
  if (all.length === 0) process.stderr.write("There are no keys yet.\n");
  for (const key of all) print(lineOf(key));
}

function lineOf({ id, owner, scopes: allowed, createdAt, expiresAt, revokedAt }: StoredKey): string {
  const state =
    revokedAt !== null
      ? `revoked ${shown(revokedAt)}`
      : expiresAt === null
        ? "good"
        : `${expiresAt <= Date.now() ? "expired" : "expires"} ${shown(expiresAt)}`;
  return [id, owner, allowed.join(","), `created ${shown(createdAt)}`, state].join("\t");
}

function shown(time: number): string {
  return new Date(time).toISOString();
}

async function revoke(keys: KeyStore, id: string): Promise<void> {
  const key = await keys.revoke(id);
  if (key === undefined) throw new Error(`There is no key ${id}; \`list\` names all of them.`);
  print(lineOf(key));
}
