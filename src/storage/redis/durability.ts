/** What the server is, and what its word is worth. */
import { isProblem } from "../../protocol/problems.ts";
import type { Command, Connection, Reply } from "./connection.ts";

/**
 * When a prompt counts as stored: once the server has it (`async`), once a replica has it too (`replica`), or once it is on
 * a disk (`disk`).
 */
export type Durability = "async" | "replica" | "disk";

/** What a server tells of itself; undefined for what it does not tell us. */
export type ServerFacts = {
  readonly version: string | undefined;
  readonly role: string | undefined;
  /** How many replicas are connected. */
  readonly replicas: number;
  readonly appendOnly: boolean | undefined;
  /** When it syncs its file: `always`, `everysec` or `no`. */
  readonly sync: string | undefined;
  readonly eviction: string | undefined;
  /** Whether it can be asked to wait for its disk. */
  readonly waitsForDisk: boolean;
};

/** Milliseconds that a write may wait for replicas or disks. */
export const acknowledgementTimeout = 200;

const oldestVersion = 7;

/** @throws Problem as the storage does */
export async function inspectServer(connection: Connection): Promise<ServerFacts> {
  const [info, sync, wait] = await connection.send([
    ["INFO", "server", "replication", "persistence", "memory"],
    ["CONFIG", "GET", "appendfsync"],
    ["COMMAND", "INFO", "WAITAOF"],
  ]);
  if (
    isProblem(info, "storage_unavailable") &&
    !/^NOPERM/.test(info.cause instanceof Error ? info.cause.message : "")
  ) {
    throw info;
  }
  const facts = new Map(
    String(isProblem(info) ? "" : info)
      .split("\r\n")
      .map((line) => line.split(":", 2) as [string, string]),
  );
  const appendOnly = facts.get("aof_enabled");
  return {
    version: facts.get("valkey_version") ?? facts.get("redis_version"),
    role: facts.get("role"),
    replicas: Number(facts.get("connected_slaves") ?? 0),
    appendOnly: appendOnly === undefined ? undefined : appendOnly === "1",
    sync: isProblem(sync) ? undefined : textAt(sync, 1),
    eviction: facts.get("maxmemory_policy"),
    waitsForDisk: Array.isArray(wait) && wait[0] !== null,
  };
}

/** Sentences for the operator: why nothing that is acknowledged would be safe there. None when all is well. */
export function weaknessesOf({ appendOnly, eviction }: ServerFacts): readonly string[] {
  return [
    ...(appendOnly === false ? ["It keeps everything in memory alone: set `appendonly yes`."] : []),
    ...(eviction !== undefined && eviction !== "noeviction"
      ? [`It forgets what does not fit (${eviction}): set \`maxmemory-policy noeviction\`.`]
      : []),
  ];
}

/** Sentences for the operator: why it cannot be used at all. */
export function obstaclesOf({ version, role, waitsForDisk }: ServerFacts, wanted: Durability | undefined): string[] {
  const isOld = version !== undefined && Number.parseInt(version, 10) < oldestVersion;
  return [
    ...(isOld ? [`It is version ${version}, and scripts need ${oldestVersion}.0 or newer.`] : []),
    ...(role === "slave" ? ["It is a replica and takes no writes: name its primary server."] : []),
    ...(wanted === "disk" && !waitsForDisk
      ? ["DURABILITY=disk needs WAITAOF, which came with Redis 7.2: take a newer server or DURABILITY=replica."]
      : []),
  ];
}

/** The command that waits for what was written on the same connection before it. */
export function waitCommand(durability: Durability, replicas: number): Command | undefined {
  const milliseconds = String(acknowledgementTimeout);
  switch (durability) {
    case "async":
      return undefined;
    case "replica":
      return ["WAIT", String(neededReplicas(replicas)), milliseconds];
    case "disk":
      return ["WAITAOF", "1", replicas === 0 ? "0" : String(neededReplicas(replicas)), milliseconds];
  }
}

/** Whether the answer to `waitCommand` says that everything arrived. */
export function isAcknowledged(durability: Durability, replicas: number, reply: Reply): boolean {
  switch (durability) {
    case "async":
      return true;
    case "replica":
      return Number(reply) >= neededReplicas(replicas);
    case "disk":
      return numberAt(reply, 0) >= 1 && (replicas === 0 || numberAt(reply, 1) >= neededReplicas(replicas));
  }
}

/** Half of them; one where none is connected right now. */
function neededReplicas(connected: number): number {
  return Math.max(1, Math.ceil(connected / 2));
}

function textAt(reply: Reply | undefined, index: number): string | undefined {
  const found = Array.isArray(reply) ? reply[index] : undefined;
  return typeof found === "string" ? found : undefined;
}

function numberAt(reply: Reply, index: number): number {
  return Array.isArray(reply) ? Number(reply[index]) : 0;
}
