/** What the process and its server can tell about their load. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import type { LoadGauges } from "./overload.ts";

/** Milliseconds between two looks at the event loop: some 50 in a second, for about 0.2 % of a core. */
const loopResolutionMs = 20;

/** Three semi-spaces of V8's default size, which it adds to `--max-old-space-size`. */
const youngGenerationBytes = 3 * 32 * 1024 * 1024;

const mostConnectionsEver = 20_000;

/** The part of all descriptors that clients may hold; the rest is for model servers, files and threads. */
const connectionShare = 0.8;

/** How many connections a server may have; more are refused instead of left waiting. */
export function mostConnections(descriptorLimit = readDescriptorLimit()): number {
  return Math.min(mostConnectionsEver, Math.floor(connectionShare * descriptorLimit));
}

/** @param connectionLimit see `mostConnections` */
export function openLoadGauges(server: Server, connectionLimit: number, storageBacklog: () => number): LoadGauges {
  const descriptorLimit = readDescriptorLimit();
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    socket.once("close", () => {
      connections -= 1;
    });
  });
  return {
    takeLoopDelay() {
      const delay = loop.percentile(99) / 1e6 - loopResolutionMs;
      loop.reset();
      return delay;
    },
    heapShare: oldGenerationShare,
    descriptorShare: () => (descriptorLimit === Number.POSITIVE_INFINITY ? 0 : countDescriptors() / descriptorLimit),
    freeConnections: () => connectionLimit - connections,
    storageBacklog,
    stop: () => loop.disable(),
  };
}

/**
 * What survives collections, of what may: at 1 the process dies. V8's own total would be of little use, as its limit
 * counts the young generation as well: a heap of 200 MB is at its end at 67 % of that.
 */
export function oldGenerationShare(): number {
  let used = 0;
  for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics()) {
    if (!name.startsWith("new_")) used += size;
  }
  return used / (getHeapStatistics().heap_size_limit - youngGenerationBytes);
}

/** Infinite where there is no limit, or no way to learn it. Node has raised it as far as it may by the time we ask. */
export function readDescriptorLimit(): number {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const soft = /^Max open files\s+(?<soft>\d+)/m.exec(limits)?.groups?.["soft"];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many the process has open. Infinity where nobody can say, as where none is left to list them with. */
export function countDescriptors(): number {
  try {
    // Since Linux 6.2 the size is the count, which takes microseconds; listing 20,000 would take 20 ms.
    return statSync("/proc/self/fd").size || readdirSync("/proc/self/fd").length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
