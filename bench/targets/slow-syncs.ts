/** A disk that takes longer to sync, by strace, which holds up the thread that syncs and nothing else. */
import { existsSync } from "node:fs";

const strace = "/usr/bin/strace";

export const canSlowSyncs = existsSync(strace);

/** The words before a command that then waits so long before each sync; the process has the id that `spawn` gives. */
export function slowSyncs(milliseconds: number): readonly string[] {
  const calls = "fsync,fdatasync";
  // It looks at these calls alone, so all others cost what they always do.
  const quietly = ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"];
  return [strace, ...quietly, "-e", `trace=${calls}`, "-e", `inject=${calls}:delay_enter=${milliseconds * 1_000}`];
}
