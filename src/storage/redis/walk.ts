import { listOf } from "./rows.ts";
import type { Server } from "./server.ts";

/** How many keys are looked at together. */
const stepKeys = 200;

export type Kind = "hash" | "zset" | "string";

/**
 * The keys of a kind that match a pattern, in steps. Each that is there all the time is given, perhaps twice.
 *
 * @throws Problem
 */
export async function* keysLike(server: Server, pattern: string, kind: Kind): AsyncGenerator<readonly string[]> {
  let cursor = "0";
  do {
    const scan = ["SCAN", cursor, "MATCH", pattern, "COUNT", String(stepKeys), "TYPE", kind];
    const [next, keys] = listOf(await server.read(scan));
    cursor = String(next);
    yield listOf(keys).map(String);
  } while (cursor !== "0");
}

/** The members of a sorted set, in the same way: also while others are taken out of it. */
export async function* membersOf(server: Server, key: string): AsyncGenerator<readonly string[]> {
  let cursor = "0";
  do {
    const [next, entries] = listOf(await server.read(["ZSCAN", key, cursor, "COUNT", String(stepKeys)]));
    cursor = String(next);
    yield listOf(entries)
      .filter((_, index) => index % 2 === 0)
      .map(String);
  } while (cursor !== "0");
}
