/** The scripts by their names: `scripts/*.lua`, run by the server as one step each. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { grantOf } from "../access.ts";
import type { Access } from "../storage.ts";

export type Script = {
  readonly source: string;
  /** What the server knows it by once it has run. */
  readonly sha: string;
};

/** Lets a script write where the server's memory is full: what ends or frees something. */
const endings = [
  "settle-turn",
  "release-turn",
  "renew-lease",
  "claim-turn",
  "request-stop",
  "delete-session",
  "forget-spent",
  "renew-expiry",
] as const;

const readers = [
  "read-session",
  "find-sent",
  "read-turn",
  "read-text",
  "read-log",
  "start-log",
  "open-history",
  "read-history",
  "remember",
  "session-games",
] as const;

const beginnings = [
  "open-session",
  "change-session",
  "claim-title",
  "give-title",
  "accept-turn",
  "append-events",
  "begin-game",
] as const;

/** What is asked by somebody who needs the right to; the others go on with what was begun by that right. */
const withAccess: ReadonlySet<string> = new Set([
  "read-session",
  "change-session",
  "claim-title",
  "give-title",
  "delete-session",
  "accept-turn",
  "find-sent",
  "request-stop",
  "read-turn",
  "start-log",
  "open-history",
  "remember",
  "begin-game",
  "session-games",
  "read-game",
  "append-moves",
]);

/** What is about more than one session, and so in a slot of its own. */
const overviews = [
  "touch-busy",
  "take-due",
  "forget-idle",
  "add-to-list",
  "add-usage",
  "forget-usage",
  "know-username",
  "renew-principal",
  "forget-principal",
  "forget-player",
  "add-score",
  "remove-scores",
  "revoke-key",
  "take-place",
  "keep-place",
] as const;
const overviewReaders = ["read-list", "read-board"] as const;
/** Of those who play; refused where the server's memory is full. */
const playerWriters = ["note-player"] as const;
/** What is about one game. */
const gameWriters = ["create-game", "append-moves"] as const;
const gameReaders = ["read-game"] as const;
const gameKeepers = ["renew-game"] as const;

type ScriptName = (
  | typeof endings
  | typeof readers
  | typeof beginnings
  | typeof overviews
  | typeof overviewReaders
  | typeof playerWriters
  | typeof gameWriters
  | typeof gameReaders
  | typeof gameKeepers
)[number];

const time = sourceOf("time");
/** What the scripts of a session share. */
const common = time + sourceOf("common");
const game = sourceOf("game");
const access = sourceOf("access");

export const scripts: Readonly<Record<ScriptName, Script>> = Object.fromEntries([
  ...endings.map((name) => [name, script(name, "allow-oom", common)]),
  ...readers.map((name) => [name, script(name, "no-writes", common)]),
  ...beginnings.map((name) => [name, script(name, "", common)]),
  ...overviews.map((name) => [name, script(name, "allow-oom", time)]),
  ...overviewReaders.map((name) => [name, script(name, "no-writes", time)]),
  ...playerWriters.map((name) => [name, script(name, "", "")]),
  ...gameWriters.map((name) => [name, script(name, "", game)]),
  ...gameReaders.map((name) => [name, script(name, "no-writes", game)]),
  ...gameKeepers.map((name) => [name, script(name, "allow-oom", game)]),
]) as Record<ScriptName, Script>;

/** @param flags see https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags */
function script(name: ScriptName, flags: string, shared: string): Script {
  const source = `#!lua${flags === "" ? "" : ` flags=${flags}`}\n${shared}${withAccess.has(name) ? access : ""}${sourceOf(name)}`;
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/** The last values of a script that needs the right to read and write a session or a game. */
export function grantValues(access: Access): readonly [kind: "exactly" | "prefix", name: string] {
  const { name, isPrefix } = grantOf(access);
  return [isPrefix ? "prefix" : "exactly", name];
}

function sourceOf(name: string): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), "utf8");
}
