/** Who had the measured core for some time. */
import { isPinned, measuredCore } from "../targets/pinning.ts";
import { coreBusyMs, processUsage } from "./process-usage.ts";

/** Shares of the core, from 0 to 1. */
export type CoreShares = {
  readonly seconds: number;
  /** The process's. */
  readonly cpu: number;
  /** What anything else had; 0 where the process is not kept on that core. */
  readonly otherCpu: number;
};

/** The share that other programs may take before what was measured counts as disturbed. */
export const calm = 0.15;

/** Begins to watch a process. Gives what ends that. */
export function watchCore(pid: number): () => CoreShares {
  const { cpuMs } = processUsage(pid);
  const busyMs = isPinned ? coreBusyMs(measuredCore) : 0;
  const begunAt = performance.now();
  return () => {
    const tookMs = performance.now() - begunAt;
    const ownMs = processUsage(pid).cpuMs - cpuMs;
    const otherMs = isPinned ? Math.max(0, coreBusyMs(measuredCore) - busyMs - ownMs) : 0;
    return { seconds: tookMs / 1_000, cpu: ownMs / tookMs, otherCpu: otherMs / tookMs };
  };
}
