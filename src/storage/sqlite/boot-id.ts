import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Names this run of the machine's kernel (random(4)). What a dead process wrote without a sync is still there while the
 * kernel is the same, and may be gone after it. Where the kernel tells no id, every process counts as another run.
 */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "ascii").trim();
  } catch {
    return randomUUID();
  }
}
